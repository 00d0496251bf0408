"""The real PDP as an oracle of expressions: each is the output of a rule, hundreds are asked in one request."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.policy.cel.answers import CONSTANTS, GLOBALS, RESOURCE_KIND, VARIABLES, Answer
from tests.support.processes import CerbosProcess, cerbos_binary, free_port

RULES = 200
"""Rules of one policy, and actions of one request."""
SERVED = 600
"""Rules of one PDP, which loads about a hundred of them a second on a busy machine."""
_RULE = re.compile(r"rules\[(\d+)\]")
_PATIENCE_SECONDS = 120
_CONFIG = """\
server:
  httpListenAddr: 127.0.0.1:{port}
  grpcListenAddr: 127.0.0.1:{grpc}
  requestLimits: {{maxActionsPerResource: 500, maxResourcesPerRequest: 500}}
engine:
  globals: {globals}
storage:
  driver: disk
  disk: {{directory: {policies}, watchForChanges: false}}
telemetry: {{disabled: true}}
"""

Request = Mapping[str, Any]


def ask(
    directory: Path,
    expressions: Sequence[str],
    requests: Sequence[Request],
    *,
    refused: frozenset[int] = frozenset(),
    sound: bool = False,
) -> list[list[Answer]]:
    """One answer for every expression and request.

    For speed only: `refused` are positions that ought not to compile, `sound` says that all the others do.
    """
    directory.mkdir(parents=True, exist_ok=True)
    static: dict[int, str] = {}
    if refused:
        static = _complaints(directory / "refused", expressions, sorted(refused))
    good = [at for at in range(len(expressions)) if at not in static]
    while not sound and (found := _complaints(directory / "compiled", expressions, good)):
        static.update(found)
        good = [at for at in good if at not in found]
    answers: list[list[Answer]] = [
        [Answer("static", message=static.get(at, ""))] * len(requests) for at in range(len(expressions))
    ]
    for start in range(0, len(good), SERVED):
        part = good[start : start + SERVED]
        for number, at, answer in _serve(directory / f"part{start}", expressions, part, requests):
            answers[at] = [*answers[at][:number], answer, *answers[at][number + 1 :]]
    return answers


def _serve(
    directory: Path, expressions: Sequence[str], positions: Sequence[int], requests: Sequence[Request]
) -> list[tuple[int, int, Answer]]:
    """(request, position, answer) of expressions that compile, by a PDP of their own."""
    policies = directory / "policies"
    _write(policies, expressions, positions)
    port = free_port()
    config = _CONFIG.format(port=port, grpc=free_port(), globals=json.dumps(GLOBALS), policies=policies)
    with CerbosProcess(directory / "server", policies, config=config, port=port) as pdp:
        return [
            (number, at, answer)
            for version, part in _chunks(positions)
            for number, request in enumerate(requests)
            for at, answer in _check(pdp.url, version, part, request)
        ]


def _chunks(positions: Sequence[int]) -> list[tuple[str, Sequence[int]]]:
    return [(f"v{at}", positions[at : at + RULES]) for at in range(0, len(positions), RULES)]


def _complaints(directory: Path, expressions: Sequence[str], positions: Sequence[int]) -> dict[int, str]:
    """What the PDP's compiler says against each of some expressions."""
    _write(directory, expressions, positions)
    chunks = dict(_chunks(positions))
    argv = [str(cerbos_binary()), "compile", "--output=json", str(directory)]
    compiled = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS)
    if compiled.returncode == 0:
        return {}
    found = {}
    for group in json.loads(compiled.stdout).values():
        for error in group["errors"]:
            rule = _RULE.search(json.dumps(error))
            assert rule is not None, error
            at = chunks[error["file"].removesuffix(".json")][int(rule[1])]
            found[at] = _inside(error["description"], expressions[at])
    assert found, compiled.stdout
    return found


def _write(directory: Path, expressions: Sequence[str], positions: Sequence[int]) -> None:
    """The policies of some expressions, and no others."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for version, part in _chunks(positions):
        rules = [
            {
                "actions": [f"a{at}"],
                "effect": "EFFECT_ALLOW",
                "roles": ["*"],
                "name": f"e{at}",
                "output": {"when": {"ruleActivated": expressions[at]}},
            }
            for at in part
        ]
        policy = {
            "resource": RESOURCE_KIND,
            "version": version,
            "constants": {"local": CONSTANTS},
            "variables": {"local": {name: json.dumps(value) for name, value in VARIABLES.items()}},
            "rules": rules,
        }
        whole = {"apiVersion": "api.cerbos.dev/v1", "resourcePolicy": policy}
        (directory / f"{version}.json").write_text(json.dumps(whole))


def _inside(description: str, expression: str) -> str:
    """What the PDP says without the frame that repeats the expression."""
    return (
        description.removeprefix(f"Invalid expression `{expression}`: ").removeprefix("[").removesuffix("]")
    )


def _check(url: str, version: str, positions: Sequence[int], request: Request) -> list[tuple[int, Answer]]:
    resource = {**request["resource"], "kind": RESOURCE_KIND, "policyVersion": version}
    body = {
        "requestId": "corpus",
        "principal": request["principal"],
        "resources": [{"actions": [f"a{at}" for at in positions], "resource": resource}],
    }
    post = urllib.request.Request(f"{url}/api/check/resources", json.dumps(body).encode())
    try:
        with urllib.request.urlopen(post, timeout=_PATIENCE_SECONDS) as reply:
            outputs = json.load(reply)["results"][0].get("outputs", [])
    except urllib.error.HTTPError as error:
        # One output that JSON cannot hold fails the whole request.
        if len(positions) == 1:
            return [(positions[0], Answer("error", message=error.read().decode()))]
        half = len(positions) // 2
        return [
            *_check(url, version, positions[:half], request),
            *_check(url, version, positions[half:], request),
        ]
    return [
        (
            int(output["action"][1:]),
            Answer("error", message=output["error"])
            if "error" in output
            else Answer("value", output.get("val")),
        )
        for output in outputs
    ]
