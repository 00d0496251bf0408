"""Random CEL over the attributes that requests of the fuzz carry, right and wrong in type."""

from __future__ import annotations

from random import Random

from gateway.policy.cel import CelCompileError
from gateway.policy.cel.checker import check
from gateway.policy.cel.parser import parse
from tests.policy.cel.generate import Generator

# {s} {n} {b} {l} {m} {t}: an attribute that is usually a string, number, boolean, list, map or timestamp.
# Constants that cannot be converted, or are no key: they take away the whole condition that comes to them.
DEFECTS = (
    "int('abc') == 1",
    "{b} || double('one') > 1.0",
    "{b} && uint(-1) == 1u",
    "!(bool('perhaps'))",
    "true || int('abc') == 1",
    "{b} ? int(dyn('abc')) == 1 : {s} == 'x'",
    "{m}[null] == 'x'",
    "{l}.exists(e, e == 'x' || int('abc') == 1)",
)
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
    "{s}.size() == 3 || {s}.upperAscii() == 'ZZ'",
    "{s}.indexOf('y') >= 0 && {s}.charAt(0) == 'x'",
    "{s}.substring(1) == ',y'",
    "{s}.trim().reverse() == 'y,x'",
    "['a', {s}].join('-') == 'a-x'",
    """strings.quote({s}) == '"x"'""",
    "base64.encode(bytes({s})) == 'eA=='",
    "string(base64.decode('eA==')) == {s}",
    "regex.extract({s}, '[yz]+').orValue('none') == 'zz'",
    "regex.replace({s}, '[xy]', 'q') == 'q'",
    "{n} >= 2 ? {b} : !{b}",
    "int({n}) / 2 == 1 || uint({n}) == 5u",
    "math.round({n}) == 2.0 || math.trunc({n}) == 7.0",
    "math.least({n}, 3.0, 1.5) == 1.5",
    "math.bitAnd(int({n}), 1) == 1",
    "-{n} < -1.5",
    "{n} in [1, 2, 3]",
    "{n} in [1.5, 5.0]",
    "{l}.distinct().size() == size({l})",
    "{l}.sort() == {l}.reverse()",
    "{l}.slice(0, 1) == ['x']",
    "[{l}, ['q']].flatten().size() == 3",
    "{l}.first().orValue('q') == {l}.last().orValue('q')",
    "lists.range(3).exists(i, {l}[i] == 'q')",
    "{l}.exists(i, e, i == 1 && e == 'y')",
    "{l}.transformList(i, e, e + string(i)) == ['x0', 'y1']",
    "{l}.transformMap(i, e, e).size() == 2",
    "{l}.all(e, e in {l} && {b})",
    "sets.intersects({l}, ['y', 'q']) || sets.equivalent({l}, ['x'])",
    "{l}.except(['x']).size() == 1",
    "{m} == {{'k': 'x'}}",
    "{m}.all(k, {m}[k] == 'x')",
    "{m}.transformMap(k, v, v)['k'] == 'y'",
    "{m}.?k.orValue('none') == 'x'",
    "has({m}.q) && has({m}.q.k)",
    "{m}[?'q'].hasValue()",
    "optional.none().or({m}.?k).orValue('q') == 'q'",
    "optional.ofNonZeroValue({s}).optMap(v, v + '!').orValue('') == 'x!'",
    "timestamp({t}).getDayOfWeek('America/New_York') == 4",
    "timestamp({t}) + duration('1s') > timestamp('2024-03-01T00:00:00Z')",
    "timeSince(timestamp({t})) > duration('48h')",
    "duration('90m').getHours() == 1 && {b}",
    "string(timestamp({t})) != ''",
    "{s}.inIPAddrRange('10.0.0.0/8') || {b}",
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && {b}",
    "isIP({s}) || size({s}) == 1",
    "hierarchy({s}).overlaps(hierarchy('x.y'))",
    "hierarchy('x.y').descendentOf(hierarchy({s}))",
    "hierarchy({s}, ',')[0] == 'x'",
    "spiffeID('spiffe://a/' + {s}).isMemberOf(spiffeTrustDomain('a'))",
    "basePath({s}) == 'x' && dirPath({s}) == '/home'",
    "pathMatch('/home/*', {s}) || joinPath([{s}, 'x']) == 'x/x'",
    "extPath({s}) == '' && relPath('/home', {s}) == 'x'",
    "type({s}) == string && type({m}) == map",
    "dyn({n}) == 1 || dyn({n}) == 1u",
    "{s} + {n} == 'x'",
    "{l}[5] == 'x' || {n} / 0.0 > 1.0",
    "!({m}.nope == 1)",
    "{m}.nope == 1 ? true : true",
    "size({m}) > 0 && {m}.map(k, k).size() > 1",
    "'%s:%d:%.1f'.format([{s}, 1, {n}]) == 'x:1:2.0'",
    "request.auxData.jwt.sub == 'alice'",
    "'dev' in request.auxData.jwt.groups",
    "has(request.auxData.jwt.level) && request.auxData.jwt.level > 2.0",
    "'admin' in request.aux_data.jwt.aud",
    "timestamp(request.auxData.jwt.iat) < now()",
    "runtime.effectiveDerivedRoles.exists(r, r.endsWith('0'))",
    "globals.limit > 3.0 && 'x' in G.names",
    "G.nope == 1",
    "G.nested.k == {s}",
    "R.policyVersion == 'default' || P.policyVersion == ''",
    "P.attr == R.attr",
    "R.attr.exists(k, k == 's')",
    "request.resource.id + request.principal.id == 'r0p1'",
    "cel.bind(a, {l}, a.exists(e, cel.bind(f, e, f == 'x')))",
    "P.roles == ['{role}'] || size(P.roles) > 2",
    "{s}.matches('(x|y)+') || regex.extract({s}, '(').hasValue()",
    *DEFECTS,
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
    "R.attr",
    "[{s}, {l}, {m}]",
    "{m}.transformMap(k, v, [v])",
    "{l}.map(e, e + '?')",
    "int({n})",
    "uint({n})",
    "bytes({s})",
    "[optional.of({n}), optional.none()]",
    "request.auxData.jwt",
    "9007199254740993 + size({s})",
    "{{'t': type({s}) == string, 'at': timestamp({t}).getFullYear()}}",
    "{n} / 2.0",
    "{s} == 'x' || {b}",
    "G.nested",
    "hierarchy({s})[0]",
    "timestamp({t}) - timestamp('2024-01-01T00:00:00Z')",
)

