"""The shell parser accepts what bash accepts, finds every command that bash would find, and ends on any text."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.facts.shell.commands import parse
from gateway.facts.shell.quoting import decode_ansi_c, delimiter
from gateway.facts.shell.source import MAX_NODES
from gateway.facts.shell.tree import Simple, Word

GOLDEN = yaml.safe_load((Path(__file__).parent / "golden" / "scripts.yaml").read_text())
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="bash is not installed")


def commands_in(node: Any) -> Iterator[str]:
    """The literal name of every simple command of a tree, a command before those of its words."""
    if isinstance(node, Simple) and node.words:
        first = node.words[0]
        yield (first.literal if isinstance(first, Word) else None) or "?"
    if isinstance(node, msgspec.Struct):
        for field in node.__struct_fields__:
            yield from commands_in(getattr(node, field))
    elif isinstance(node, tuple):
        for item in node:
            yield from commands_in(item)


def bash_accepts(script: str) -> bool:
    """Whether bash 5 reads the script without running it."""
    assert BASH is not None
    done = subprocess.run(
        [BASH, "--norc", "-O", "extglob", "-n", "-c", script], capture_output=True, env={}, check=False
    )
    return done.returncode == 0


@pytest.mark.parametrize("case", GOLDEN["commands"], ids=lambda case: repr(case["script"])[:60])
def test_every_command_of_a_script_is_found(case: dict[str, Any]) -> None:
    parsed = parse(case["script"])
    assert not parsed.problem
    assert list(commands_in(parsed.script)) == case["names"]


@pytest.mark.parametrize("script", GOLDEN["refused"])
def test_what_is_no_script_is_refused_with_a_place(script: str) -> None:
    parsed = parse(script)
    assert parsed.problem
    assert 0 <= parsed.position <= len(script)


@needs_bash
@pytest.mark.parametrize("script", [case["script"] for case in GOLDEN["commands"]])
def test_the_golden_scripts_are_scripts_to_bash(script: str) -> None:
    assert bash_accepts(script)


@needs_bash
@pytest.mark.parametrize("script", GOLDEN["refused"])
def test_the_refused_texts_are_none_to_bash(script: str) -> None:
    assert not bash_accepts(script)


def test_lines_before_an_error_are_kept() -> None:
    parsed = parse("first\nsecond\n)")
    assert list(commands_in(parsed.script)) == ["first", "second"]
    assert parsed.problem


def test_a_document_keeps_its_expansions_and_a_quoted_one_its_text() -> None:
    expanded = parse("cat <<E\n$(inner)\nE\n").script.items[0]
    assert list(commands_in(expanded)) == ["cat", "inner"]
    literal = parse("cat <<'E'\n$(inner)\nE\n").script.items[0]
    assert list(commands_in(literal)) == ["cat"]


WORDS = st.sampled_from(
    [
        "a",
        "-x",
        "$v",
        '"$v"',
        "'q'",
        "${v:-d}",
        "$(c1)",
        "`c2`",
        "$((1+2))",
        "x=1",
        "*.py",
        "{a,b}",
        "~/f",
        "\\ ",
        "$'\\n'",
    ]
)
SIMPLE = st.lists(WORDS, min_size=1, max_size=4).map(lambda words: " ".join(["cmd", *words]))
REDIRECTED = st.tuples(
    SIMPLE, st.sampled_from([">f", "2>&1", "<f", ">>f", "<<<x", "&>f", "{fd}>f", "> >(c3)"])
).map(" ".join)


def compounds(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Every compound command around scripts that `inner` makes."""
    return st.one_of(
        st.tuples(inner, st.sampled_from([" && ", " || ", "; ", " | ", " |& ", " & ", "\n"]), inner).map(
            "".join
        ),
        inner.map(lambda body: f"( {body} )"),
        inner.map(lambda body: f"{{ {body}\n}}"),
        inner.map(lambda body: f"if {body}\nthen {body}\nelse cmd\nfi"),
        inner.map(lambda body: f"while {body}\ndo {body}\ndone"),
        inner.map(lambda body: f"for x in a $(c4); do {body}\ndone"),
        inner.map(lambda body: f"case $v in a|b) {body}\n;; *) cmd;; esac"),
        inner.map(lambda body: f"f() {{ {body}\n}}; f"),
        inner.map(lambda body: f"cmd <<E\n$({body}\n)\nE"),
        inner.map(lambda body: f'echo "$({body}\n)"'),
    )


SCRIPTS = st.recursive(st.one_of(SIMPLE, REDIRECTED), compounds, max_leaves=6)


@needs_bash
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS)
def test_what_bash_reads_is_read(script: str) -> None:
    assume(bash_accepts(script))
    parsed = parse(script)
    assert not parsed.problem, (parsed.problem, script)
    assert list(commands_in(parsed.script)).count("cmd") == script.count("cmd")


@needs_bash
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS, st.data())
def test_a_damaged_script_is_judged_as_bash_judges_it(script: str, data: st.DataObject) -> None:
    """One character less or more: what bash refuses must not be read as something else without a word."""
    # Bash reads backquotes, documents and the insides of `${` and `$((` only when it expands them.
    assume(not any(deferred in script for deferred in ("`", "<<", "${", "$((")))
    at = data.draw(st.integers(0, len(script)))
    damage = data.draw(
        st.sampled_from(["", "'", '"', ")", "(", ";", "&", "|", "}", "$(", "\\", "\n", "#", "done"])
    )
    damaged = script[:at] + damage + script[at + (0 if damage else 1) :]
    parsed = parse(damaged)
    assert bool(parsed.problem) is not bash_accepts(damaged), damaged


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from(list(" \t\n;&|<>(){}[]$`\"'\\#!=*?+@-~/abEOF0")), max_size=80))
def test_any_text_ends_in_a_tree_or_a_reason(text: str) -> None:
    parsed = parse(text)
    assert parsed.script is not None
    assert not (parsed.problem and parsed.limit)


@pytest.mark.parametrize(
    "opening", ["(", "$(", "((", "$((", "{ ", "${a:-", '"$(', "if ", "[[ ( ", "a[", "@(", "<("]
)
def test_deep_nesting_ends_with_a_limit_or_an_error(opening: str) -> None:
    parsed = parse(opening * 5_000)
    assert parsed.limit or parsed.problem


def test_many_nodes_end_with_a_limit() -> None:
    assert parse("a b;" * MAX_NODES).limit == "too_many_nodes"


@given(st.text(max_size=30))
def test_ansi_c_text_without_escapes_is_itself(text: str) -> None:
    assume("\\" not in text)
    assert decode_ansi_c(text) == text


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("EOF", ("EOF", False)),
        ("'E F'", ("E F", True)),
        ('"E$x"', ("E$x", True)),
        ("E\\OF", ("EOF", True)),
        ("E'O'F", ("EOF", True)),
        ("$x", ("$x", False)),
        ("''", ("", True)),
    ],
)
def test_the_delimiter_of_a_document_is_unquoted_and_never_expanded(
    raw: str, meant: tuple[str, bool]
) -> None:
    assert delimiter(raw) == meant
