"""`ostiary why`: one decision on one screen: what was asked, what it would do, what was decided, by whose words, and proof."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.audit.mask import MASK
from gateway.audit.proof import Proof, prove
from gateway.cli.audit import as_ascii
from gateway.cli.output import console, show
from gateway.cli.record_source import open_source, source_options
from gateway.cli.record_words import (
    DECISION_STYLES,
    FLAG_STYLE,
    agent_of,
    decided,
    microseconds,
    shortened,
    tool_of,
    user_of,
    visible,
)
from gateway.cli.rule_text import rule_text
from gateway.cli.times import shown_time
from gateway.configuration.sources import load
from gateway.domain.query import Row
from gateway.domain.record import Record, RecordedOperation, RecordedReason, short_id
from gateway.enforcement.words import operation_words
from gateway.errors import ConfigError

_MAX_OPERATIONS = 12
_MAX_RULES = 4
_MAX_VALUE = 400
_ANSWERS = {
    "pass": "pass: the agent's own rules went on",
    "deny": "deny: the agent was stopped",
    "ask": "ask: a person was asked",
    "allow": "allow: the agent's own prompt was skipped",
    "": "none: this event is only recorded",
}
_OUTCOMES = {
    "ran": "it ran",
    "failed": "it ran and failed",
    "declined_by_person": "a person declined it",
    "not_run": "it was not run",
    "unknown": "unknown: no later event tells",
    "": "",
}
_FLAGS = {
    "call_id_reuse": "this call's id was used for another input as well",
    "rewritten_after_approval": "what ran is not what was approved",
    "ran_after_denial": "it ran although it was denied",
    "ran_unasked": "it ran without having been asked about",
    "outcome_before_call": "its outcome was told before it was asked about",
    "outcome_contradicted": "its outcome was told twice, differently",
    "outcome_repeated": "its outcome had been told before",
    "reserved_attribute": "the client sent a name only the gateway may set",
    "project_refused": "the project directory was not believed",
    "project_claim_refused": "the project directory the client claimed was not believed",
    "untranslated_output": "a policy's output had parts that no answer can carry",
}


@click.command("why")
@click.argument("identifier", metavar="[ID]", required=False)
@click.option("--last", is_flag=True, help="The newest decision (the default).")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON document.")
@source_options
def command(
    identifier: str | None,
    last: bool,
    as_json: bool,
    data_dir: Path | None,
    config: Path | None,
    url: str | None,
    token_file: Path | None,
) -> None:
    """Explain one decision. ID is the short id of a message (7KQ2-M4XD), a decision id, or the agent's call id."""
    if identifier and last:
        raise click.UsageError("Name an id or --last, not both.")
    source = open_source(data_dir, config, url, token_file)
    try:
        row = source.find(identifier or "last")
    finally:
        source.close()
    if row is None:
        raise ConfigError(
            f"No record has the id {visible(identifier)}." if identifier else "No call was decided yet.",
            number=49,
            remedy="`ostiary audit search` lists ids.",
        )
    proof = prove(source.data_dir / "audit", row.chain, row.record.seq) if source.data_dir else None
    differ: tuple[str, ...] = ()
    if source.data_dir is not None:
        from gateway.cli.why_differ import differences  # noqa: PLC0415 - a masked record needs no policy engine

        differ = differences(row.record, load(config, os.environ))
    if as_json:
        words = {
            reason.rule: rule_text(reason.file, reason.line, reason.rule)
            for reason in row.record.reasons
            if reason.file
        }
        click.echo(
            as_ascii(
                {"schema": "ostiary.why/1", "row": row, "proof": proof, "rules": words, "differ": differ}
            )
        )
        return
    show(console(), screen(row, proof, differ))


def screen(row: Row, proof: Proof | None, differ: Sequence[str] = ()) -> Group:
    """One decision on one screen."""
    record = row.record
    verdict = decided(record)
    head = Text.assemble(
        (short_id(record.decision_id), "bold"),
        f"  {shown_time(record.ts)}  ",
        (verdict, DECISION_STYLES.get(verdict, "dim")),
        f"  {tool_of(record)}",
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (
        ("who", _who(record)),
        ("asked", _asked(record)),
        ("would", _would(record)),
        ("decision", _decision(record)),
        ("differ", "\n".join(visible(line) for line in differ)),
        ("answer", _answer(record)),
        ("outcome", _outcome(row)),
        ("record", _record(row, proof)),
    ):
        if value:
            table.add_row(name, value)
    return Group(head, Padding(table, (1, 0, 0, 2)))


def _who(record: Record) -> str:
    roles = (
        ", ".join(visible(role) for role in record.principal.roles) if record.principal is not UNSET else ""
    )
    session = f", session {visible(record.session_id)}" if record.session_id else ""
    return f"{user_of(record)} ({roles or 'no role'}), {agent_of(record)}{session}"


def _asked(record: Record) -> str:
    lines = [f"{visible(record.event)} {visible(record.tool)}".strip()]
    if record.input is not UNSET:
        lines += [f"  {visible(name)}: {_value(value)}" for name, value in list(record.input.items())[:12]]
    if record.cwd:
        lines.append(f"  in {visible(record.cwd)}")
    if record.erased:
        lines.append(f"  not kept: {', '.join(visible(item) for item in record.erased[:6])}")
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"bytes", "digest"}:
        return f"({value['bytes']} bytes, not kept)"
    return shortened(visible(value if isinstance(value, str) else as_ascii(value)), _MAX_VALUE)