_WILD = 0.15
"""How often an expression is one of the compiler's own fuzz instead of a form from above."""
_NAMES = {"s": "s", "n": "n", "b": "b", "l": "l", "m": "m", "t": "t"}


class Expressions:
    """Draws expressions. `names`: variables and constants that may stand for an attribute."""

    def __init__(self, random: Random, prefix: str) -> None:
        self._random = random
        self._prefix = prefix
        self._marks = 0
        self._generator = Generator(random)

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
        return self._wild() if random.random() < _WILD else self._fill(random.choice(FORMS))

    def output(self, names: tuple[str, ...] = ()) -> str:
        """An output expression."""
        if names and self._random.random() < 0.3:
            return self._random.choice(names)
        return self._wild() if self._random.random() < _WILD else self._fill(self._random.choice(OUTPUTS))

    def value(self) -> str:
        """An expression for a variable."""
        random = self._random
        while True:
            form = random.choice((*FORMS, *OUTPUTS))
            if form not in DEFECTS:  # with a variable that has one the PDP does not start
                return self._fill(form)

    def mark(self) -> str:
        """A text no other expression has: keeps conditions apart that a PDP 0.55 would merge."""
        self._marks += 1
        return f"{self._prefix}m{self._marks}"

    def _wild(self) -> str:
        """An expression of any shape that compiles; what does not compile is the business of other tests."""
        while True:
            text = self._generator.expression()
            try:
                check(text, parse(text))
            except CelCompileError:
                continue
            return text

    def _fill(self, form: str) -> str:
        owner = {name: self._random.choice(("R", "R", "P")) for name in _NAMES}
        places = {name: f"{owner[name]}.attr.{name}" for name in _NAMES}
        return form.format(**places, role=f"{self._prefix}user")
