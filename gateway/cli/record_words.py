"""A record in words and colours, the same in every command: who, what it would do, what was decided, by which rule.

Every text a client chose goes through `visible`: a terminal obeys escape sequences and turns text around.
"""

from __future__ import annotations

from msgspec import UNSET

from gateway.audit.mask import MASK
from gateway.domain.record import Record
from gateway.enforcement.words import operation_words, worst_of

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_WOULD = {"deny": "would deny", "ask": "would ask", "error": "would fail"}
DECISION_STYLES = {
    "allow": "green",
    "no policy": "cyan",
    "would deny": "yellow",
    "would ask": "yellow",
    "would fail": "magenta",
    "ask": "bold yellow",
    "deny": "bold red",
    "failed open": "bold magenta",
}
FLAG_STYLE = "bold magenta"


def visible(text: str) -> str:
    r"""The text in one line with everything that is no letter, mark or space as its escape: `\x1b`, `\u202e`, `\n`."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _NAMED.get(character) or _escape(ord(character))
        for character in text
    )


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shortened(text: str, width: int) -> str:
    """A text of at most `width` characters; the middle goes, since both ends of a path or command tell most."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[: max(0, width)]
    left = (width - 1) // 2
    right = width - 1 - left
    return f"{text[:left]}…{text[len(text) - right :]}"


def decided(record: Record) -> str:
    """The decision and what became of it, in the words of `DECISION_STYLES`; "noted" for what is only recorded."""
    if not record.decision:
        return "noted"
    if record.answer in {"deny", "ask"}:
        return record.answer
    if record.decision in _WOULD:
        # In enforce mode something that should have been stopped passed: the failure policy says so.
        return "failed open" if record.mode == "enforce" else _WOULD[record.decision]
    return "no policy" if record.decision == "no_policy" else record.decision


def rule_of(record: Record) -> str:
    """The first rule that spoke, or the cause of a failure."""
    rule = next((reason.rule for reason in record.reasons if reason.rule), "")
    return visible(rule or record.cause)


def user_of(record: Record) -> str:
    """Who asked."""
    return visible(record.principal.id) if record.principal is not UNSET else "-"


def agent_of(record: Record) -> str:
    """The agent, and its sub-agent where one calls: `claude-code›Explore`."""
    if record.subagent is UNSET:
        return visible(record.agent)
    name = record.subagent.get("type") or record.subagent.get("id") or "sub-agent"
    return f"{visible(record.agent)}›{visible(name)}"


def tool_of(record: Record) -> str:
    """The tool, or the event where there is none."""
    return visible(record.tool or record.event or record.type)


def would_do_of(record: Record) -> str:
    """What the call would do: what it was stopped for, else its worst operation, and how many more there are."""
    command = record.input.get("command") if record.input is not UNSET else None
    worst = _stopped_for(record)
    if worst is None:
        worst = worst_of([(item.kind, item.action, item.attr) for item in record.operations])
    if worst is None:
        if isinstance(command, str):
            return f"run {visible(command)}"
        return "" if record.event in {"PreToolUse", "PermissionRequest"} else visible(record.event)
    operation = record.operations[worst]
    words = operation_words(
        operation.kind, operation.action, operation.id, operation.attr, record.project_dir
    )
    more = len(record.operations) - 1
    return f"{visible(words)} (+{more})" if more else visible(words)


def _stopped_for(record: Record) -> int | None:
    """The operation that the first stopping rule speaks about."""
    reason = next((item for item in record.reasons if item.decision in {"deny", "ask"}), None)
    if reason is None or reason.resource == MASK:
        return None
    wanted = (reason.kind, reason.action, reason.resource)
    found = (at for at, item in enumerate(record.operations) if (item.kind, item.action, item.id) == wanted)
    return next(found, None)


def microseconds(record: Record) -> int:
    """The whole time the gateway took, without the record's write."""
    return record.timings.get("total", 0) // 1000 if record.timings is not UNSET else 0
