"""Random CEL over the attributes that requests of the fuzz carry, right and wrong in type."""

from __future__ import annotations

from random import Random

# {s} {n} {b} {l} {m} {t}: an attribute that is usually a string, number, boolean, list, map or timestamp.
FORMS = (
    "{s} == 'x'",
    "{s} == P.id",
    "{s} in ['x', 'y', 'zz']",
    "{s}.startsWith('x')",
    "{s}.endsWith('y') || {b}",
    "{s}.contains('z') && {n} > 1",
    "{s}.matches('^[xyz]+$')",
    "size({s}) > 1",
    "{s}.lowerAscii() == 'x'",
    "{s}.split(',').exists(e, e == 'x')",
    "{s}.replace('x', 'y') != {s}",
    "{s} + 'q' == 'xq'",
    "{n} > 2",
    "{n} <= 3.0",
    "{n} == 5",
    "{n} != 1.5",
    "{n} + 1.0 > 3.0",
    "int({n}) % 2 == 1",
    "double({n}) * 2.0 >= 4.0",
    "{n} > 1 && {n} < 6u",
    "math.greatest({n}, 2.0) > 2.0",
    "math.abs({n}) == 3",
    "{b}",
    "!{b}",
    "{b} && {s} == 'x'",
    "{b} || {n} > 100",
    "{b} ? {n} > 2 : {s} == 'y'",
    "{b} == true",
    "'x' in {l}",
    "size({l}) >= 2",
    "{l}.exists(e, e == 'x')",
    "{l}.all(e, e != 'y')",
    "{l}.exists_one(e, e == 'x')",
    "{l}.filter(e, e != 'x').size() == 1",
    "{l}.map(e, e + '!')[0] == 'x!'",
    "hasIntersection({l}, ['x', 'q'])",
    "intersect({l}, ['x', 'y']).size() > 0",
    "{l}.isSubset(['x', 'y', 'zz'])",
    "sets.contains({l}, ['x'])",
    "{l}[0] == 'x'",
    "{l} == ['x', 'y']",
    "has({m}.k)",
    "{m}.k == 'x'",
    "{m}['k'] != 'x'",
    "'k' in {m}",
    "{m}.k.startsWith('x')",
    "{m}.exists(e, e == 'k')",
    "timestamp({t}) < now()",
    "timestamp({t}).getFullYear() == 2024",
    "timestamp({t}) - duration('24h') < timestamp('2024-06-01T00:00:00Z')",
    "has(R.attr.s)",
    "has(R.attr.nope) || {b}",
    "R.attr.nope == 1 || true",
    "R.attr.nope == 1",
    "P.roles.exists(r, r.endsWith('user'))",
    "'{role}' in P.roles",
    "R.kind.endsWith('doc')",
    "R.id == 'r1'",
    "P.id == 'p1' && R.id != 'r2'",
    "R.scope == '' || P.scope == R.scope",
    "hierarchy(R.scope).size() == 0 || {b}",
    "G.limit > 3.0",
    "G.names.exists(e, e == {s})",
    "request.principal.attr.dept == 'eng'",
    "request.resource.attr.n == {n}",
    "pathHasPrefix({s}, '/home') || {b}",
    "optional.of({s}).orValue('q') == 'x'",
    "R.attr[?'s'].orValue('none') != 'none'",
    "cel.bind(v, {n}, v > 1 && v < 9)",
    "runtime.effectiveDerivedRoles.size() > 0",
    "request.auxData.jwt.size() == 0",
    "{s} == {n}",
    "dyn({s}) == dyn({n})",
    "type({n}) == double",
    "string({n}) == '5'",
    "{s} > 'm'",
)

OUTPUTS = (
    "{s}",
    "{n}",
    "{l}",
    "{m}",
    "'fixed'",
    "R.id + '!' + P.id",
    "{{'a': {s}, 'n': [{n}, 1, true]}}",
    "{n} + 1.0",
    "size({l})",
    "{b} ? 'yes' : 'no'",
    "P.roles",
    "runtime.effectiveDerivedRoles",
    "R.attr.nope",
    "timestamp({t})",
    "duration('90m')",
    "'%s'.format([{s}])",
    "null",
)

_NAMES = {"s": "s", "n": "n", "b": "b", "l": "l", "m": "m", "t": "t"}


class Expressions:
    """Draws expressions. `names`: variables and constants that may stand for an attribute."""

    def __init__(self, random: Random, prefix: str) -> None:
        self._random = random
        self._prefix = prefix
        self._marks = 0

    def condition(self, names: tuple[str, ...] = ()) -> str:
        """A condition, now and then over one of the policy's own names."""
        random = self._random
        if names and random.random() < 0.3:
            name = random.choice(names)
            return (
                random.choice(("{v}", "!{v}", "{v} == 'x'", "{v} == true || {v} == 5.0", "has({v})"))
                .format(v=name)
                .replace("has(V.", "!has(R.attr.")
                .replace("has(C.", "!has(P.attr.")
            )
        return self._fill(random.choice(FORMS))

    def output(self, names: tuple[str, ...] = ()) -> str:
        """An output expression."""
        if names and self._random.random() < 0.3:
            return self._random.choice(names)
        return self._fill(self._random.choice(OUTPUTS))

    def value(self) -> str:
        """An expression for a variable."""
        random = self._random
        return self._fill(random.choice((*FORMS, *OUTPUTS)))

    def mark(self) -> str:
        """A text no other expression has: keeps conditions apart that a PDP 0.55 would merge."""
        self._marks += 1
        return f"{self._prefix}m{self._marks}"

    def _fill(self, form: str) -> str:
        owner = {name: self._random.choice(("R", "R", "P")) for name in _NAMES}
        places = {name: f"{owner[name]}.attr.{name}" for name in _NAMES}
        return form.format(**places, role=f"{self._prefix}user")
