"""The public formats, each held by a golden file: `ostiary.record/1`, `ostiary.journal/1` and the JSON of the commands.

Fields are added, never changed or removed: a golden file grows with a new field and is otherwise left as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.audit.chain import (
    Commit,
    Header,
    Predecessor,
    commit_line,
    header_line,
    parse_commit,
    parse_header,
)
from gateway.audit.proof import Proof
from gateway.audit.verify import ChainReport, Finding, Report
from gateway.domain.query import Page, Row
from gateway.domain.reader import Reader
from gateway.domain.record import (
    Record,
    RecordedOperation,
    RecordedPrincipal,
    RecordedReason,
    parse_short_id,
    short_id,
)
from gateway.domain.vocabulary import JOURNAL_SCHEMA, RECORD_SCHEMA

GOLDEN = Path(__file__).with_name("golden")
IDENTIFIER = "01890a5d-ac96-774b-bcce-b302099a8057"


def full_record() -> Record:
    """A record in which every field says something."""
    given: dict[str, Any] = {
        "schema": RECORD_SCHEMA,
        "type": "call",
        "decision_id": IDENTIFIER,
        "principal": RecordedPrincipal(
            id="ann", roles=("engineer",), provider="token", issuer="i", subject="ann", attr={"team": "shop"}
        ),
        "input": {"file_path": "/p/.env"},
        "subagent": {"id": "a1", "type": "Explore"},
        "operations": (
            RecordedOperation(kind="file", action="read", id="/p/.env", attr={"groups": ["secrets"]}),
        ),
        "shell": {"opaque": False},
        "reasons": (
            RecordedReason(
                rule="secrets.files",
                decision="deny",
                kind="file",
                action="read",
                resource="/p/.env",
                layer="site",
                text="Closed",
                policy="resource.file.vdefault",
                file="file.yaml",
                line=7,
            ),
        ),
        "erased": ("input.content:content",),
        "flags": ("call_id_reuse",),
        "timings": {"total": 1},
        "gate": {"action": "start"},
    }
    for name in Record.__struct_fields__:
        if name not in given:
            default = getattr(Record(schema="", type="call", decision_id=""), name)
            given[name] = True if isinstance(default, bool) else 7 if isinstance(default, int) else name
    return Record(**given)


def full_page() -> Page:
    row = Row(record=full_record(), outcome="ran", flags=("ran_after_denial",), repeats=2, chain="i.gate.x")
    return Page(rows=(row,), cursor="1.2", lag_bytes=3)


FORMATS: dict[str, Any] = {
    "record": full_record(),
    "journal_header": Header(
        schema=JOURNAL_SCHEMA,
        chain="i.gate.x",
        instance="i",
        worker="gate",
        started=1,
        versions={"ostiary": "0"},
        predecessor=Predecessor(chain="i.gate.w", commit="0" * 64, seq=2, torn_bytes=3),
    ),
    "journal_commit": Commit(commit="0" * 64, n=2, seq=5, ts=6, close=True),
    "page": full_page(),
    "report": Report(
        chains=(ChainReport(chain="i.gate.x", records=1, commits=1, closed=True, last_commit="0" * 64),),
        findings=(Finding(severity="broken", file="f", line=1, message="m", seq=2),),
        trust="t",
    ),
    "proof": Proof(file="f", line=1, commit="0" * 64, fits=True),
    "reader": Reader(id="ann", reader_class="viewer"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_public_format_is_as_its_golden_file_says(name: str) -> None:
    file = GOLDEN / f"{name}.json"
    assert json.loads(file.read_text()) == json.loads(msgspec.json.encode(FORMATS[name]))


def test_a_record_of_the_first_version_is_still_read() -> None:
    stored = (GOLDEN / "record.json").read_bytes()
    assert msgspec.json.decode(stored, type=Record) == full_record()
    later = json.loads(stored) | {"a_field_of_a_later_version": 1}
    assert msgspec.json.decode(json.dumps(later), type=Record) == full_record()


def test_journal_lines_are_read_back() -> None:
    header, commit = FORMATS["journal_header"], FORMATS["journal_commit"]
    assert parse_header(header_line(header)) == header
    assert parse_commit(commit_line(commit)) == commit
    with pytest.raises(ValueError, match=r"expected ostiary\.journal/1"):
        parse_header(header_line(header).replace(b"journal/1", b"journal/2"))


def test_an_id_is_read_aloud_and_typed_back() -> None:
    assert short_id(IDENTIFIER) == "084S-N02Q"
    for typed in (
        short_id(IDENTIFIER),
        short_id(IDENTIFIER).lower(),
        short_id(IDENTIFIER).replace("-", " ").replace(" ", ""),
    ):
        assert parse_short_id(typed) == IDENTIFIER.replace("-", "")[-10:]
    assert parse_short_id("OIL0-1111") == parse_short_id("0110-1111")
    for wrong in ("", "7KQ2", "7KQ2-M4XU", "7KQ2-M4XD9", "é" * 8):
        with pytest.raises(ValueError, match="not a decision id"):
            parse_short_id(wrong)
