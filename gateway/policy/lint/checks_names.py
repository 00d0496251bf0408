"""Checks of words: kinds, actions, tools, groups, values and attributes that do not exist or are not sent."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from gateway.domain.vocabulary import OPERATION_ACTIONS, SITE_GROUP
from gateway.policy.cel.ast import Call, Node
from gateway.policy.expressions import DIFFERS, EQUALS, IN, Path, literal_texts, path_of, walk
from gateway.policy.globs import NameSet
from gateway.policy.lint.findings import Findings, Rule
from gateway.policy.lint.subjects import Subject
from gateway.policy.lint.words import Words
from gateway.policy.problems import Place

_SHOWN = 12
_CLOSE = 0.8


def check_names(subject: Subject, words: Words, findings: Findings) -> None:
    """All checks of words of one rule."""
    kind, place = subject.kind, subject.rule.place
    if "*" in kind:
        return
    if kind not in words.kinds:
        findings.add(
            Rule.UNKNOWN_KIND,
            subject.policy.place,
            f"Nothing is ever asked of the kind {kind!r}.",
            _meant(kind, words.kinds),
        )
        return
    for pattern in subject.rule.actions:
        _check_action(kind, pattern, place, words, findings)
    for path, _, at in subject.reads():
        _check_attribute(kind, path, at, words, findings)
    for part in subject.parts:
        for path, value in _compared(part.tree):
            _check_value(kind, path, value, part.place, words, findings)


def _check_action(kind: str, pattern: str, place: Place, words: Words, findings: Findings) -> None:
    known = words.actions(kind)
    if "*" not in pattern:
        if not words.knows_action(kind, pattern):
            what = "tool" if words.is_call(kind) else "action"
            findings.add(
                Rule.UNKNOWN_ACTION, place, f"{kind} has no {what} {pattern!r}.", _meant(pattern, known)
            )
        return
    # Tools of MCP servers and git's subcommands are an open set: a glob for them may match.
    is_open = pattern.startswith("mcp__") or (kind in OPERATION_ACTIONS and not OPERATION_ACTIONS[kind])
    matches = NameSet((pattern,)).matches
    if known and not is_open and not any(map(matches, known)):
        findings.add(
            Rule.NEVER_MATCHES, place, f"No action of {kind} matches {pattern!r}.", _meant(pattern, known)
        )


def _check_attribute(kind: str, path: Path, place: Place, words: Words, findings: Findings) -> None:
    if path[:2] != ("R", "attr") or len(path) < 3:
        return
    name = path[2]
    known = words.attributes(kind)
    if words.is_dropped(kind, path):
        findings.add(
            Rule.DROPPED_ATTRIBUTE,
            place,
            f"R.attr.{'.'.join(path[2:])} is taken out of the payload before policies see it.",
            "Test an operation of the call instead, or shorten check.drop_attributes in the configuration.",
        )
    elif words.is_operation(kind) and name not in known:
        findings.add(Rule.UNKNOWN_ATTRIBUTE, place, f"{kind} has no attribute {name!r}.", _meant(name, known))
    elif words.is_call(kind) and name not in known:
        close = get_close_matches(name, known, 1, _CLOSE)
        if close:
            findings.add(
                Rule.UNKNOWN_ATTRIBUTE,
                place,
                f"No payload is known to have {name!r}.",
                f"Did you mean {close[0]!r}?",
            )


def _check_value(kind: str, path: Path, value: str, place: Place, words: Words, findings: Findings) -> None:
    if path[:2] != ("R", "attr") or len(path) != 3:
        return
    known = words.values(kind, path[2])
    is_group = path[2].endswith(("groups", "groups_may"))
    if is_group and kind != "git" and value.startswith(SITE_GROUP):
        # Which groups an installation adds stands in its configuration, which is not here.
        return
    if known and value not in known:
        findings.add(
            Rule.UNKNOWN_GROUP if is_group else Rule.IMPOSSIBLE_VALUE,
            place,
            f"{path[2]} of {kind} never holds {value!r}.",
            _meant(value, known),
        )


def _compared(tree: Node) -> Iterator[tuple[Path, str]]:
    """Paths with the literal texts they are compared with, whichever way round and by whichever function of lists."""
    for node in walk(tree):
        if not isinstance(node, Call):
            continue
        sides = [*([node.target] if node.target is not None else []), *node.args]
        if len(sides) != 2 or not (
            node.function in {EQUALS, DIFFERS, IN} or node.function in _LIST_FUNCTIONS
        ):
            continue
        for one, other in (sides, reversed(sides)):
            path = path_of(one)
            if path is not None:
                for text in literal_texts(other):
                    yield path, text


_LIST_FUNCTIONS = frozenset(
    {
        "hasIntersection", "has_intersection", "intersect", "isSubset", "is_subset", "except", "sets.contains",
        "sets.intersects", "sets.equivalent",
    }
)  # fmt: skip


def _meant(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, 1)
    if close:
        return f"Did you mean {close[0]!r}?"
    if not known:
        return "docs/vocabulary.md lists what is there."
    listed = ", ".join(known[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
    return f"Known: {listed}."
