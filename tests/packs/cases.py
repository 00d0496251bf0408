"""The corpora of calls, as payloads of the enforcement point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gateway.domain.ports import Identified
from tests.support.enforcement import person
from tests.support.payloads import PROJECT, pre_tool_use

CORPUS = Path(__file__).parent / "corpus"
HOME = "/home/dev"


def read(name: str) -> list[Any]:
    """The rows of a corpus file."""
    found: list[Any] = yaml.safe_load((CORPUS / name).read_text(encoding="utf-8"))
    return found


def payload(tool: str, given: dict[str, Any], source: str = "user") -> dict[str, Any]:
    """A call of the corpus: `P` and `H` at the beginning of a text are the project and the home."""
    fields: dict[str, Any] = {}
    if tool.startswith("mcp__"):
        fields["mcp_server"] = {"name": tool.split("__")[1], "source": source}
    return pre_tool_use(tool, _placed(given), **fields)


def day() -> list[tuple[str, dict[str, Any]]]:
    """The calls of an ordinary day, with what each is called."""
    rows = [next(iter(row.items())) for row in read("day.yaml")]
    return [(f"{tool} {next(iter(given.values()), '')}"[:70], payload(tool, given)) for tool, given in rows]


def strict() -> list[tuple[str, str, str, dict[str, Any]]]:
    """The calls that the strict pack stops: name, rule, answer, payload."""
    return [
        (f"{rule} {next(iter(given.values()))}"[:90], rule, answer, payload(tool, given))
        for rule, answer, tool, given in read("strict.yaml")
    ]


def stopped() -> list[tuple[str, str, str, dict[str, Any], Identified]]:
    """The calls that a rule stops: name, rule, answer, payload, who."""
    found = []
    for rule, answer, tool, given, *more in read("stopped.yaml"):
        role = more[0] if more else "engineer"
        source = more[1] if len(more) > 1 else "user"
        name = f"{rule} {tool} {next(iter(given.values()))} {role}"[:90]
        found.append((name, rule, answer, payload(tool, given, source), person("ada", role)))
    return found


def _placed(value: Any) -> Any:
    if isinstance(value, str):
        for mark, place in (("P", PROJECT), ("H", HOME)):
            if value == mark or value.startswith(f"{mark}/"):
                return place + value[1:]
        return value
    if isinstance(value, dict):
        return {key: _placed(item) for key, item in value.items()}
    return [_placed(item) for item in value] if isinstance(value, list) else value
