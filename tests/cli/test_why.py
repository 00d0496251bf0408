"""`ostiary why`: one decision on one screen, by whatever id is at hand; a viewer gets no more than he was told."""

from __future__ import annotations

import io
import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gateway.cli.why import screen
from gateway.domain.query import Row
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason, short_id
from gateway.identity.tokens import hash_token
from tests.cli.recorded_gateway import attacker_strings, fill, obeyed, on_terminal, run
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess, wait_until


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("g") / "gateway") as running:
        fill(running)
        yield running


def why(gateway: GatewayProcess, *arguments: str) -> str:
    return run("why", "--data-dir", str(gateway.data_dir), *arguments).stdout


def test_one_screen_tells_who_what_decision_rule_and_proof(gateway: GatewayProcess) -> None:
    text = why(gateway, "secret")
    for part in (
        "would deny",
        "local (engineer), claude-code",
        "file_path: /home/dev/project/.env",
        "read .env, which holds secrets  (groups secrets)",
        "deny by secrets.files on read /home/dev/project/.env",
        "policies/baseline/file.yaml:",
        "- name: secrets.files",
        '"secrets" in R.attr.groups',
        "in enforce it would have been stopped",
        "it ran",
        "fits its bytes",
        "posture advisory",
    ):
        assert part in text, part
    assert len(text.splitlines()) <= 50


def test_what_would_have_had_to_differ_is_computed_from_the_record(gateway: GatewayProcess) -> None:
    text = why(gateway, "startup")
    assert "packs: {baseline.shell_startup: false}" in text
    assert '"shell_rc" in R.attr.groups were false   (R.attr.groups is ["shell_rc"])' in text


def test_ids_are_taken_as_people_type_them(gateway: GatewayProcess) -> None:
    row = json.loads(why(gateway, "startup", "--json"))["row"]
    identifier = row["record"]["decision_id"]
    short = short_id(identifier)
    for typed in (
        identifier,
        short,
        short.lower().replace("-", "").replace("0", "o").replace("1", "i"),
    ):
        assert short in why(gateway, typed).splitlines()[0]


def test_the_last_decision_needs_no_id(gateway: GatewayProcess) -> None:
    assert why(gateway) == why(gateway, "--last")
    assert json.loads(why(gateway, "--last", "--json"))["schema"] == "ostiary.why/1"


def test_an_unknown_id_is_an_error_that_says_where_ids_are(gateway: GatewayProcess) -> None:
    done = run("why", "--data-dir", str(gateway.data_dir), "7KQ2-M4XD", expect=(2,))
    assert "ostiary audit search" in done.stderr
    run("why", "--data-dir", str(gateway.data_dir), "7KQ2-M4XD", "--last", expect=(2,))


def test_nothing_a_client_wrote_is_obeyed_by_who_asks_why(gateway: GatewayProcess) -> None:
    for number in (7, 10):
        assert obeyed(why(gateway, f"path{number}")) == []
        assert obeyed(why(gateway, f"tool{number}", "--json")) == []
    text = on_terminal("why", "--data-dir", str(gateway.data_dir), "path0", columns=100)
    assert obeyed(text, colours=True) == []
    done = run("why", "--data-dir", str(gateway.data_dir), attacker_strings()[0], expect=(2,))
    assert obeyed(done.stderr) == []


@pytest.mark.parametrize("text", attacker_strings())
def test_every_part_of_the_screen_is_shown_as_text(text: str) -> None:
    reason = RecordedReason(
        rule=text, decision="deny", action=text, resource=text, layer=text, text=text, file=text, line=1
    )
    record = Record(
        schema="ostiary.record/1",
        type="call",
        decision_id="01890a5d-ac96-774b-bcce-b302099a8057",
        agent=text,
        event=text,
        tool=text,
        session_id=text,
        cwd=text,
        principal=RecordedPrincipal(id=text, roles=(text,)),
        subagent={"id": text, "type": text},
        input={text: {text: [text]}, "command": text},
        erased=(text,),
        operations=(RecordedOperation(kind=text, action=text, id=text, attr={"groups": [text]}),),
        decision="deny",
        answer="deny",
        cause=text,
        detail=text,
        reasons=(reason,),
    )
    out = io.StringIO()
    row = Row(record=record, outcome="ran", flags=(text,), chain=text)
    Console(file=out, width=100, highlight=False).print(screen(row, None, (text,)))
    assert obeyed(out.getvalue()) == []


def test_a_changed_record_does_not_look_proven(gateway: GatewayProcess, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(gateway.data_dir, copy, ignore=shutil.ignore_patterns("*.sock", "index*"))
    path = next((copy / "audit").glob("*.gate.*/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"/home/dev/.bash_profile", b"/home/dev/.bash_profilf"))
    assert "DOES NOT FIT" in run("why", "--data-dir", str(copy), "startup").stdout


def test_a_viewer_is_told_what_he_was_told_before_and_nothing_of_the_policy(tmp_path: Path) -> None:
    entries = [
        {"hash": hash_token(f"ost_{name}"), "user": "ann", "roles": ["engineer"], "class": name}
        for name in ("agent", "viewer")
    ]
    config = tmp_path / "ostiary.yaml"
    config.write_text(json.dumps({"identity": {"tokens": entries}, "mode": "enforce"}))
    token = tmp_path / "token"
    token.write_text("ost_viewer\n")
    token.chmod(0o600)
    with GatewayProcess(tmp_path / "gateway", config=config) as running:
        payload: dict[str, Any] = pre_tool_use(
            "Read", {"file_path": "/home/dev/project/.env"}, tool_use_id="mine"
        )
        request = urllib.request.Request(
            running.hooks_url, json.dumps(payload).encode(), {"Authorization": "Bearer ost_agent"}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert b"deny" in reply.read()

        def told() -> str:
            arguments = ["why", "--url", running.admin_url, "--token-file", str(token), "mine"]
            done = run(*arguments, expect=(0, 2))
            return done.stdout

        wait_until(lambda: bool(told()), "an answer of the clerk")
        text = told()
        assert "secrets.files" in text
        assert "Files with secrets stay closed" in text
        for hidden in (".yaml", "R.attr", "/home/dev", "resource.file", "rules_off", "groups were"):
            assert hidden not in text
        token.chmod(0o644)
        refused = run("why", "--url", running.admin_url, "--token-file", str(token), "mine", expect=(2,))
        assert "may be read by others" in refused.stderr
        refused = run(
            "why", "--url", running.admin_url, "mine", environment={"OSTIARY_TOKEN": "ost_agent"}, expect=(2,)
        )
        assert "credential" in refused.stderr


@pytest.mark.parametrize(
    "url", ["http://gateway.example:8788", "ftp://127.0.0.1", "127.0.0.1:8788", "http://127.0.0.1.example"]
)
def test_a_token_is_sent_over_no_open_network(url: str) -> None:
    done = run("why", "--url", url, "x", environment={"OSTIARY_TOKEN": "ost_secret"}, expect=(2,))
    assert "in the clear" in done.stderr
