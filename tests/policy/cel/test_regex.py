"""Matching, finding and replacing by pattern: Go's rules about empty matches, and a price that covers the worst."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.cel import Activation, Budget, EvaluationError, compile_expression
from gateway.policy.cel.regex import compile_pattern

PATTERNS = ["a", "a*", "(a)?", "b|", "$", "^", "^a", "[ab]+", "é", ".", "", "(?:ab)*", "\\b", "x*"]


def spans_as_go_finds_them(pattern: str, text: str) -> list[tuple[int, int]]:
    """The definition: leftmost match from the last end on, none empty where one ended; in characters."""
    found: list[tuple[int, int]] = []
    position, last = 0, -1
    compiled = re.compile(pattern, re.ASCII)
    while position <= len(text):
        match = compiled.search(text, position)
        if match is None:
            break
        start, stop = match.span()
        if not (start == stop == last):
            found.append((start, stop))
        position = stop + 1 if stop == position and start == stop else stop
        last = stop
    return found


@given(st.sampled_from(PATTERNS), st.text(alphabet="abxé🦉 ", max_size=8))
def test_all_matches_are_those_that_go_finds(pattern, text):
    data = text.encode()
    spans = compile_pattern(pattern).find_all(Budget(), data)
    found = [(len(data[:start].decode()), len(data[:stop].decode())) for (start, stop), *_ in spans]
    assert found == spans_as_go_finds_them(pattern, text)


@given(st.sampled_from(PATTERNS), st.text(alphabet="abxé🦉 ", max_size=8))
def test_replacing_each_match_by_itself_changes_nothing(pattern, text):
    program = compile_expression("regex.replace(R.attr.t, R.attr.p, '\\\\0')")
    assert program.evaluate(Activation(resource={"attr": {"t": text, "p": pattern}})) == text


@given(st.sampled_from(PATTERNS), st.text(alphabet="abé🦉 ", max_size=8), st.integers(0, 4))
def test_a_count_bounds_the_replacements(pattern, text, count):
    program = compile_expression("regex.replace(R.attr.t, R.attr.p, '#', int(R.attr.n))")
    given_ = Activation(resource={"attr": {"t": text, "p": pattern, "n": count}})
    wanted = min(count, len(spans_as_go_finds_them(pattern, text)))
    assert program.evaluate(given_).count("#") == wanted


@pytest.mark.parametrize("pattern", ["\\C", "a\\C", "[^\\C]", "\\\\\\C", "\\Qa\\E\\C"])
def test_the_byte_class_is_refused_as_go_refuses_it(pattern):
    with pytest.raises(EvaluationError, match=r"invalid escape sequence|invalid character class"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["\\\\C", "\\Q\\C\\E", "\\Q\\C", "C"])
def test_what_only_looks_like_the_byte_class_compiles(pattern):
    compile_pattern(pattern)


def test_a_larger_program_makes_its_searches_dearer():
    small, large = compile_pattern("abc"), compile_pattern("[ab]*a[ab]{100}c")
    assert small.size < 16 < large.size
    assert large.price(100_000) > 100 * small.price(100_000)


def test_a_pattern_from_data_pays_for_its_compilation():
    budget = Budget()
    given_ = Activation(resource={"attr": {"p": "\\pL{10}"}}, budget=budget)
    compile_expression("'a'.matches(R.attr.p)").evaluate(given_)
    assert budget.spent > 10_000


def test_text_that_is_no_unicode_is_matched_all_the_same():
    given_ = Activation(resource={"attr": {"t": "a\ud800b"}})
    program = compile_expression("R.attr.t.matches('^a.b$')")
    assert program.evaluate(given_) is True
    assert program.evaluate_exact(given_) is True