def _would(record: Record) -> str:
    lines = [_operation(record, operation) for operation in record.operations[:_MAX_OPERATIONS]]
    more = len(record.operations) - _MAX_OPERATIONS
    if more > 0:
        lines.append(f"and {more} more")
    if record.operations_truncated:
        lines.append("and more than can be asked about")
    if record.shell is not UNSET and record.shell.get("opaque"):
        lines.append("what the command would do could not be told from its text")
    return "\n".join(lines)


def _operation(record: Record, operation: RecordedOperation) -> str:
    if operation.id == MASK:
        words = f"{visible(operation.action)} a {visible(operation.kind).replace('_', ' ')}"
    else:
        words = operation_words(
            operation.kind, operation.action, operation.id, operation.attr, record.project_dir
        )
    groups = [visible(str(group)) for group in operation.attr.get("groups", ())]
    notes = [f"groups {', '.join(groups)}"] if groups else []
    notes += ["perhaps"] if operation.attr.get("certain") is False else []
    told = f"  ({'; '.join(notes)})" if notes else ""
    return f"{visible(words)}{told}"


def _decision(record: Record) -> str:
    lines = [f"{record.decision or 'none'}, {record.mode} mode, policy {record.revision or 'none'}"]
    if record.cause:
        lines.append(f"no ordinary decision: {visible(record.cause)}: {visible(record.detail)}")
    if record.error_id:
        lines.append(f"error {record.error_id}")
    for reason in record.reasons[:_MAX_RULES]:
        lines += _reason(reason)
    if len(record.reasons) > _MAX_RULES:
        lines.append(f"and {len(record.reasons) - _MAX_RULES} more rules")
    return "\n".join(lines)


def _reason(reason: RecordedReason) -> list[str]:
    about = f" on {visible(reason.action)} {visible(reason.resource)}" if reason.resource else ""
    layer = f" (layer {visible(reason.layer)})" if reason.layer else ""
    lines = [
        f"{reason.decision} by {visible(reason.rule) or 'a rule the backend does not name'}{about}{layer}"
    ]
    if reason.text:
        lines.append(f"  “{visible(reason.text)}”")
    if reason.file:
        lines.append(f"  {visible(reason.file)}:{reason.line}")
        words = rule_text(reason.file, reason.line, reason.rule)
        lines += [f"    {visible(word)}" for word in words]
        if not words:
            lines.append("    (the rule does not stand there any more)")
    return lines


def _answer(record: Record) -> str:
    text = _ANSWERS.get(record.answer, record.answer)
    if record.answer == "pass" and record.decision in {"deny", "ask"} and record.mode != "enforce":
        text += f"; in enforce it would have been {'stopped' if record.decision == 'deny' else 'asked about'}"
    return f"{text} ({microseconds(record)} µs)"


def _outcome(row: Row) -> Text | None:
    words = _OUTCOMES.get(row.outcome, row.outcome)
    if row.repeats:
        words += f"; asked {row.repeats + 1} times"
    text = Text(words)
    for flag in row.flags:
        text.append(
            f"\n{visible(flag)}: {_FLAGS.get(flag, 'see docs/what-is-recorded.md')}", style=FLAG_STYLE
        )
    return text if text.plain else None


def _record(row: Row, proof: Proof | None) -> str:
    lines = [f"record {row.record.seq} of {visible(row.chain)}", f"decision id {row.record.decision_id}"]
    if row.record.posture == "advisory":
        lines.append("posture advisory: the governed user could change this record")
    if proof is not None:
        fit = "fits its bytes" if proof.fits else "DOES NOT FIT its bytes: run `ostiary audit verify`"
        lines.append(f"{Path(proof.file).name}:{proof.line}, commit {proof.commit[:16] or 'none yet'} {fit}")
    return "\n".join(lines)
