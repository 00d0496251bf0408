"""A project's settings with our hooks in them: nothing of its own lost, ours in few lines, the advisory key first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import ConfigError


def merged_text(existing: bytes | None, added: Mapping[str, Any]) -> str:
    """The text of settings that hold what `existing` holds and what is added. Raises ConfigError for an odd `existing`.

    Hooks of an event stand after those that were there; a variable of `env` that is added wins.
    """
    there = _parsed(existing) if existing is not None and existing.strip() else {}
    hooks = there.get("hooks", {})
    if not isinstance(hooks, dict):
        raise _odd("hooks is no object")
    marks = _marks(json.dumps(there, ensure_ascii=False))
    compact: dict[str, str] = {}
    both = dict(hooks)
    for event, groups in added["hooks"].items():
        before = hooks.get(event, [])
        if not isinstance(before, list):
            raise _odd(f"hooks.{event} is no list")
        named = {next(marks): json.dumps(group, ensure_ascii=False) for group in groups}
        compact |= named
        both[event] = [*before, *named]
    whole = {name: value for name, value in added.items() if name != "hooks"}
    for name, value in there.items():
        if name == "env" and isinstance(value, dict) and isinstance(whole.get("env"), dict):
            whole["env"] = {**value, **whole["env"]}
        else:
            whole.setdefault(name, value)
    whole["hooks"] = both
    text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    for mark, group in compact.items():
        text = re.sub(rf'\[\s+"{mark}"\s+\]', f'["{mark}"]', text).replace(f'"{mark}"', group)
    return text


def _marks(text: str) -> Iterator[str]:
    """Texts that stand for our groups until they are written in one line each; none of them occurs in `text`."""
    number = 0
    while True:
        mark = f"ostiary-group-{number}"
        if mark not in text:
            yield mark
        number += 1


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise _odd(f"they are no JSON ({error})") from None
    if not isinstance(document, dict):
        raise _odd("they are no object")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise ValueError(f"{twice!r} stands twice in one object")
    return found


def _odd(what: str) -> ConfigError:
    return ConfigError(
        f"The settings have another shape than Claude Code's: {what}.",
        number=55,
        remedy="Mend the file, or move it away.",
    )
