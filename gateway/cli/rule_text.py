"""The exact words of a policy rule, from the file it stands in."""

from __future__ import annotations

from pathlib import Path

_MAX_LINES = 40


def rule_text(file: str, line: int, rule: str) -> tuple[str, ...]:
    """The lines of the list item that begins at `line` (1-based); nothing where the rule does not stand there any more."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        return ()
    if not 1 <= line <= len(lines):
        return ()
    start = line - 1
    while start > 0 and not lines[start].lstrip().startswith("- ") and line - start < _MAX_LINES:
        start -= 1
    depth = _depth(lines[start])
    found = [lines[start]]
    for text in lines[start + 1 :]:
        if text.strip() and _depth(text) <= depth:
            break
        found.append(text)
    while found and (not found[-1].strip() or found[-1].lstrip().startswith("#")):
        found.pop()
    if not any(rule in text for text in found):
        return ()
    return tuple(text[depth:] for text in found[:_MAX_LINES])


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())
