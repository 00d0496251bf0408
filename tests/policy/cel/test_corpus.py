"""The corpus: what the PDP says of every function, overload and mistake, and that this compiler says the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.policy.cel import CelCompileError
from gateway.policy.cel.ast import Call, Macro, Node, children
from gateway.policy.cel.checker import check
from gateway.policy.cel.declarations import overloads
from gateway.policy.cel.parser import parse
from tests.policy.cel.answers import Answer, ours
from tests.policy.cel.pdp import ask
from tests.policy.cel.record import REQUEST, files

FILES = [path.stem for path in files()]


def entries(name: str) -> dict[str, Answer]:
    path = next(path for path in files() if path.stem == name)
    return {item["expression"]: recorded(item) for item in yaml.safe_load(path.read_text("utf-8"))}


def recorded(item: dict[str, Any]) -> Answer:
    if "value" in item:
        return Answer("value", item["value"])
    return (
        Answer("error", message=item["error"])
        if "error" in item
        else Answer("static", message=item["static"])
    )


@pytest.mark.parametrize("exact", [False, True], ids=["generated", "exact"])
@pytest.mark.parametrize("name", FILES)
def test_every_answer_is_the_pdps(name, exact):
    wrong = {
        text: (wanted, given)
        for text, wanted in entries(name).items()
        if not (given := ours(text, REQUEST, exact=exact)).same(wanted)
    }
    assert wrong == {}


@pytest.mark.parametrize("name", FILES)
def test_an_error_while_evaluating_is_worded_as_the_pdp_words_it(name):
    wrong = {
        text: (wanted.message, given)
        for text, wanted in entries(name).items()
        if wanted.kind == "error" and (given := ours(text, REQUEST).message) != wanted.message
    }
    assert wrong == {}


def test_the_corpus_calls_every_overload_of_the_environment():
    called = {signature for name in FILES for text in entries(name) for signature in signatures_called(text)}
    missing = {(name, *map(str, overload.args)) for name, group in overloads().items() for overload in group}
    # Operators that the checker resolves by itself, and a function of which every argument is of type dyn.
    missing -= {("_&&_", "bool", "bool"), ("_||_", "bool", "bool"), ("id", "dyn")}
    assert missing - called == set()


def signatures_called(text: str) -> set[tuple[str, ...]]:
    """The name and the argument types of every overload that an expression's static types choose."""
    try:
        node = parse(text)
        check(text, node)
    except CelCompileError:
        return set()
    found = set()
    for inner in walk(node):
        if type(inner) is Call and inner.overload is not None:
            found.add((inner.function, *map(str, inner.overload.args)))
        elif type(inner) is Macro and inner.name == "sortBy":
            found.add(("@sortByAssociatedKeys", "list(T)", f"list({inner.body.type})"))
    return found


def walk(node: Node) -> Iterator[Node]:
    """A tree's nodes."""
    yield node
    for part in children(node):
        yield from walk(part)


@pytest.mark.pdp
def test_the_pdp_still_gives_the_recorded_values_and_errors(tmp_path):
    compare(tmp_path, static=False)


@pytest.mark.pdp
@pytest.mark.soak
def test_the_pdp_still_refuses_what_is_recorded_as_refused(tmp_path):
    compare(tmp_path, static=True)


def compare(directory: Path, *, static: bool) -> None:
    wanted = {
        text: answer
        for name in FILES
        for text, answer in entries(name).items()
        if (answer.kind == "static") is static
    }
    texts = list(wanted)
    refused = frozenset(range(len(texts))) if static else frozenset()
    found = ask(directory, texts, [REQUEST], refused=refused, sound=not static)
    wrong = {
        text: (wanted[text], given[0])
        for text, given in zip(texts, found, strict=True)
        if not given[0].same(wanted[text])
    }
    assert wrong == {}
