"""Redaction: no secret of a known shape stays, ordinary texts stay as they are, and any record comes out."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.redact import INPUT_BYTES, RECORD_BYTES, RecordRedactor, redaction_data
from gateway.domain.record import Record, RecordedOperation, RecordedPrincipal, RecordedReason
from gateway.domain.vocabulary import RECORD_SCHEMA

BENIGN = Path(__file__).with_name("benign.txt")
REDACTOR = RecordRedactor(b"k" * 32, "kid", redaction_data())
_CHANCE = random.Random(20240131)


def letters(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Random characters: secrets of the right shape are made here, so that none stands in a file."""
    return "".join(_CHANCE.choice(alphabet) for _ in range(count))


def redact(**fields: Any) -> Record:
    base: dict[str, Any] = {"schema": RECORD_SCHEMA, "type": "call", "decision_id": "0" * 36, "tool": "Bash"}
    return REDACTOR.redact(Record(**{**base, **fields}))


def redacted(text: str) -> str:
    kept = redact(input={"command": text}).input
    assert isinstance(kept, dict)
    value: str = kept["command"]
    return value


HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
B64 = string.ascii_letters + string.digits + "+/"
URLSAFE = string.ascii_letters + string.digits + "-_"

FAMILIES: dict[str, Callable[[], str]] = {
    "github classic": lambda: "ghp_" + letters(36),
    "github server": lambda: "ghs_" + letters(36),
    "github fine-grained": lambda: "github_pat_" + letters(22) + "_" + letters(59),
    "gitlab": lambda: "glpat-" + letters(20, URLSAFE),
    "gitlab runner": lambda: "glrt-" + letters(20, URLSAFE),
    "slack bot": lambda: f"xoxb-{letters(12, string.digits)}-{letters(24)}",
    "slack app": lambda: f"xapp-1-{letters(11, UPPER)}-{letters(13, string.digits)}-{letters(40, HEX)}",
    "aws key id": lambda: "AKIA" + letters(16, UPPER),
    "google key": lambda: "AIza" + letters(35, URLSAFE),
    "google oauth": lambda: "ya29." + letters(60, URLSAFE),
    "provider plain": lambda: "sk-" + letters(48),
    "provider project": lambda: "sk-proj-" + letters(60, URLSAFE),
    "provider ant": lambda: "sk-ant-api03-" + letters(90, URLSAFE) + "AA",
    "stripe": lambda: "sk_live_" + letters(24),
    "npm": lambda: "npm_" + letters(36),
    "pypi": lambda: "pypi-" + letters(80, URLSAFE),
    "vault": lambda: "hvs." + letters(24, URLSAFE),
    "digitalocean": lambda: "dop_v1_" + letters(64, HEX),
    "docker hub": lambda: "dckr_pat_" + letters(27, URLSAFE),
    "hugging face": lambda: "hf_" + letters(34),
    "sendgrid": lambda: f"SG.{letters(22, URLSAFE)}.{letters(43, URLSAFE)}",
    "shopify": lambda: "shpat_" + letters(32, HEX),
    "linear": lambda: "lin_api_" + letters(40),
    "telegram": lambda: f"{letters(10, '123456789')}:AA{letters(33, URLSAFE)}",
    "ours": lambda: "ost_" + letters(32, URLSAFE),
    "jwt": lambda: f"eyJ{letters(30, URLSAFE)}.eyJ{letters(50, URLSAFE)}.{letters(43, URLSAFE)}",
    "age": lambda: "AGE-SECRET-KEY-1" + letters(58, UPPER),
}
PLACES = [
    "{}",
    "echo {} | tool",
    'curl -H "Authorization: Bearer {}" https://x',
    "export SOMETHING={}",
    '{{"a": ["{}"]}}',
    "/tmp/{}/file",
    "https://x.example/?q={}&b=1",
    "a\n{}\nb",
    "`{}`",
]
WRAPPED = [
    "export DB_PASSWORD={}",
    "PGPASSWORD={} psql -h db",
    "DB_PASSWORD='{}' ./run",
    'API_KEY="{}"',
    '{{"password": "{}"}}',
    '{{\\"apiKey\\": \\"{}\\"}}',
    "password: {}",
    "client_secret={}",
    "AWS_SECRET_ACCESS_KEY={}",
    "aws_secret_access_key = {}",
    "AccountKey={};EndpointSuffix=core",
    "Server=db;User Id=sa;Password={};",
    'SECRET_KEY := "{}"',
    "ACCESS_TOKEN_SECRET={}",
    "mysql -u root -p{} app",
    "mysqldump -h db -uroot -p{} app",
    "sshpass -p {} ssh host",
    "curl -u admin:{} https://x",
    "curl --user 'admin:{}' https://x",
    "docker login -u me -p {} ghcr.io",
    "redis-cli -h cache -a {} ping",
    "ldapsearch -x -D cn=admin -w {} -b dc=x",
    "tool --password {}",
    "tool --password={}",
    'tool --token "{}"',
    "tool --api-key {}",
    "openssl rsa -passin pass:{} -in key.pem",
    "postgres://app:{}@db:5432/app",
    "git clone https://oauth2:{}@gitlab.example/x.git",
    "https://x.example/cb?access_token={}",
    "https://b.blob.example/c?sv=2020&sig={}&se=1",
    'curl -H "Authorization: Basic {}" x',
    "Authorization: token {}",
    'curl -H "X-Api-Key: {}" x',
    'curl -H "PRIVATE-TOKEN: {}" x',
    "Cookie: sid={}; theme=dark",
    'curl -b "sid={}" https://x',
    "machine x login me password {}",
    "https://hooks.slack.com/services/T000/B000/{}",
]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_secret_of_a_known_family_is_erased_wherever_it_stands(family: str) -> None:
    for place in PLACES:
        for _ in range(5):
            secret = FAMILIES[family]()
            assert secret not in redacted(place.format(secret)), place


