"""Values that Python would read otherwise: keys, numbers, orders, texts, patterns of paths."""

from __future__ import annotations

import math
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.cel import Activation, Budget, EvaluationError, compile_expression, doubles, to_json
from gateway.policy.cel.equality import compare, equal, unequal
from gateway.policy.cel.glob import PatternError, glob_match
from gateway.policy.cel.gotext import double_text, plain_text
from gateway.policy.cel.values import CelMap, Duration, Hierarchy, Timestamp, Uint, Undecided
from tests.policy.cel.answers import outcome

JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**60), 2**60),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=4),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (1, "int"),
        (Uint(1), "uint"),
        (1.0, "double"),
        (2, "two"),
        (2.0, "two"),
        (Uint(2), "two"),
        (True, None),
        ("1", None),
    ],
)
def test_a_key_is_found_by_its_own_type_first(key, found):
    entries = CelMap([(1, "int"), (Uint(1), "uint"), (1.0, "double"), (2, "two")])
    entry = entries.find(key)
    assert (entry[1] if entry else None) == found


def test_an_integer_does_not_find_a_double():
    assert CelMap([(3.0, "x")]).find(3) is None
    assert CelMap([(3.0, "x")]).find(float("nan")) is None
    assert CelMap([(float("nan"), "x")]).find(float("nan")) is None


@pytest.mark.parametrize("key", [b"a", Hierarchy(("a",))])
def test_bytes_and_hierarchies_are_no_keys(key):
    with pytest.raises(EvaluationError, match="unhashable"):
        CelMap([(1, 2)]).find(key)


def test_a_value_of_cels_own_types_is_never_compared_by_python():
    with pytest.raises(Undecided):
        assert Timestamp(0) == Timestamp(0)
    with pytest.raises(TypeError):
        hash(Duration(1))


@given(JSON, JSON)
def test_equality_has_two_sides(left, right):
    given_ = Activation()
    mine, yours = doubles(left), doubles(right)
    assert equal(given_, mine, yours) is equal(given_, yours, mine)
    assert unequal(given_, mine, yours) is not equal(given_, mine, yours)
    assert equal(given_, mine, doubles(left))


NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**64 - 1).map(Uint),
    st.floats(),
    st.sampled_from([2.0**63, 2.0**64]),
)


@given(NUMBERS, NUMBERS)
def test_numbers_have_one_order_across_their_types(left, right):
    order, reverse = compare(left, right, "<"), compare(right, left, "<")
    if order is None:
        assert math.isnan(left) or math.isnan(right)
        assert reverse is None
    else:
        assert order == -reverse
        assert (order == 0) is equal(Activation(), left, right)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_read_as_it_is_written(value):
    assert float(double_text(value)) == value
    assert float(plain_text(value)) == value
    assert "e" not in plain_text(value)


@given(st.dictionaries(st.text(max_size=3), JSON, min_size=2, max_size=6), st.integers(0, 2**32))
def test_the_order_of_keys_in_a_request_changes_nothing(attributes, seed):
    items = list(attributes.items())
    Random(seed).shuffle(items)
    for text in (
        "R.attr.map(k, k)",
        "R.attr.transformList(k, v, [k, v])",
        "R.attr.filter(k, k != '')",
        "'%s'.format([R.attr])",
    ):
        program = compile_expression(text)
        answers = [
            outcome(evaluate, Activation(resource={"attr": attr}))
            for attr in (attributes, dict(items))
            for evaluate in (program.evaluate, program.evaluate_exact)
        ]
        assert all(answer == answers[0] for answer in answers)


@given(JSON)
def test_data_of_a_request_goes_out_as_it_came_in_with_doubles_for_numbers(value):
    assert to_json(doubles(value)) == doubles(value)


@given(JSON)
def test_doubles_leaves_alone_what_needs_no_change(value):
    once = doubles(value)
    assert doubles(once) is once or not isinstance(once, list | dict)


SEGMENTS = st.text(alphabet="ab/.*?", max_size=8)


@given(st.text(alphabet="ab/.?*", max_size=7), st.text(alphabet="ab/.", max_size=8))
def test_a_glob_matches_what_its_translation_to_a_regular_expression_matches(pattern, text):
    translated = re.escape(pattern).replace("\\*", "[^/]*").replace("\\?", "[^/]")
    assert glob_match(Budget(), pattern, text) is (re.fullmatch(translated, text) is not None)


@given(st.text(alphabet="ab-]^", max_size=4), st.text(alphabet="ab-]^c", max_size=2))
def test_a_class_is_read_to_its_end_or_refused(inside, text):
    try:
        matched = glob_match(Budget(), f"[{inside}]", text)
    except PatternError:
        return
    # A class stands for one character; what follows its end stands for itself.
    assert not matched or text
