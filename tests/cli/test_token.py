"""Credentials: shown once, known by their hash, and good for what they were made for."""

from __future__ import annotations

import json

import pytest
import yaml

from gateway.configuration.rules import identity_rules
from gateway.configuration.sources import load
from gateway.domain.ports import Peer
from gateway.identity.resolver import Identities
from gateway.identity.tokens import hash_token
from tests.support.cli import golden, ostiary

NOW = 1_700_000_000_000_000_000


def new(tmp_path, *arguments: str) -> dict:
    ended = ostiary("token", "new", "--json", *arguments, home=tmp_path)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_entry_knows_the_token_and_nothing_else_opens(tmp_path):
    made = new(
        tmp_path, "--user", "alice", "--role", "engineer", "--attr", "team=payments", "--agent", "claude-*"
    )
    file = tmp_path / "ostiary.yaml"
    file.write_text(yaml.safe_dump({"identity": {"tokens": [made["entry"]]}}))
    identities = Identities(identity_rules(load(file, {}), 0, 0), lambda: NOW)
    headers = {"authorization": f"Bearer {made['token']}"}
    found = identities.identify(headers, Peer(), "claude-code")
    assert (found.proven, found.principal.id, found.principal.roles) == (True, "alice", ("engineer",))
    assert found.principal.attr == {"team": "payments"}
    assert not identities.identify(headers, Peer(), "codex").proven
    assert not identities.identify(
        {"authorization": f"Bearer {made['token']}x"}, Peer(), "claude-code"
    ).proven
    assert not identities.classify(headers, ("viewer", "operator")).proven


def test_a_token_has_thirty_two_random_characters_and_is_never_twice_the_same(tmp_path):
    tokens = {new(tmp_path, "--user", "a", "--role", "r")["token"] for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token.removeprefix("ost_")) >= 32 for token in tokens)


def test_the_output_is_a_public_surface(tmp_path):
    made = new(tmp_path, "--user", "alice", "--class", "auditor", "--expires", "2099-01-01T00:00:00Z")
    assert made["entry"]["hash"] == hash_token(made["token"])
    made["token"], made["entry"]["hash"] = "ost_…", "sha256:…"
    golden("token-new", made)


def test_people_see_token_and_entry_ready_to_paste(tmp_path):
    ended = ostiary("token", "new", "--user", "Zoë", "--role", "engineer", "--expires", "90d", home=tmp_path)
    token = next(line.strip() for line in ended.stdout.splitlines() if line.startswith("  ost_"))
    entry = ended.stdout[ended.stdout.index("identity:") : ended.stdout.index("Then")]
    file = tmp_path / "ostiary.yaml"
    file.write_text(entry)
    assert load(file, {}).identity.tokens[0].hash == hash_token(token)
    assert load(file, {}).identity.tokens[0].user == "Zoë"
    assert ended.stdout.count(token) == 1


def test_a_header_file_is_private_and_the_token_is_not_shown(tmp_path):
    file = tmp_path / "agent.header"
    ended = ostiary("token", "new", "--user", "a", "--role", "r", "--header-file", file, home=tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    header = file.read_text()
    assert header.startswith("Authorization: Bearer ost_")
    assert header.split()[-1] not in ended.stdout
    again = ostiary("token", "new", "--user", "a", "--role", "r", "--header-file", file, home=tmp_path)
    assert again.returncode == 2
    assert file.read_text() == header


@pytest.mark.parametrize(
    "arguments",
    [
        ["--user", "a"],
        ["--user", "a", "--class", "application"],
        ["--user", " ", "--role", "r"],
        ["--user", "a\x1b]52", "--role", "r"],
        ["--user", "a", "--role", "r", "--expires", "soon"],
        ["--user", "a", "--role", "r", "--expires", "2001-01-01"],
        ["--user", "a", "--role", "r", "--attr", "team"],
        ["--user", "a", "--role", "r", "--class", "root"],
        ["--user", "a", "--role", "r", "--header-file", "/nowhere/x"],
        [],
    ],
)
def test_what_makes_no_credential_is_refused_and_prints_no_token(tmp_path, arguments):
    ended = ostiary("token", "new", *arguments, home=tmp_path)
    assert ended.returncode == 2
    assert "ost_" not in ended.stdout


@pytest.mark.parametrize("kind", ["agent", "application", "viewer", "auditor", "operator"])
def test_every_class_can_be_made(tmp_path, kind):
    assert new(tmp_path, "--user", "a", "--role", "r", "--class", kind)["entry"]["class"] == kind