@pytest.mark.parametrize("place", WRAPPED)
def test_a_secret_is_erased_for_where_it_stands(place: str) -> None:
    for _ in range(5):
        secret = letters(24)
        text = redacted(place.format(secret))
        assert secret not in text
        assert "[erased:" in text


@pytest.mark.parametrize("place", ['password = "{}"', "PASSWORD='{}'", '"secret": "{}"', '--password "{}"'])
def test_a_quoted_secret_of_several_words_is_erased_whole(place: str) -> None:
    text = redacted(place.format("correct horse battery"))
    assert not any(word in text for word in ("correct", "horse", "battery"))


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "])
@pytest.mark.parametrize("end", [True, False])
def test_a_private_key_is_erased_to_its_end_or_the_texts(kind: str, end: bool) -> None:
    body = "\n".join(letters(64, B64) for _ in range(10))
    tail = f"\n-----END {kind}PRIVATE KEY-----\nafter" if end else ""
    text = redacted(f"cat > k <<X\n-----BEGIN {kind}PRIVATE KEY-----\n{body}{tail}")
    assert not any(line in text for line in body.splitlines())
    assert text.endswith("after") is end


def test_the_shipped_patterns_leave_ordinary_texts_alone() -> None:
    texts = [line for line in BENIGN.read_text().splitlines() if line and not line.startswith("# ")]
    touched = [text for text in texts if redacted(text) != text]
    assert len(texts) > 350
    assert len(touched) <= len(texts) * 0.01, touched


def test_references_to_secrets_are_no_secrets() -> None:
    for text in (
        "Authorization: Bearer $TOKEN",
        "password: ${DB}",
        "--token $(cat t)",
        "postgres://u:$P@h/d",
    ):
        assert redacted(text) == text


def test_what_was_erased_is_listed_with_its_place_and_kind() -> None:
    record = redact(
        input={
            "command": "export DB_PASSWORD=" + letters(12),
            "env": {"list": ["ghp_" + letters(36)]},
            "content": "x" * 9,
        }
    )
    assert set(record.erased) == {
        "input.command:assignment",
        "input.env.list[0]:github_token",
        "input.content:content",
    }


def test_contents_are_replaced_by_size_and_keyed_digest_at_any_depth() -> None:
    record = redact(
        input={"file_path": "/x", "content": "héllo", "files": [{"content": "héllo", "name": "n"}]}
    )
    kept = record.input
    assert isinstance(kept, dict)
    assert kept["content"]["bytes"] == 6
    assert kept["content"] == kept["files"][0]["content"]
    assert kept["content"]["digest"].startswith("h1:kid:")
    assert kept["files"][0]["name"] == "n"
    other = RecordRedactor(b"j" * 32, "kid", redaction_data())
    again = other.redact(
        Record(schema="s", type="call", decision_id="0" * 36, input={"content": "héllo"})
    ).input
    assert isinstance(again, dict)
    assert again["content"]["digest"] != kept["content"]["digest"]


def test_values_under_secret_names_are_erased_whatever_they_are() -> None:
    record = redact(
        input={
            "headers": {"Authorization": "abcd", "X-Other": "kept"},
            "accessToken": "abcd",
            "clientSecret": {"value": "abcd"},
            "password": 123456,
            "token": ["abcd"],
            "max_tokens": 5,
            "token_count": "many",
        }
    )
    kept = msgspec.json.encode(record.input).decode()
    assert "abcd" not in kept
    assert "123456" not in kept
    assert '"max_tokens":5' in kept
    assert "many" in kept
    assert "kept" in kept


