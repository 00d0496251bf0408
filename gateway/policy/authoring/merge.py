"""A rule added to a policy file that somebody wrote: its text stays as it is, comments included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from gateway.errors import PolicyError


class MergeError(PolicyError):
    """A file to which a rule cannot be added by a machine; its author adds it by hand."""

    exit_status = 2


def with_rule(text: str, rule: Sequence[str], *, kind: str, scope: str, file: str) -> str:
    """The text of a policy file with one more rule at the end of the policy for `kind` and `scope`.

    Raises MergeError with the rule when the file's form allows no insertion.
    """
    lines = text.splitlines()
    for document in yaml.compose_all(text, Loader=yaml.CSafeLoader):
        body = _field(document, "resourcePolicy")
        if body is None or _text(body, "resource") != kind or _text(body, "scope") != scope:
            continue
        rules = _field(body, "rules")
        if rules is None or (isinstance(rules, yaml.SequenceNode) and not rules.value):
            return _begin(lines, body, rules, rule, file)
        if not isinstance(rules, yaml.SequenceNode) or rules.flow_style or body.flow_style:
            raise _by_hand(rule, file)
        dash = _dash(lines, rules)
        indent = " " * dash
        at = _with_comments(lines, _end(lines, rules.value[-1]), dash)
        return _joined([*lines[:at], "", *(indent + line for line in rule), *lines[at:]])
    raise _by_hand(rule, file)


def _begin(lines: list[str], body: Any, rules: Any, rule: Sequence[str], file: str) -> str:
    """A policy without rules yet: `rules:` goes behind its last field."""
    if body.flow_style:
        raise _by_hand(rule, file)
    column = body.value[0][0].start_mark.column
    kept = lines
    if rules is not None:
        at = rules.start_mark.line
        if rules.end_mark.line != at or not lines[at].split("#")[0].rstrip().endswith("[]"):
            raise _by_hand(rule, file)
        kept = [*lines[:at], *lines[at + 1 :]]
        where = at
    else:
        where = _end(lines, body.value[-1][1])
    new = [f"{' ' * column}rules:", *(f"{' ' * (column + 2)}{line}" for line in rule)]
    return _joined([*kept[:where], *new, *kept[where:]])


def _dash(lines: Sequence[str], rules: Any) -> int:
    """The column of the dashes of a block sequence."""
    first = lines[rules.value[0].start_mark.line]
    column: int = first.index("-")
    return column


def _end(lines: Sequence[str], node: Any) -> int:
    """The number of the line behind a block node, without the blank lines and comments that follow it."""
    at: int = node.end_mark.line + (1 if node.end_mark.column else 0)
    at = min(at, len(lines))
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith(("#", "---", "..."))):
        at -= 1
    return at


def _with_comments(lines: Sequence[str], at: int, dash: int) -> int:
    """The line behind the comments that still belong to the last item, being indented like what is in it."""
    while at < len(lines) and lines[at].startswith(" " * (dash + 1)) and lines[at].lstrip().startswith("#"):
        at += 1
    return at


def _field(node: Any, name: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _text(node: Any, name: str) -> str:
    value = _field(node, name)
    return value.value if isinstance(value, yaml.ScalarNode) else ""


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _by_hand(rule: Sequence[str], file: str) -> MergeError:
    text = "\n".join(rule)
    return MergeError(
        "The rules of this file are written in a form that no rule can be added to.",
        number=103,
        remedy=f"Add it by hand:\n{text}",
        file=file,
        line=1,
        column=1,
    )
