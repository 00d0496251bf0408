"""Losing, spoiling or borrowing a credential never wins a looser answer than the right token would get."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from gateway.identity.tokens import hash_token
from tests.support.http import post, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.processes import GatewayProcess

RIGHT, OTHER, OLD, ADMIN, CODEX = (f"ost_{letter * 32}" for letter in "abcde")
STRICTNESS = ["pass", "allow", "ask", "deny"]
STANCES = {
    "global observe, role enforce": ("observe", [{"role": "engineer", "mode": "enforce"}]),
    "global enforce, role observe": ("enforce", [{"role": "engineer", "mode": "observe"}]),
}
CALLS = {
    "a secret": pre_tool_use("Read", {"file_path": f"{PROJECT}/.env"}),
    "work": pre_tool_use("Read", {"file_path": f"{PROJECT}/src/app.py"}),
    "no shape": pre_tool_use("Read", {}),
}
WAYS = {
    "no header": {},
    "empty bearer": {"Authorization": "Bearer "},
    "bearer without anything": {"Authorization": "Bearer"},
    "unset variable": {"Authorization": "Bearer $OSTIARY_TOKEN"},
    "unknown": {"Authorization": "Bearer ost_" + "z" * 32},
    "expired": {"Authorization": f"Bearer {OLD}"},
    "another principal's": {"Authorization": f"Bearer {OTHER}"},
    "wrong class": {"Authorization": f"Bearer {ADMIN}"},
    "another agent's": {"Authorization": f"Bearer {CODEX}"},
    "wrong scheme": {"Authorization": f"Basic {RIGHT}"},
    "two tokens": {"Authorization": f"Bearer {OTHER}, Bearer {RIGHT}"},
    "identity headers": {"X-Claude-User": "ada", "X-Claude-Roles": "engineer"},
}
ROUTES = {"its own": "/v1/hooks/claude-code", "the alias": "/ext/claude"}


def entry(token: str, user: str, *roles: str, **fields: object) -> dict[str, object]:
    return {"hash": hash_token(token), "user": user, "roles": list(roles), **fields}


@pytest.fixture(scope="module", params=STANCES)
def gateway(request, tmp_path_factory) -> Iterator[GatewayProcess]:
    mode, modes = STANCES[request.param]
    entries = [
        entry(RIGHT, "ada", "engineer"),
        # As bound as the right one, so that only whose it is differs.
        entry(OTHER, "max", "engineer", "marketing"),
        entry(OLD, "ada", "engineer", expires="2020-01-01T00:00:00Z"),
        entry(ADMIN, "ada", "engineer", **{"class": "operator"}),
        entry(CODEX, "ada", "engineer", agents=["codex"]),
    ]
    settings = {"mode": mode, "modes": json.dumps(modes), "identity.tokens": json.dumps(entries)}
    with GatewayProcess(tmp_path_factory.mktemp("matrix"), settings) as running:
        yield running


def strictness(gateway: GatewayProcess, payload, path: str, headers: dict[str, str]) -> int:
    found = word(post(gateway, payload, path=path, **headers))
    return STRICTNESS.index(found) if found in STRICTNESS else STRICTNESS.index("deny")


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", CALLS)
def test_no_way_round_the_token_is_answered_more_loosely_than_the_token(gateway, call, way, route):
    right = strictness(gateway, CALLS[call], ROUTES["its own"], {"Authorization": f"Bearer {RIGHT}"})
    assert strictness(gateway, CALLS[call], ROUTES[route], WAYS[way]) >= right


@pytest.mark.parametrize("way", ["no header", "unknown", "wrong class"])
@pytest.mark.parametrize("path", ["/v1/hooks/codex", "/v1/hooks/other"])
def test_another_agents_url_opens_nothing(gateway, way, path):
    assert post(gateway, CALLS["a secret"], path=path, **WAYS[way]).status == 404


@pytest.mark.parametrize("event", ["pretooluse", "Frobnicate", "PreToolUse "])
@pytest.mark.parametrize("way", ["no header", "unknown"])
def test_an_event_nobody_knows_is_no_way_round(gateway, event, way):
    """No client acts on the answer to an event it does not send; it is the same for everybody."""
    payload = {**CALLS["a secret"], "hook_event_name": event}
    right = strictness(gateway, payload, ROUTES["its own"], {"Authorization": f"Bearer {RIGHT}"})
    assert strictness(gateway, payload, ROUTES["its own"], WAYS[way]) >= right


def test_an_unreadable_event_without_a_credential_blocks_where_anything_enforces(gateway):
    assert post(gateway, b"{", **WAYS["no header"]).status == 400


def test_the_stance_itself_holds_for_the_right_token(gateway):
    mode = word(post(gateway, CALLS["a secret"], RIGHT))
    assert mode in {"deny", "pass"}
    assert word(post(gateway, CALLS["work"], RIGHT)) == "pass"
