"""Arguments of a program, told apart: options with their values, flags, operands.

Conventions as in POSIX 12.2 and GNU getopt_long: clustered short options, `--name=value`, `--` ends options, unambiguous
prefixes of long names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from gateway.facts.shell.values import HOLE, Field


class Grammar(Struct, frozen=True, kw_only=True):
    """How a program writes its options. `valued` take a value, `optional` take one only when it is attached.

    `single_dash` programs (find, java, terraform) write long names with one dash and never cluster. With `stop` options end
    at the first operand, as for programs that run another command.
    """

    valued: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    single_dash: bool = False
    stop: bool = False


class Arguments(Struct, frozen=True, kw_only=True):
    """The arguments told apart; `options` in order, flags among them with no value."""

    options: tuple[tuple[str, Field | None], ...] = ()
    operands: tuple[Field, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether one of the options was given."""
        return any(name in names for name, _ in self.options)

    def values(self, *names: str) -> list[Field]:
        """The values given to these options."""
        return [value for name, value in self.options if name in names and value is not None]

    def value(self, *names: str) -> Field | None:
        """The last value given to one of these options."""
        found = self.values(*names)
        return found[-1] if found else None


def parse_arguments(argv: Sequence[Field], grammar: Grammar) -> Arguments:
    """Tell the arguments apart."""
    options: list[tuple[str, Field | None]] = []
    operands: list[Field] = []
    position = 0
    while position < len(argv):
        field = argv[position]
        position += 1
        text = field.text
        if text == "--" and field.known:
            operands.extend(argv[position:])
            break
        if len(text) < 2 or text[0] != "-" or (text[0] == "-" and text[1] == HOLE):
            operands.append(field)
            if grammar.stop:
                operands.extend(argv[position:])
                break
            continue
        following = argv[position] if position < len(argv) else None
        for name, value, took in _options(field, following, grammar):
            options.append((name, value))
            position += took
    return Arguments(options=tuple(options), operands=tuple(operands))


def _options(
    field: Field, following: Field | None, grammar: Grammar
) -> Iterator[tuple[str, Field | None, int]]:
    """The options in one argument; the last number is 1 when the value was the argument after it."""
    text = field.text
    if text.startswith("--") or grammar.single_dash:
        yield _long(field, following, grammar)
        return
    for position in range(1, len(text)):
        name = f"-{text[position]}"
        rest = text[position + 1 :]
        if name in grammar.valued:
            if rest:
                yield name, Field(rest.removeprefix("=") if len(rest) > 1 else rest, field.glob), 0
            else:
                yield name, following, 1 if following is not None else 0
            return
        if name in grammar.optional:
            yield name, Field(rest, field.glob) if rest else None, 0
            return
        yield name, None, 0


def _long(field: Field, following: Field | None, grammar: Grammar) -> tuple[str, Field | None, int]:
    name, separator, attached = field.text.partition("=")
    name = _full_name(name, grammar)
    if separator:
        return name, Field(attached, field.glob), 0
    if name in grammar.valued:
        return name, following, 1 if following is not None else 0
    return name, None, 0


def _full_name(name: str, grammar: Grammar) -> str:
    """The option that an abbreviated long name means, when only one begins like it."""
    known = grammar.valued | grammar.optional | grammar.flags
    if name in known or grammar.single_dash or not name.startswith("--"):
        return name
    candidates = [full for full in known if full.startswith(name)]
    return candidates[0] if len(candidates) == 1 else name


def names_of(spelled: str) -> tuple[str, ...]:
    """The names in a model's key: `-o --output`."""
    return tuple(spelled.split())


def all_names(keys: Mapping[str, object]) -> frozenset[str]:
    """Every name in the keys of a model's table."""
    return frozenset(name for key in keys for name in names_of(key))
