"""Cerbos' globs. The table is what a PDP 0.55 answered for each pattern over the same names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.globs import NameSet

NAMES = (
    "a", "b", "c", "ab", "ba", "abc", "a:b", "a:b:c", "-", "a-", "ace", "*", "a*", "**", "[abc", "{a", "a}", "ac", ":a",
    "a:", "::", "é", "aé", "\n", "a,b", "\\", "a\\", "]", "z", "a.b", "{a,b}c",
)  # fmt: skip
ONE_SEGMENT = tuple(name for name in NAMES if ":" not in name)
MATCHES: dict[str, tuple[str, ...]] = {
    "*": NAMES,
    "**": NAMES,
    "***": NAMES,
    "{*}": ONE_SEGMENT,
    "?*": ONE_SEGMENT,
    "a*": ("a", "ab", "abc", "a-", "ace", "a*", "a}", "ac", "aé", "a,b", "a\\", "a.b"),
    "*a": ("a", "ba", "{a"),
    "a:*": ("a:b", "a:"),
    "*:*": ("a:b", ":a", "a:"),
    "a:**": ("a:b", "a:b:c", "a:"),
    "**:b": ("a:b",),
    "a*c*e": ("ace",),
    "[ab]*": ("a", "b", "ab", "ba", "abc", "a-", "ace", "a*", "a}", "ac", "aé", "a,b", "a\\", "a.b"),
    "[!a-z]*": ("-", "*", "**", "[abc", "{a", ":a", "é", "\n", "\\", "]", "{a,b}c"),
    "[-a]*": ("a", "ab", "abc", "-", "a-", "ace", "a*", "a}", "ac", "aé", "a,b", "a\\", "a.b"),
    "{a,b}*": ("a", "b", "ab", "ba", "abc", "a-", "ace", "a*", "a}", "ac", "aé", "a,b", "a\\", "a.b"),
    "{a,b*}": ("a", "b", "ba"),
    "*{a:b,c}*": ("c", "abc", "a:b", "ace", "[abc", "ac", "{a,b}c"),
    "{a*": ("a", "ab", "abc", "a-", "ace", "a*", "a}", "ac", "aé", "a,b", "a\\", "a.b"),
    "a*}": ("a}",),
    "*,b": ("a,b",),
    "a\\*": ("a*",),
    "\\**": ("*", "**"),
    "*\\\\": ("\\", "a\\"),
    "*[\\]]": ("]",),
    "a.*": ("a.b",),
    "[*]": ("*",),
    # Malformed ones match nothing; without a star a pattern is a name.
    "[abc*": (), "[]*": (), "[a-]*": (), "[a-c-e]*": (), "[!]*": (), "[z-a]*": (), "*{": (), "*[a": (),
    "[abc": ("[abc",), "[a-c]": (), "{a,b}": (), "a?": (),
}  # fmt: skip


@pytest.mark.parametrize("pattern", MATCHES)
def test_a_pattern_matches_what_the_pdp_matches(pattern):
    names = NameSet([pattern])
    assert tuple(name for name in NAMES if names.matches(name)) == MATCHES[pattern]


@given(st.text("ab:*?[]{},!-\\", max_size=12), st.text("ab:*", max_size=8))
@settings(max_examples=400)
def test_any_pattern_compiles_and_counting_agrees_with_matching(pattern, name):
    names = NameSet([pattern])
    assert (names.count(name) > 0) is names.matches(name)
    assert names.count_any([name, name]) == names.count(name)


def test_every_pattern_that_matches_is_counted_once():
    names = NameSet(["view", "v*", "*", "edit"])
    assert (names.count("view"), names.count("vi"), names.count("x"), names.count_any(["view", "edit"])) == (
        3,
        2,
        1,
        4,
    )
