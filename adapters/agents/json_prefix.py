"""Texts at the top level of a JSON object of which only the beginning is there (RFC 8259).

Used for oversized bodies: a decoder needs the whole text, and a pattern would take a nested `"hook_event_name"`, which the
adversary can write into a file's content, for the real one.
"""

from __future__ import annotations

from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # public in the library, not in its stubs

_SPACE = " \t\n\r"


def top_level_texts(head: bytes, names: frozenset[str]) -> dict[str, str]:
    """The wanted string fields of the outermost object, as far as the text goes; {} when it is no object.

    A field that stands twice is left out: decoders disagree about which one counts.
    """
    text = head.decode("utf-8", "ignore")
    at = _skip(text, 0)
    found: dict[str, str] = {}
    twice: set[str] = set()
    if not text.startswith("{", at):
        return {}
    at += 1
    try:
        while True:
            at = _skip(text, at)
            if not text.startswith('"', at):
                break
            name, at = scanstring(text, at + 1, True)
            at = _skip(text, at)
            if not text.startswith(":", at):
                break
            at = _skip(text, at + 1)
            if text.startswith('"', at):
                value, at = scanstring(text, at + 1, True)
                if name in found:
                    twice.add(name)
                if name in names:
                    found[name] = value
            else:
                at = _skip_value(text, at)
            at = _skip(text, at)
            if not text.startswith(",", at):
                break
            at += 1
    except (JSONDecodeError, IndexError):
        pass
    return {name: value for name, value in found.items() if name not in twice}


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _skip_value(text: str, at: int) -> int:
    """The end of a number, word, array or object; raises IndexError at the end of the text."""
    depth = 0
    while True:
        character = text[at]
        if character == '"':
            _, at = scanstring(text, at + 1, True)
            continue
        if character in "[{":
            depth += 1
        elif character in "]}":
            if depth == 0:
                return at
            depth -= 1
            if depth == 0:
                return at + 1
        elif character == "," and depth == 0:
            return at
        at += 1
