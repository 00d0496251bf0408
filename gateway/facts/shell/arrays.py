"""Arrays on abstract values: elements by subscript, as far as subscripts and numbers of elements are known.

Source: Bash Reference Manual 5.2, 6.7.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from gateway.facts.shell.values import EMPTY, UNKNOWN, Field, Value, limited

Key = int | str
"""A subscript: a number of an indexed array, a text of an associative one."""


class Array(Struct, frozen=True, gc=False):
    """The elements in order of their subscripts.

    `loose` when an element may stand under another subscript than it does here (one before it may be several, or none, or
    was put under a subscript that nobody knows): then any element may be the one meant.
    """

    elements: tuple[tuple[Key, Field], ...] = ()
    associative: bool = False
    loose: bool = False

    @property
    def values(self) -> list[Field]:
        """What `"${array[@]}"` becomes."""
        if self.loose and len(self.elements) > 1 and all(field.known for _, field in self.elements):
            # Every element is known, but not their order.
            return [UNKNOWN]
        return [field for _, field in self.elements]

    def element(self, key: Field) -> Value:
        """What the element with a subscript may hold; nothing when there is none."""
        exact = self._key(key)
        if exact is None or self.loose:
            return limited([*(field for _, field in self.elements), EMPTY])
        if isinstance(exact, int) and exact < 0:
            exact += 1 + max((one for one, _ in self.elements if isinstance(one, int)), default=-1)
        return next(((field,) for one, field in self.elements if one == exact), (EMPTY,))

    def assigned(self, key: Field, value: Field) -> Array:
        """The array after an assignment to one element."""
        exact = self._key(key)
        if exact is None:
            return Array((*self.elements, (f"?{len(self.elements)}", value)), self.associative, loose=True)
        others = [(one, field) for one, field in self.elements if one != exact]
        if self.associative or self.loose or isinstance(exact, str):
            return Array((*others, (exact, value)), self.associative, self.loose)
        ordered = sorted([*others, (exact, value)], key=lambda element: int(element[0]))
        return Array(tuple(ordered), loose=self.loose)

    def extended(self, elements: Iterable[tuple[Field | None, Field]]) -> Array:
        """The array with more elements, each with its subscript or after the last one."""
        result = self
        for key, value in elements:
            if key is None:
                following = 1 + max((one for one, _ in result.elements if isinstance(one, int)), default=-1)
                result = result.assigned(Field(str(following)), value)
                if not value.known:
                    result = Array(result.elements, result.associative, loose=True)
            else:
                result = result.assigned(key, value)
        return result

    def _key(self, key: Field) -> Key | None:
        exact = key.exact
        if exact is None or self.associative:
            return exact
        text = exact.strip()
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 10 else None


def array_of(fields: Iterable[Field]) -> Array:
    """An indexed array of these elements."""
    return Array().extended((None, field) for field in fields)
