"""Trees to text and back, and the small readers of the tools: no input ends in anything but a value or its own error."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.cel import CelCompileError
from gateway.policy.cel.ast import Call, Ident, ListExpr, Literal, Macro, MapExpr, Node, Select
from gateway.policy.cel.parser import parse
from gateway.policy.expressions import checked_tree, children, paths_in, unparse
from gateway.policy.suites.instants import parse_instant
from gateway.policy.suites.model import SuiteFault
from gateway.policy.suites.parse import parse_principals, parse_suite

EXPRESSIONS = (
    "R.attr.a == 1 && (R.attr.b || !R.attr.c) && P.id in ['x', \"y\"]",
    "(1 + 2) * 3 - -4 / (5 - (6 - 7)) % 2 < 10u",
    'R.attr["a b"].c[?"d"].orValue(b"\\x00\\xff\\"")',
    "has(R.attr.x) ? R.attr.x.?y : optional.none()",
    "[1, ?optional.of(2), 3.5e10, null, true].map(i, i > 1, i * 2)",
    "{'a': 1, ?'b': optional.of(2)}.transformMap(k, v, v + 1)",
    "cel.bind(x, R.attr.list, x.exists(i, i == x[0]) && x.all(i, v, v != i))",
    "R.attr.list.filter(i, i.a > 1).sortBy(i, i.b).exists_one(i, true)",
    "math.greatest(1, 2, 3) > math.least([1, 2])",
    "-(-1) == 1 && !(!true) && 'a\\n\\t\"b\\\\' != r'\\d'",
    "a.`b-c`.d == (x ? (y ? 1 : 2) : 3)",
    "timestamp('2024-01-01T00:00:00Z') - duration('1h') < now()",
)


def shape(node: Node) -> Any:
    """A tree without places."""
    own: dict[type, Any] = {
        Literal: lambda: repr(getattr(node, "value", None)),
        Ident: lambda: getattr(node, "name", ""),
        Select: lambda: (node.field, node.test, node.optional),  # type: ignore[union-attr]  # told by its class
        Call: lambda: (node.function, node.target is not None),  # type: ignore[union-attr]  # likewise
        ListExpr: lambda: sorted(node.optional),  # type: ignore[union-attr]  # likewise
        MapExpr: lambda: [entry[2] for entry in node.entries],  # type: ignore[union-attr]  # likewise
        Macro: lambda: (node.name, node.names),  # type: ignore[union-attr]  # likewise
    }
    return type(node).__name__, own[type(node)](), [shape(child) for child in children(node)]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_text_of_a_tree_is_the_same_tree(text: str) -> None:
    tree = parse(text)
    again = unparse(tree)
    assert shape(parse(again)) == shape(tree), again
    assert unparse(parse(again)) == again


_ATOMS = st.sampled_from(
    ["R.attr.a", "P.id", '"x"', "1", "2.5", "true", "null", "[1, 2]", "{'k': 1}", "has(R.attr.b)"]
)
_TEXTS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!=", "<", "in", "+", "-", "*", "%"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda text: f"!({text})"),
        inner.map(lambda text: f"-({text})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]}) ? ({parts[1]}) : ({parts[2]})"),
        inner.map(lambda text: f"({text}).size()"),
        inner.map(lambda text: f"({text})[0]"),
        inner.map(lambda text: f"[({text})].exists(i, i == ({text}))"),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_no_tree_changes_on_the_way_through_its_text(text: str) -> None:
    try:
        tree = parse(text)
    except CelCompileError:
        return
    assert shape(parse(unparse(tree))) == shape(tree)


def test_paths_are_found_whichever_way_they_are_written() -> None:
    tree = checked_tree(
        "request.resource.attr['tool_input'].command.matches('x') && R.attr.list.exists(i, i == P.id)"
    )
    assert [path for path, _ in paths_in(tree)] == [
        ("R", "attr", "tool_input", "command"),
        ("R", "attr", "list"),
        ("P", "id"),
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis takes none
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - likewise
    ),
    st.integers(-23 * 60, 23 * 60),
)
def test_times_are_read_as_they_are_meant(moment: datetime, minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = f"{moment.isoformat(timespec='microseconds')}{zone}"
    since = moment.replace(tzinfo=UTC) - offset - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_instant(text) == (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000


@pytest.mark.parametrize(
    "text", ["", "2024", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00Zx"]
)
def test_what_is_no_time_is_told_in_the_words_of_go(text: str) -> None:
    with pytest.raises(ValueError, match="parsing time"):
        parse_instant(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_of_a_suite_end_in_anything_but_a_fault(data: bytes) -> None:
    for name in ("x_test.yaml", "x_test.json"):
        for parse_file in (parse_suite, parse_principals):
            with contextlib.suppress(SuiteFault):
                parse_file(data, name)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["name", "tests", "principals", "resources", "auxData", "options", "input", "expected", "now", "x"]
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(_FIELDS, _VALUES | st.lists(st.dictionaries(_FIELDS, _VALUES), max_size=2), max_size=6)
)
def test_no_shape_of_a_suite_ends_in_anything_but_a_fault(content: dict[str, Any]) -> None:
    with contextlib.suppress(SuiteFault):
        parse_suite(json.dumps(content).encode(), "x_test.json")
