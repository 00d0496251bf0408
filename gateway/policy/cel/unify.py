"""Type parameters and what they stand for while one expression is checked."""

from __future__ import annotations

from typing import Final

from gateway.policy.cel.kinds import DYN, Kind, param

_NULLABLE: Final = frozenset({"null", "timestamp", "duration", "message", "object", "optional"})
_ANYTHING: Final = frozenset({"dyn", "error"})


class Bindings:
    """A substitution of type parameters, grown by `assign` and never shrunk by a failed attempt."""

    __slots__ = ("_bound", "_count")

    def __init__(self) -> None:
        self._bound: dict[str, Kind] = {}
        self._count = 0

    def new(self) -> Kind:
        """A type parameter used nowhere else."""
        self._count += 1
        return param(f"_var{self._count}")

    def fresh(self, args: tuple[Kind, ...], result: Kind) -> tuple[tuple[Kind, ...], Kind]:
        """A signature with its parameters replaced by new ones."""
        names: dict[str, Kind] = {}
        return tuple(self._rename(arg, names) for arg in args), self._rename(result, names)

    def _rename(self, kind: Kind, names: dict[str, Kind]) -> Kind:
        if kind.name == "param":
            if kind.label not in names:
                names[kind.label] = self.new()
            return names[kind.label]
        if not kind.params:
            return kind
        return Kind(kind.name, tuple(self._rename(inner, names) for inner in kind.params), kind.label)

    def resolve_top(self, kind: Kind) -> Kind:
        """What `kind` stands for, its own parameters left as they are."""
        while kind.name == "param" and kind.label in self._bound:
            kind = self._bound[kind.label]
        return kind

    def resolve_once(self, kind: Kind) -> Kind:
        """`kind` with bound parameters replaced; free ones stay."""
        kind = self.resolve_top(kind)
        if not kind.params:
            return kind
        return Kind(kind.name, tuple(self.resolve_once(inner) for inner in kind.params), kind.label)

    def resolve(self, kind: Kind) -> Kind:
        """`kind` with bound parameters replaced and free ones read as dyn."""
        kind = self.resolve_top(kind)
        if kind.name == "param":
            return DYN
        if not kind.params:
            return kind
        return Kind(kind.name, tuple(self.resolve(inner) for inner in kind.params), kind.label)

    def assign(self, target: Kind, source: Kind) -> bool:
        """Whether the two can be one type; binds parameters if so."""
        saved = dict(self._bound)
        if self._unify(target, source):
            return True
        self._bound = saved
        return False

    def assign_all(self, targets: list[Kind], sources: tuple[Kind, ...]) -> bool:
        """`assign` for each pair, all or nothing."""
        saved = dict(self._bound) if self._bound else {}
        if all(self._unify(target, source) for target, source in zip(targets, sources, strict=True)):
            return True
        self._bound = saved
        return False

    def _unify(self, target: Kind, source: Kind) -> bool:
        if target is source:
            return True
        if source.name == "param":
            valid, bound = self._substitute(source, target)
            if valid or bound:
                return valid
        if target.name == "param":
            return self._substitute(target, source)[0]
        if target.name in _ANYTHING or source.name in _ANYTHING:
            return True
        if target.name == "null":
            return source.name in _NULLABLE
        if source.name == "null":
            return target.name in _NULLABLE
        if target.name != source.name or target.label != source.label:
            return False
        if target.name == "type":
            return True
        return len(target.params) == len(source.params) and all(
            map(self._unify, target.params, source.params)
        )

    def _substitute(self, parameter: Kind, kind: Kind) -> tuple[bool, bool]:
        """(may `parameter` stand for `kind`, was it bound before)."""
        if parameter == kind:
            return True, True
        bound = self._bound.get(parameter.label)
        if bound is not None:
            if kind.name == "param" and self._bound.get(kind.label) == bound:
                return True, True
            if not self._unify(bound, kind):
                return False, True
            general = self.most_general(bound, kind)
            if not self._occurs(parameter, general):
                self._bound[parameter.label] = general
            return True, True
        if self._occurs(parameter, kind):
            return False, False
        self._bound[parameter.label] = kind
        return True, False

    def _occurs(self, parameter: Kind, kind: Kind) -> bool:
        if kind == parameter:
            return True
        if kind.name == "param":
            bound = self._bound.get(kind.label)
            return bound is not None and self._occurs(parameter, bound)
        return any(self._occurs(parameter, inner) for inner in kind.params)

    def most_general(self, first: Kind, second: Kind) -> Kind:
        """The type that covers both, `first` if they cover each other."""
        return first if _covers(first, second) else second


def _covers(first: Kind, second: Kind) -> bool:
    """Whether `first` is as unspecific as `second`, or less specific."""
    if first.name in _ANYTHING or first.name == "param":
        return True
    if second.name in _ANYTHING or second.name == "param" or first.name == "null":
        return False
    if second.name == "null":
        return True
    if first.name != second.name or first.label != second.label:
        return first.name != "type" and first == second
    return len(first.params) == len(second.params) and all(map(_covers, first.params, second.params))
