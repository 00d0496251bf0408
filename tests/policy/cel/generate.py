"""Random expressions, right and wrong in type, and random requests for them to read.

Calls come from the compiler's own table of overloads, so that a new function is in the fuzz as soon as it is declared.
Left out is what the PDP has no one answer to, the order of a map with several keys and the clock, and what it folds while
compiling in ways that no request can bring about: macros over constants, constants of a wrong type in logical operators,
lookups in computed constants.
"""

from __future__ import annotations

from random import Random
from typing import Any

from gateway.policy.cel.declarations import Overload, overloads
from gateway.policy.cel.kinds import BOOL, DOUBLE, DYN, INT, STRING, Kind, list_of, map_of, optional_of

_LITERALS: dict[str, tuple[str, ...]] = {
    "null": ("null",),
    "bool": ("true", "false"),
    "int": ("0", "1", "2", "-1", "3", "7", "9223372036854775807", "-9223372036854775808", "64"),
    "uint": ("0u", "1u", "3u", "18446744073709551615u"),
    "double": ("0.0", "1.0", "-0.5", "2.5", "1e300", "-0.0", "9007199254740993.0"),
    "string": (
        *('""', '"a"', '"alpha"', '"a,b"', '"é🦉"', '"A b"', '"10"', '"1.5"', '"true"', '"x.y.z"'),
        *('"10.0.0.1"', '"10.0.0.0/8"', '"/a/b/../c.txt"', '"/a/*"', '"C:\\\\x"', '"[a-z]+"', '"(a)|b"'),
        *('"%s-%d"', '"2024-02-29T12:30:00Z"', '"1h30m"', '"spiffe://a/b"', '"UTC"', '"+05:30"', '"\\\\"'),
    ),
    "bytes": ('b""', 'b"a"', 'b"\\xff"', 'b"é"'),
    "timestamp": (
        'timestamp("2024-02-29T12:30:00.5Z")',
        "timestamp(0)",
        'timestamp("1999-12-31T23:59:59-05:00")',
    ),
    "duration": ('duration("90s")', 'duration("-1.5s")', 'duration("0s")', 'duration("25h")'),
    "cerbos.lib.hierarchy": ('hierarchy("a.b")', 'hierarchy("a.b.c")', 'hierarchy("")'),
    "cerbos.lib.spiffeID": ('spiffeID("spiffe://a/b")', 'spiffeID("spiffe://c")'),
    "cerbos.lib.spiffeTrustDomain": ('spiffeTrustDomain("a")',),
    "cerbos.lib.spiffeMatcher": ("spiffeMatchAny()", 'spiffeMatchTrustDomain("a")'),
    "net.IP": ('ip("10.0.0.1")', 'ip("::1")'),
    "net.CIDR": ('cidr("10.0.0.0/8")', 'cidr("::/0")'),
    "type": ("int", "string", "list", "type(1)"),
}
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "string": ("s", "t", "when", "span", "address", "path"),
    "double": ("n", "m"),
    "bool": ("b",),
    "null": ("z",),
    "list": ("words", "numbers", "mixed", "nested"),
    "map": ("map", "one"),
}
_KEYS = (STRING, STRING, INT, BOOL)
_ALL = (*tuple(name for names in _ATTRIBUTES.values() for name in names), "missing")
_SCALARS = (BOOL, INT, DOUBLE, STRING)
# The clock, and what the PDP answers by hash order or by the order of its goroutines.
_LEFT_OUT = frozenset({"now", "timeSince", "lists.range", "json.encode"})
Bound = tuple[tuple[str, Kind], ...]
_WRONG = 0.06
"""How often an argument is of another type than the overload asks for, behind a `dyn`."""


