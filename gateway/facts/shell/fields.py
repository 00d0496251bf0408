"""The fields of one word, collected while its parts are expanded."""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.values import (
    Field,
    append_fields,
    has_glob,
)

_BLANK: Final = " \t\n"


class FieldBuilder:
    """Collects the fields of one word while parts arrive, splitting where a part may be split."""

    def __init__(self, *, noglob: bool) -> None:
        self._fields: list[Field] = []
        self._current: Field | None = None
        self._noglob = noglob

    def quoted(self, field: Field) -> None:
        """Text that is neither split nor a pattern (unless it already stands for file names)."""
        self._current = field if self._current is None else append_fields(self._current, field)

    def literal(self, text: str) -> None:
        """Unquoted text of the script: not split, and its special characters are active."""
        self.quoted(self._active(text))

    def pattern(self, field: Field) -> None:
        """A pattern."""
        self.quoted(field)

    def splittable(self, field: Field, separators: str) -> None:
        """The result of an unquoted expansion."""
        if field.glob or not any(char in field.text for char in separators):
            if field.text or field.glob:
                self.quoted(field if field.glob else self._active(field.text))
            return
        pieces = re.split(f"[{re.escape(separators)}]+", field.text)
        for position, piece in enumerate(pieces):
            if position:
                self._finish()
            if piece:
                self.quoted(self._active(piece))

    def many(self, fields: list[Field], *, quoted: bool) -> None:
        """Several arguments: the first joins what stands before, the last what comes after."""
        for position, field in enumerate(fields):
            if position:
                self._finish()
            if quoted:
                self.quoted(field)
            else:
                self.splittable(field, _BLANK)

    def done(self) -> list[Field]:
        """The fields."""
        self._finish()
        return self._fields

    def _active(self, text: str) -> Field:
        if self._noglob or not has_glob(text):
            return Field(text)
        return Field(text, glob=True)

    def _finish(self) -> None:
        if self._current is not None:
            self._fields.append(self._current)
            self._current = None
