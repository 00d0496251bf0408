"""Two answers to one request: the effects, and the whole of it."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct


class Outcome(Struct, frozen=True):
    """Whether status and effects agree, and whether everything does."""

    effects: bool
    whole: bool


def compare(wanted: tuple[int, dict[str, Any]], given: tuple[int, dict[str, Any]]) -> Outcome:
    """Compare (status, body) of the real PDP with ours. Orders that the PDP does not fix do not count."""
    if wanted[0] != given[0]:
        return Outcome(effects=False, whole=False)
    if wanted[0] != 200:
        same = wanted[1].get("code") == given[1].get("code")
        return Outcome(effects=same, whole=same and _message(wanted[1]) == _message(given[1]))
    return Outcome(
        effects=_effects(wanted[1]) == _effects(given[1]), whole=_whole(wanted[1]) == _whole(given[1])
    )


def _effects(body: dict[str, Any]) -> list[Any]:
    return [(result["resource"], result["actions"]) for result in body["results"]]


def _message(body: dict[str, Any]) -> str:
    # protojson varies its spaces from build to build, so that nobody relies on them.
    return str(body.get("message", "")).replace("\u00a0", " ")


def _whole(body: dict[str, Any]) -> Any:
    found = {name: value for name, value in body.items() if name != "cerbosCallId"}
    found["results"] = [_result(dict(result)) for result in body["results"]]
    return _numbers(found)


def _result(result: dict[str, Any]) -> dict[str, Any]:
    for name in ("outputs", "validationErrors"):
        if name in result:
            result[name] = sorted((_numbers(item) for item in result[name]), key=_text)
    if "effectiveDerivedRoles" in result.get("meta", {}):
        meta = dict(result["meta"])
        meta["effectiveDerivedRoles"] = sorted(meta["effectiveDerivedRoles"])
        result["meta"] = meta
    return result


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
