"""Write the PDP's answers into the corpus: `python -m tests.policy.cel.record [FILE...]`.

A new expression is added as `- expression: …` alone; its answer appears when this has run.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from gateway.policy.cel import CelCompileError, compile_expression
from tests.policy.cel.answers import Answer
from tests.policy.cel.pdp import ask

CORPUS = Path(__file__).parent / "corpus"
REQUEST: dict[str, Any] = yaml.safe_load((CORPUS / "request.yaml").read_text("utf-8"))


def files() -> list[Path]:
    """The files of expressions."""
    return sorted(path for path in CORPUS.glob("*.yaml") if path.stem != "request")


def refused(expressions: list[str]) -> frozenset[int]:
    """The positions of the expressions that this compiler refuses."""
    found = set()
    for at, text in enumerate(expressions):
        try:
            compile_expression(text)
        except CelCompileError:
            found.add(at)
    return frozenset(found)


def entry(expression: str, answer: Answer) -> dict[str, Any]:
    """An expression and its answer as the corpus writes them."""
    if answer.kind == "value":
        return {"expression": expression, "value": answer.value}
    return {"expression": expression, answer.kind: answer.message}


def main() -> None:
    """Ask for every expression of the named files, of all without a name, and write them back."""
    paths = [Path(name) for name in sys.argv[1:]] or files()
    entries = {path: yaml.safe_load(path.read_text("utf-8")) for path in paths}
    expressions = list(dict.fromkeys(item["expression"] for items in entries.values() for item in items))
    with tempfile.TemporaryDirectory() as directory:
        found = ask(Path(directory), expressions, [REQUEST], refused=refused(expressions))
    answers = {text: given[0] for text, given in zip(expressions, found, strict=True)}
    for path, items in entries.items():
        texts = dict.fromkeys(item["expression"] for item in items)
        written = [entry(text, answers[text]) for text in texts]
        path.write_text(yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=1000), "utf-8")


if __name__ == "__main__":
    main()
