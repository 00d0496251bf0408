"""Globs: the patterns stand for at least what the glob does, and for no more where that can be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.globs import MAX_PATTERNS, above_wildcards, expanded, is_glob, listed, settled

EXPANDED = {
    "**/*.py": ["**/*.py"],
    "*.{ts,tsx}": ["*.ts", "*.tsx"],
    "src/{a,b/{c,d}}/x": ["src/a/x", "src/b/c/x", "src/b/d/x"],
    "{.,}env": [".env", "env"],
    "[.]env": [".env"],
    ".en[vV]": [".env", ".enV"],
    "[a-z]nv": ["?nv"],
    "[!x].key": ["?.key"],
    "[^x].key": ["?.key"],
    "{1..9}.txt": ["*.txt"],
    "@(a|b).py": ["*.py"],
    r"\*.py": ["*.py"],
    "a{b}c": ["a{b}c"],
    "{{{": ["{{{"],
    "[": ["["],
    "/x/" + "{a,b}" * 7: ["/x/**"],
    "{a,b}" * 7: ["**"],
}


@pytest.mark.parametrize("glob", EXPANDED)
def test_a_glob_becomes_plain_patterns(glob):
    assert list(expanded(glob)) == EXPANDED[glob]


@given(st.text("ab.{},[]!*?/\\-", max_size=40))
def test_any_text_becomes_few_patterns(glob):
    patterns = expanded(glob)
    assert 1 <= len(patterns) <= MAX_PATTERNS


@given(
    st.lists(st.sampled_from(["a", "[ab]", "[a-c]", "[!b]", "?", "*", "{a,b}", "{a,b,c}"]), max_size=5),
    st.data(),
)
def test_what_a_glob_stands_for_is_in_its_patterns(parts, data):
    """A name made from the glob's own choices matches one of the patterns."""
    choices = {
        "a": "a",
        "[ab]": "ab",
        "[a-c]": "abc",
        "[!b]": "ac",
        "?": "abc",
        "*": ["", "a", "ab"],
        "{a,b}": "ab",
        "{a,b,c}": "abc",
    }
    name = "".join(data.draw(st.sampled_from(list(choices[part]))) for part in parts)
    assert any(_matches(pattern, name) for pattern in expanded("".join(parts)))


def _matches(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(_matches(pattern[1:], name[at:]) for at in range(len(name) + 1))
    return bool(name) and pattern[0] in {"?", name[0]} and _matches(pattern[1:], name[1:])


def test_lists_of_globs_are_taken_apart_as_the_search_tool_does():
    assert listed("*.py, *.ts") == (("*.py", "*.ts"), False)
    assert listed("*.{a,b} c") == (("*.{a,b}", "c"), False)
    assert listed("!*.md") == ((), True)
    assert listed("*.py !test_*") == (("*.py",), True)


def test_the_directory_above_the_first_wildcard():
    assert above_wildcards("/a/b/*.py") == "/a/b"
    assert above_wildcards("/*") == "/"
    assert above_wildcards("/a/b") == "/a/b"
    assert above_wildcards("*.py") == ""


def test_dots_behind_a_deep_wildcard_may_leave_every_directory_before_it():
    assert settled("/a/b/**/../../x") == "/a/b/../../**"
    assert settled("/a/*/../x") == "/a/*/../x"
    assert settled("/a/**/x") == "/a/**/x"


def test_what_has_a_wildcard_is_a_glob():
    assert is_glob("*.py")
    assert is_glob("a{b,c}")
    assert is_glob("[ab]")
    assert not is_glob("src/app.py")