class Generator:
    """Writes expressions. Everything it does follows from `random`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._names = 0
        self._by_result: dict[str, list[Overload]] = {}
        for group in overloads().values():
            for overload in group:
                if overload.name not in _LEFT_OUT and not overload.name.startswith("@sort"):
                    self._by_result.setdefault(overload.result.name, []).append(overload)

    def expression(self) -> str:
        """A whole expression that reads an attribute, of type bool more often than not."""
        while True:
            text = self._expression()
            if "attr" in text:
                return text

    def _expression(self) -> str:
        kind = BOOL if self._random.random() < 0.6 else self._kind(2)
        if "optional" in str(kind):
            kind = BOOL  # an output shows an optional inside a list in more than one way
        return self._of(kind, self._random.choice((2, 3, 3, 4)), ())

    def _kind(self, depth: int) -> Kind:
        chance = self._random.random()
        if depth and chance < 0.15:
            return list_of(self._kind(depth - 1))
        if depth and chance < 0.22:
            return map_of(STRING, self._kind(depth - 1))
        if depth and chance < 0.26:
            return optional_of(self._kind(depth - 1))
        if chance < 0.3:
            return Kind(self._random.choice(("uint", "bytes", "timestamp", "duration")))
        return self._random.choice(_SCALARS)

    def _of(self, kind: Kind, depth: int, bound: Bound) -> str:
        """An expression of a static type: that type or dyn."""
        if kind.name == "param":
            kind = self._kind(0)
        if kind is DYN or kind.name == "dyn":
            return self._dyn(depth, bound)
        chance = self._random.random()
        fitting = [name for name, of in bound if of == kind or of is DYN]
        if fitting and chance < 0.4:
            return self._random.choice(fitting)
        if depth <= 0 or chance < 0.12:  # the rest are shares of the ways to write an expression
            return self._leaf(kind, depth, bound)
        if chance < 0.3 and kind.name in _ATTRIBUTES:
            return self._attribute(kind)
        if chance < 0.42 and kind.name in ("bool", "list", "map", "optional"):
            return self._macro(kind, depth - 1, bound)
        if chance < 0.47:
            branches = [self._of(kind, depth - 1, bound) for _ in range(2)]
            return _choice(self._of(BOOL, depth - 1, bound), *branches)
        return self._call(kind, depth - 1, bound)

    def _leaf(self, kind: Kind, depth: int, bound: Bound) -> str:
        if kind.name == "list":
            items = [self._of(kind.params[0], depth - 1, bound) for _ in range(self._random.randrange(4))]
            return f"[{', '.join(items)}]"
        if kind.name == "map":
            return f'{{"k": {self._of(kind.params[1], depth - 1, bound)}}}'
        if kind.name == "optional":
            if self._random.random() < 0.3:
                return "optional.none()"
            return f"optional.of({self._of(kind.params[0], depth - 1, bound)})"
        if self._random.random() < 0.3 and kind.name in _ATTRIBUTES:
            return self._attribute(kind)
        return self._random.choice(_LITERALS[kind.label or kind.name])

    def _attribute(self, kind: Kind) -> str:
        names = _ATTRIBUTES[kind.name] if self._random.random() < 1 - _WRONG else _ALL
        record = self._random.choice(("P", "R", "request.resource"))
        name = self._random.choice(names)
        return f'{record}.attr["{name}"]' if self._random.random() < 0.1 else f"{record}.attr.{name}"

    def _dyn(self, depth: int, bound: Bound) -> str:
        if bound and self._random.random() < 0.4:
            return self._random.choice(bound)[0]
        if self._random.random() < 0.5:
            return f"{self._random.choice('PR')}.attr.{self._random.choice(_ALL)}"
        return f"dyn({self._of(self._kind(1), depth - 1, bound)})"

    def _call(self, kind: Kind, depth: int, bound: Bound) -> str:
        candidates = [*self._by_result.get(kind.name, ()), *self._by_result.get("param", ())]
        candidates = [overload for overload in candidates if _fits(overload.result, kind, {})]
        if not candidates:
            return self._leaf(kind, depth, bound)
        overload = self._random.choice(candidates)
        if overload.name == "@in":
            return self._membership(depth, bound)
        given: dict[str, Kind] = {}
        _fits(overload.result, kind, given)
        args = []
        for wanted in overload.args:
            filled = self._filled(wanted, given)
            args.append(self._argument(overload, filled, depth, bound))
        return _written(overload, args)

    def _membership(self, depth: int, bound: Bound) -> str:
        """`item in container`, where the container is an attribute or written out."""
        kind = self._random.choice(_SCALARS)
        item = self._of(kind, depth, bound)
        if "attr" not in item:
            item = self._random.choice(_LITERALS[kind.name])
        if self._random.random() < 0.5:
            return (
                f"({item} in P.attr.{self._random.choice(('words', 'numbers', 'mixed', 'map', 'one', 'z'))})"
            )
        return f"({item} in {self._leaf(list_of(kind), 0, ())})"

    def _argument(self, overload: Overload, kind: Kind, depth: int, bound: Bound) -> str:
        if self._random.random() < _WRONG:
            logical = overload.name in ("_&&_", "_||_", "_?_:_", "!_")
            return f"P.attr.{self._random.choice(_ALL)}" if logical else self._dyn(depth, bound)
        return self._of(kind, depth, bound)

    def _filled(self, kind: Kind, given: dict[str, Kind]) -> Kind:
        if kind.name == "param":
            # K is the key of a map everywhere, and a computed constant that is no key is folded or not by its neighbours.
            return given.setdefault(
                kind.label, self._random.choice(_KEYS) if kind.label == "K" else self._kind(1)
            )
        if not kind.params:
            return kind
        return Kind(kind.name, tuple(self._filled(inner, given) for inner in kind.params), kind.label)

    def _macro(self, kind: Kind, depth: int, bound: Bound) -> str:
        self._names += 1
        one, two = f"x{self._names}", f"y{self._names}"
        if kind.name == "optional":
            inner = self._kind(0)
            body = self._of(kind.params[0], depth, (*bound, (one, inner)))
            return f"{self._of(optional_of(inner), depth, bound)}.optMap({one}, {body})"
        if self._random.random() < 0.15:
            inner = self._kind(1)
            return f"cel.bind({one}, {self._of(inner, depth, bound)}, {self._of(kind, depth, (*bound, (one, inner)))})"
        element, source = self._range(depth, bound)
        single, double = (*bound, (one, element)), (*bound, (one, INT), (two, element))
        if kind.name == "bool":
            name = self._random.choice(("all", "exists", "exists_one"))
            if self._random.random() < 0.25:
                return f"{source}.{name}({one}, {two}, {self._condition(two, depth, double)})"
            return f"{source}.{name}({one}, {self._condition(one, depth, single)})"
        if kind.name == "map":
            body = self._of(kind.params[1], depth, double)
            return f"{source}.transformMapEntry({one}, {two}, {{string({one}): {body}}})"
        form = self._random.randrange(5)
        body = self._of(kind.params[0], depth, single)
        if form == 0:
            return f"{source}.map({one}, {self._condition(one, depth, single)}, {body})"
        if form == 1:
            return f"{source}.transformList({one}, {two}, {self._of(kind.params[0], depth, double)})"
        if form == 2:
            return f"{self._of(kind, depth, bound)}.filter({one}, {self._condition(one, depth, (*bound, (one, kind.params[0])))})"
        return f"{source}.map({one}, {body})"

    def _range(self, depth: int, bound: Bound) -> tuple[Kind, str]:
        """The type of the elements and a list of them."""
        if self._random.random() < 0.7:
            return DYN, f"{self._random.choice('PR')}.attr.{self._random.choice(_ATTRIBUTES['list'])}"
        element = self._kind(0)
        source = self._of(list_of(element), depth, bound)
        # The PDP folds macros over constants while compiling, and not always rightly.
        return element, source if "attr" in source else f"({source} + [{self._attribute_of(element)}])"

    def _attribute_of(self, kind: Kind) -> str:
        """An expression of a scalar type that reads an attribute."""
        if kind.name in _ATTRIBUTES:
            return f"P.attr.{self._random.choice(_ATTRIBUTES[kind.name])}"
        return f"(P.attr.b ? {self._leaf(kind, 0, ())} : {self._leaf(kind, 0, ())})"

    def _condition(self, name: str, depth: int, bound: Bound) -> str:
        """A bool that the element has a part in; without one the PDP folds the macro wrongly."""
        kind = dict(bound)[name]
        if kind is DYN or self._random.random() < 0.3:
            kind = self._random.choice(_SCALARS) if kind is DYN else kind
            operator = self._random.choice(
                ("==", "!=") if kind.name in ("list", "map", "optional") else ("==", "!=", "<")
            )
            other = self._of(kind, depth - 1, bound)
            return (
                f"{name} {operator} {other}" if kind is not BOOL or operator != "<" else f"{name} == {other}"
            )
        return f"(dyn({name}) == P.attr.n || {self._of(BOOL, depth, bound)})"


def _fits(result: Kind, wanted: Kind, given: dict[str, Kind]) -> bool:
    if result.name == "param":
        known = given.setdefault(result.label, wanted)
        return known == wanted
    if result.name != wanted.name or result.label != wanted.label or len(result.params) != len(wanted.params):
        return False
    return all(_fits(mine, yours, given) for mine, yours in zip(result.params, wanted.params, strict=True))


def _choice(condition: str, then: str, otherwise: str) -> str:
    """A conditional; a constant condition would be folded away while compiling."""
    return f"({condition if 'attr' in condition else 'P.attr.b'} ? {then} : {otherwise})"


def _written(overload: Overload, args: list[str]) -> str:
    name = overload.name
    if name in ("!_", "-_"):
        return f"{name[0]}({args[0]})"
    if name == "_[_]":
        return f"({args[0]})[{args[1]}]"
    if name == "_[?_]":
        return f"({args[0]})[?{args[1]}]"
    if name == "_?_:_":
        return _choice(*args)
    if name == "@in":
        return f"({args[0]} in {args[1]})"
    if name.startswith("_"):
        return f"({args[0]} {name.strip('_')} {args[1]})"
    if name.startswith("math.@"):
        return f"math.{'greatest' if name.endswith('max') else 'least'}({', '.join(args)})"
    if overload.member:
        return f"({args[0]}).{name}({', '.join(args[1:])})"
    return f"{name}({', '.join(args)})"


def request(random: Random) -> dict[str, Any]:
    """A request whose attributes mostly have the types their names promise."""
    return {
        "principal": {
            "id": random.choice(("ada", "bob")),
            "roles": ["editor", "owner"],
            "attr": _attributes(random),
        },
        "resource": {"id": "r1", "attr": _attributes(random)},
    }


def _attributes(random: Random) -> dict[str, Any]:
    usual: dict[str, tuple[Any, ...]] = {
        "s": ("a", "", "alpha", "é🦉", "A b"),
        "t": ("x.y.z", "10", "true", "a,b,c", "%s"),
        "when": ("2024-02-29T12:30:00Z", "2021-01-01T00:00:00.25+05:30"),
        "span": ("1h30m", "-90s"),
        "address": ("10.0.0.1", "::1", "2001:db8::1"),
        "path": ("/a/b/c.txt", "../x", "C:\\x\\y", "a//b/"),
        "n": (0, 1, 5, -3, 1e300),
        "m": (0.5, 2, -0.0, 9007199254740993),
        "b": (True, False),
        "z": (None,),
        "words": (["alpha", "beta"], [], ["a", "a", "b"], ["é"]),
        "numbers": ([3, 1, 2], [0.5], [1, 1.0, 2]),
        "mixed": ([1, "a", None, True, [1], {"k": 1}], [None], ["a", 2]),
        "nested": ([[1], [2, [3]]], [[]]),
        "map": ({"a": 1, "b": {"c": [1]}}, {"k": None}, {"x": True}),
        "one": ({"k": "v"}, {"k": 1}, {}),
    }
    found: dict[str, Any] = {}
    for name, values in usual.items():
        chance = random.random()
        if chance < 0.04:
            continue
        found[name] = random.choice(values if chance < 0.92 else random.choice(list(usual.values())))
    return found