def test_a_secret_as_the_name_of_a_field_is_erased_in_name_and_list() -> None:
    secret = "ghp_" + letters(36)
    record = redact(
        input={secret: {secret: "ghp_" + letters(36)}, "password": {secret: 1}, "content": secret}
    )
    assert secret.encode() not in msgspec.json.encode(record)


def test_every_other_part_of_a_record_is_cleaned_as_well() -> None:
    secret = "ghp_" + letters(36)
    record = redact(
        session_id=secret,
        call_id=f"x {secret}",
        tool=f"mcp__{secret}__t",
        cwd=f"/home/{secret}",
        project_dir=secret,
        home=secret,
        prompt_id=secret,
        permission_mode=secret,
        subagent={"id": secret, "type": secret},
        principal=RecordedPrincipal(id=secret, roles=(secret,), attr={"a": secret}),
        operations=(
            RecordedOperation(
                kind="file", action="read", id=f"/x/{secret}", attr={"path": secret, "input": {"a": secret}}
            ),
        ),
        reasons=(RecordedReason(rule="a.b", text=f"blocked: {secret}", resource=secret),),
        detail=secret,
        flags=(secret,),
        shell={"command": secret},
        gate={"filter": {"text": secret}},
    )
    assert secret.encode() not in msgspec.json.encode(record)


def test_an_adversary_cannot_shield_a_secret_with_a_mark_of_ours() -> None:
    secret = letters(20)
    assert secret not in redacted(f"PASSWORD=[erased:x{secret}")
    assert secret not in redacted(f"PASSWORD=[erased:assignment]{secret}")


def test_redacting_twice_changes_nothing_more() -> None:
    texts = [place.format(letters(24)) for place in WRAPPED] + [make() for make in FAMILIES.values()]
    for text in texts:
        once = redacted(text)
        assert redacted(once) == once


# --- sizes


def size(record: Record) -> int:
    return len(msgspec.json.encode(record))


def test_a_large_input_is_cut_and_keeps_size_and_digest() -> None:
    command = "echo " + letters(1000) * 200
    record = redact(input={"command": command, "n": 1})
    kept = record.input
    assert isinstance(kept, dict)
    assert size(record) < INPUT_BYTES
    assert kept["command"].startswith(command[:1000])
    assert kept["ostiary_capped"]["bytes"] > 200_000
    assert "input:size" in record.erased
    other = redact(input={"command": command + "x", "n": 1}).input
    assert isinstance(other, dict)
    assert other["ostiary_capped"]["digest"] != kept["ostiary_capped"]["digest"]


def test_a_secret_that_straddles_the_cut_is_erased_whole() -> None:
    for at in range(8192 - 45, 8192 + 3):
        secret = "ghp_" + letters(36)
        text = "x " * (at // 2) + " " * (at % 2) + secret + " y" * 50_000
        kept = redact(input={"command": text}).input
        assert isinstance(kept, dict)
        assert "ghp_" not in kept["command"]


@pytest.mark.parametrize(
    "fields",
    [
        {"input": {"command": "x" * 2_000_000}},
        {"input": {f"k{n}": "v" * 50 for n in range(40_000)}},
        {"input": {"a": ["x" * 10] * 150_000}},
        {"input": {"k" * 1_000_000: 1}},
        {"cwd": "/x" * 1_000_000, "session_id": "s" * 1_000_000, "call_id": "c" * 1_000_000},
        {
            "operations": tuple(
                RecordedOperation(kind="file", action="read", id="/p" * 5000, attr={"path": "/p" * 5000})
                for _ in range(200)
            )
        },
        {"reasons": tuple(RecordedReason(text="t" * 100_000) for _ in range(20))},
        {"flags": ("f" * 3_000_000,)},
    ],
)
def test_no_record_is_larger_than_its_limit(fields: dict[str, Any]) -> None:
    record = redact(**fields)
    assert size(record) <= RECORD_BYTES
    assert any(item.endswith(":size") for item in record.erased)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=()), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(
    value=st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=12), json_values, max_size=6)
)
def test_any_input_becomes_a_record_that_can_be_written(value: dict[str, Any]) -> None:
    record = redact(input=value, cwd="\ud800/x")
    assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record
    assert REDACTOR.digest(value) == REDACTOR.digest(dict(reversed(value.items())))


@settings(max_examples=100, deadline=None)
@given(before=st.text(max_size=20), after=st.text(max_size=20), family=st.sampled_from(sorted(FAMILIES)))
def test_no_neighbour_saves_a_secret(before: str, after: str, family: str) -> None:
    secret = FAMILIES[family]()
    assert secret not in redacted(f"{before} {secret} {after}")
