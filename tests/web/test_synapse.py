"""`/ext/claude`: policies written for Cerbos Synapse run unchanged, their hook replies translated field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import post, records, wait_for_record, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.processes import GatewayProcess

POLICIES = Path(__file__).parent / "synapse"
ROUTE = "/ext/claude"


def bash(command: str) -> dict:
    return pre_tool_use("Bash", {"command": command, "description": "x"})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[GatewayProcess]:
    settings = {"mode": "enforce", "policies": f"[{POLICIES}]"}
    with GatewayProcess(tmp_path_factory.mktemp("synapse"), settings) as running:
        yield running


def test_a_denial_keeps_its_reason_context_and_word_to_the_person(gateway):
    body = post(gateway, bash("git push --force"), path=ROUTE).json
    output = body["hookSpecificOutput"]
    assert output["permissionDecision"] == "deny"
    assert "force pushes rewrite what others have" in output["permissionDecisionReason"]
    assert output["additionalContext"] == "push to a branch"
    assert body["systemMessage"].endswith("a force push was stopped")
    assert "suppressOutput" not in body


def test_what_cannot_be_translated_is_named_in_record_and_log(gateway):
    post(gateway, {**bash("git push --force origin"), "session_id": "named"}, path=ROUTE)
    record = wait_for_record(gateway, tool="Bash", decision="deny", session_id="named")
    assert "untranslated_output" in record["flags"]
    assert "no-force-push: suppressOutput" in record["detail"]
    lines = [json.loads(line) for line in gateway.output.splitlines() if '"output_not_translated"' in line]
    assert "suppressOutput" in lines[0]["detail"]


def test_an_ask_is_an_ask(gateway):
    reply = post(gateway, bash("./deploy prod"), path=ROUTE)
    assert word(reply) == "ask"
    assert "deploys are confirmed by a person" in str(reply.json)


def test_a_rewritten_input_is_refused_and_never_sent(gateway):
    reply = post(gateway, bash("tidy"), path=ROUTE)
    assert word(reply) == "deny"
    assert "updatedInput" not in reply.body.decode()
    record = wait_for_record(gateway, cause="evaluation_error")
    assert "updatedInput" in record["detail"]


def test_the_alias_sees_the_whole_payload_and_the_calls_id_and_our_route_does_not(gateway):
    shipped = pre_tool_use(
        "Write", {"file_path": f"{PROJECT}/a", "content": "DO NOT SHIP"}, tool_use_id="toolu_seen"
    )
    assert word(post(gateway, shipped, path=ROUTE)) == "deny"
    other = {**shipped, "session_id": "other"}
    # There the text is not sent: a rule that needs it fails, and a failing denial is one.
    assert word(post(gateway, other)) == "pass"
    assert {record["route"] for record in records(gateway, tool="Write")} == {"/ext/claude", "/v1/hooks"}


def test_the_shipped_packs_hold_on_the_alias_too(gateway):
    assert word(post(gateway, pre_tool_use("Read", {"file_path": f"{PROJECT}/.env"}), path=ROUTE)) == "deny"


def test_the_mode_holds_on_the_alias(tmp_path):
    settings = {"mode": "observe", "policies": f"[{POLICIES}]"}
    with GatewayProcess(tmp_path / "gateway", settings) as observes:
        assert post(observes, bash("git push --force"), path=ROUTE).body == b"{}"
        assert wait_for_record(observes, tool="Bash", decision="deny")["answer"] == "pass"


@pytest.fixture(scope="module")
def believing(tmp_path_factory) -> Iterator[GatewayProcess]:
    """A gateway that believes the headers of loopback callers, which only `advisory` allows."""
    settings = {
        "mode": "enforce",
        "posture": "advisory",
        "policies": f"[{POLICIES}]",
        "identity.headers": "{enabled: true, trusted_peers: [127.0.0.0/8]}",
    }
    with GatewayProcess(tmp_path_factory.mktemp("believing"), settings) as running:
        yield running


def test_headers_name_user_and_roles_once_that_is_switched_on(believing, gateway):
    write = pre_tool_use("Write", {"file_path": f"{PROJECT}/a", "content": "x"}, session_id="by headers")
    assert word(post(believing, write, X_Claude_User="max", X_Claude_Roles="marketing")) == "deny"
    assert word(post(believing, write, X_Claude_User="ada", X_Claude_Roles="engineer")) == "pass"
    assert wait_for_record(believing, session_id="by headers", answer="deny")["principal"]["id"] == "max"
    assert word(post(gateway, write, X_Claude_User="max", X_Claude_Roles="marketing")) == "pass"


@pytest.mark.parametrize("scope", ["nosuch", "site.nosuch"])
def test_a_scope_nobody_wrote_a_policy_for_is_a_failure_and_opens_nothing(believing, scope):
    headers = {"X_Claude_User": "ada", "X_Claude_Roles": "engineer", "X_Cerbos_Scope": scope}
    reply = post(believing, pre_tool_use("Read", {"file_path": f"{PROJECT}/a"}), path=ROUTE, **headers)
    assert word(reply) == "deny"
    assert wait_for_record(believing, cause="no_policy_loaded")
    system = pre_tool_use("Write", {"file_path": "/etc/x", "content": "x"})
    assert word(post(believing, system, path=ROUTE, **headers)) == "deny"
