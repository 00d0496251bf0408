"""Clusters: `kubectl` and its like. Manifests are read here, state changes there, `exec` runs elsewhere.

Source: the command reference of kubectl 1.37.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Contact, Credential, Effect, Run, Touch, Trait
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Arguments, Grammar, parse_arguments
from gateway.facts.shell.programs.containers import copied
from gateway.facts.shell.values import Field

_KUBECTL: Final = Grammar(
    valued=frozenset(
        [
            "-n",
            "--namespace",
            "--context",
            "--cluster",
            "--kubeconfig",
            "-f",
            "--filename",
            "-k",
            "--kustomize",
            "-l",
            "--selector",
            "-o",
            "--output",
            "-c",
            "--container",
            "--token",
            "--server",
            "-s",
            "--user",
            "--as",
            "--field-selector",
            "--timeout",
            "--tail",
            "--since",
            "--replicas",
            "--image",
            "--port",
            "--target-port",
            "--type",
            "--patch",
            "--patch-file",
            "-p",
            "--overrides",
            "--from-file",
            "--from-env-file",
            "--from-literal",
            "--cert",
            "--key",
            "--grace-period",
            "--cascade",
            "--sort-by",
            "--template",
        ]
    )
)
_CHANGING: Final = frozenset(
    [
        "apply",
        "create",
        "delete",
        "replace",
        "patch",
        "edit",
        "scale",
        "rollout",
        "set",
        "label",
        "annotate",
        "expose",
        "autoscale",
        "drain",
        "cordon",
        "uncordon",
        "taint",
        "run",
    ]
)


def kubernetes(invocation: Invocation, model: Model) -> list[Effect]:
    """`kubectl`: manifests are read here, state changes there, `exec` runs elsewhere, secrets are credentials."""
    del model
    cut = next((at for at, field in enumerate(invocation.argv) if field.text == "--"), len(invocation.argv))
    arguments = parse_arguments(invocation.argv[:cut], _KUBECTL)
    effects: list[Effect] = []
    for name in (
        "-f",
        "--filename",
        "-k",
        "--kustomize",
        "--kubeconfig",
        "--from-env-file",
        "--patch-file",
        "--cert",
        "--key",
    ):
        for path in arguments.values(name):
            if "://" in path.text:
                effects.append(Contact(target=path, fetches=True))
            elif path.text != "-":
                effects.append(Touch(action="read", path=path))
    for value in arguments.values("--from-file"):
        effects.append(Touch(action="read", path=Field(value.text.rpartition("=")[2], value.glob)))
    words = [operand.text for operand in arguments.operands]
    verb = words[0] if words else ""
    if verb in ("get", "describe") and any(re.match(r"secrets?(/|$|,)", word) for word in words[1:]):
        shown = (arguments.value("-o", "--output") or Field("")).text
        if not shown.startswith(("name", "wide", "custom-columns")) and (verb == "get" and shown):
            effects.append(Credential(store="k8s", names=tuple(words[2:]), all=len(words) < 3))
    told = words[:2] in (["rollout", "status"], ["rollout", "history"])
    if (
        verb in _CHANGING
        and not told
        and not any(name.startswith("--dry-run") for name, _ in arguments.options)
    ):
        effects.append(Trait(name="remote_state"))
        effects.append(Trait(name="destructive" if verb in ("delete", "drain") else "deploys"))
    if verb == "cp":
        effects.extend(copied(Arguments(operands=arguments.operands[1:])))
    if verb == "exec" and cut < len(invocation.argv):
        effects.append(Run(argv=invocation.argv[cut + 1 :], via="container", remote=True))
    if verb == "config" and len(words) > 1 and words[1] == "view" and arguments.has("--raw"):
        effects.append(Credential(store="k8s", all=True))
    return effects
