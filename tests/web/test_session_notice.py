"""At the start of a session the person is told that it is watched, where the client says it can show that."""

from __future__ import annotations

import pytest

from tests.support.http import post

START = {
    "session_id": "s",
    "hook_event_name": "SessionStart",
    "source": "startup",
    "cwd": "/home/dev/project",
}
SETUP = {"session_id": "s", "hook_event_name": "Setup", "trigger": "init", "cwd": "/home/dev/project"}


@pytest.mark.parametrize("payload", [START, SETUP], ids=["SessionStart", "Setup"])
def test_observe_says_that_it_watches_and_what_it_keeps(observes, payload):
    body = post(observes, payload, X_Ostiary_Notice="session").json
    assert set(body) == {"systemMessage"}
    assert body["systemMessage"].startswith("Ostiary is watching this session (observe; policy ")
    assert "what is recorded: " in body["systemMessage"]


@pytest.mark.parametrize("payload", [START, SETUP], ids=["SessionStart", "Setup"])
def test_enforce_says_that_it_governs(enforces, payload):
    body = post(enforces, payload, X_Ostiary_Notice="session").json
    assert body["systemMessage"].startswith("Ostiary governs this session (enforce; policy ")


@pytest.mark.parametrize("notice", [None, "", "yes", "Session"])
def test_without_the_clients_word_nothing_is_said(observes, enforces, notice):
    headers = {} if notice is None else {"X_Ostiary_Notice": notice}
    for gateway in (observes, enforces):
        assert post(gateway, START, **headers).body == b"{}"


@pytest.mark.parametrize("event", ["SessionEnd", "Stop", "PostToolUse", "Notification"])
def test_other_events_say_nothing(observes, event):
    payload = {**START, "hook_event_name": event}
    assert post(observes, payload, X_Ostiary_Notice="session").body == b"{}"
