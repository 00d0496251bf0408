"""The command model: what each program does with its operands and options, as data (`catalogue/*.yaml`).

docs/command-model.md describes the format; a team adds its own programs with `facts.commands` in the configuration. What a
table cannot say, such as a program with a language of its own, is a function named by `program:`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import msgspec
from msgspec import Struct

from gateway.facts.shell.effects import Effect, Output, Touch
from gateway.facts.shell.fixed_effects import effects_of
from gateway.facts.shell.options import Arguments, Grammar, all_names, names_of, parse_arguments
from gateway.facts.shell.roles import by_role, operand_effects
from gateway.facts.shell.values import HOLE, Field, Stream

Operands = str | tuple[str, ...]


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a flag changes about its command."""

    operands: Operands | None = None
    tree: bool = False
    prints: str | None = None
    default: tuple[str, ...] | None = None
    effects: tuple[Mapping[str, str], ...] = ()


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One program, or one of its subcommands."""

    like: str = ""
    program: str = ""
    operands: Operands = "none"
    options: Mapping[str, str] = {}
    optional: Mapping[str, str] = {}
    flags: Mapping[str, Change] = {}
    pairs: Mapping[str, str] = {}
    default: tuple[str, ...] = ()
    input: str = ""
    prints: str = ""
    via: str = "direct"
    single_dash: bool = False
    idle: str = ""
    effects: tuple[Mapping[str, str], ...] = ()
    subcommands: Mapping[str, Model] = {}
    otherwise: Model | None = None


class Invocation(Struct, frozen=True, kw_only=True):
    """A program with its arguments, as its model sees it."""

    name: str
    program: str
    argv: tuple[Field, ...]
    stdin: Stream
    prefix: Mapping[str, Field] = {}


Program = Callable[[Invocation, Model], list[Effect]]


class Models:
    """Looks programs up and says what they would do.

    `beside` are models of programs that have one: what they say is added to it, so that they tighten and never loosen.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        programs: Mapping[str, Program],
        beside: Mapping[str, Model] | None = None,
    ) -> None:
        self._models = dict(models)
        self._programs = programs
        self._beside = dict(beside or {})
        self._grammars: dict[int, Grammar] = {}

    def extended(self, extra: Mapping[str, Model]) -> Models:
        """These models with a site's own: of a program that already has one, also by its base name, they stand beside it."""
        beside = {name: model for name, model in extra.items() if self.find(name) is not None}
        further = {name: model for name, model in extra.items() if name not in beside}
        return Models({**self._models, **further}, self._programs, {**self._beside, **beside})

    @property
    def models(self) -> Mapping[str, Model]:
        """Every model by the name of its program."""
        return self._models

    @property
    def programs(self) -> frozenset[str]:
        """The names that `program:` may give."""
        return frozenset(self._programs)

    @cached_property
    def revision(self) -> str:
        """The first 12 hex digits of the SHA-256 of every model: equal revisions say the same of every program."""
        content = msgspec.json.encode([self._models, self._beside], order="deterministic")
        return hashlib.sha256(content).hexdigest()[:12]

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def effects(self, invocation: Invocation) -> list[Effect] | None:
        """What the program would do, None when there is no model of it."""
        model = self.find(invocation.name)
        if model is None:
            return None
        shipped = self._modelled(invocation, model)
        if not self._beside:
            return shipped
        added = self.find(invocation.name, self._beside)
        return shipped if added is None else [*self._modelled(invocation, added), *shipped]

    def _modelled(self, invocation: Invocation, model: Model) -> list[Effect]:
        if model.program:
            return self._programs[model.program](invocation, model)
        return self.interpret(invocation, model)

    def unknown(self, invocation: Invocation, *, script: bool) -> list[Effect]:
        """What a program without a model may do: what looks like a path is read, and may be written."""
        effects: list[Effect] = []
        for field in invocation.argv:
            value = field
            if field.text.startswith("-"):
                _, separator, attached = field.text.partition("=")
                if not separator:
                    continue
                value = Field(attached, field.glob)
            if looks_like_path(value) or (script and HOLE in value.text):
                effects.append(Touch(action="read", path=value, possible=True))
                effects.append(Touch(action="write", path=value, possible=True))
        return effects

    def find(self, name: str, models: Mapping[str, Model] | None = None) -> Model | None:
        """The model of a program by its name or base name, `like` followed; None when there is none."""
        among = self._models if models is None else models
        model = among.get(name) or _versioned(name, among)
        while model is not None and model.like:
            model = among.get(model.like) or self._models.get(model.like)
        return model

    def interpret(self, invocation: Invocation, model: Model) -> list[Effect]:
        """Read the arguments by a model's tables."""
        argv = invocation.argv
        if model.subcommands:
            return self._subcommand(invocation, model)
        arguments = parse_arguments(argv, self.grammar(model))
        return self._described(model, arguments, invocation.stdin)

    def grammar(self, model: Model) -> Grammar:
        """How the model's program writes its options."""
        found = self._grammars.get(id(model))
        if found is None:
            roles = (model.operands,) if isinstance(model.operands, str) else model.operands
            found = self._grammars[id(model)] = Grammar(
                valued=all_names(model.options),
                optional=all_names(model.optional),
                flags=all_names(model.flags),
                single_dash=model.single_dash,
                stop="command" in roles[:1] or (len(roles) > 1 and roles[-1] == "command"),
            )
        return found

    def _subcommand(self, invocation: Invocation, model: Model) -> list[Effect]:
        grammar = self.grammar(model)
        outer = parse_arguments(
            invocation.argv,
            Grammar(
                valued=grammar.valued,
                optional=grammar.optional,
                flags=grammar.flags,
                single_dash=grammar.single_dash,
                stop=True,
            ),
        )
        effects = option_effects(model, outer)
        if _idle(model, outer):
            return effects
        effects.extend(effects_of(model.effects))
        for key, change in model.flags.items():
            if _given(outer, names_of(key)):
                effects.extend(effects_of(change.effects))
        if not outer.operands:
            return effects
        name = outer.operands[0].text
        inner = _subcommand_of(model, name)
        seen = 0
        while inner is not None and inner.like and seen < 4:
            inner, seen = _subcommand_of(model, inner.like), seen + 1
        inner = inner or model.otherwise
        if inner is None:
            return effects
        rest = Invocation(
            name=f"{invocation.name} {name}",
            program=invocation.program,
            argv=outer.operands[1:],
            stdin=invocation.stdin,
            prefix=invocation.prefix,
        )
        if inner.program:
            return effects + self._programs[inner.program](rest, inner)
        return effects + self.interpret(rest, inner)

    def _described(self, model: Model, arguments: Arguments, stdin: Stream) -> list[Effect]:
        changes = [change for key, change in model.flags.items() if _given(arguments, names_of(key))]
        roles: Operands = model.operands
        prints, tree, default = model.prints, False, model.default
        for change in changes:
            roles = change.operands if change.operands is not None else roles
            prints = change.prints if change.prints is not None else prints
            default = change.default if change.default is not None else default
            tree = tree or change.tree
        effects = option_effects(model, arguments)
        if _idle(model, arguments):
            return effects
        operands = arguments.operands or tuple(Field(text) for text in default)
        if model.pairs:
            operands, paired = _pairs(model.pairs, operands)
            effects.extend(paired)
        effects.extend(operand_effects(roles, operands, tree=tree, via=model.via))
        if not arguments.operands and model.input:
            effects.extend(by_role(model.input, None))
        effects.extend(effects_of(model.effects))
        for change in changes:
            effects.extend(effects_of(change.effects))
        effects.extend(_printed(prints, operands, roles))
        del stdin
        return effects


def _versioned(name: str, models: Mapping[str, Model]) -> Model | None:
    """`python3.11` is `python3`, `gcc-12` is `gcc`, `cat.exe` is `cat`."""
    base = name.removesuffix(".exe").rstrip("0123456789.-")
    return models.get(name.removesuffix(".exe")) or (models.get(base) if base != name else None)


def _subcommand_of(model: Model, name: str) -> Model | None:
    """The subcommand of a name; a key of the table may hold several names, as the keys of options do."""
    found = model.subcommands.get(name)
    if found is None and name:
        found = next((inner for key, inner in model.subcommands.items() if name in names_of(key)), None)
    return found


_NO: Final = ("false", "no", "0", "none")


def _idle(model: Model, arguments: Arguments) -> bool:
    """Whether an option says that the program only tells what it would do."""
    return bool(model.idle) and _given(arguments, names_of(model.idle))


def _given(arguments: Arguments, names: tuple[str, ...]) -> bool:
    """Whether one of the options is given, and not switched off as in `--option=false`."""
    return any(
        name in names and (value is None or value.text.lower() not in _NO)
        for name, value in arguments.options
    )


def option_effects(model: Model, arguments: Arguments) -> list[Effect]:
    """What the values of options do; an unknown option whose value looks like a path may read it."""
    roles = {
        name: role
        for table in (model.options, model.optional)
        for key, role in table.items()
        for name in names_of(key)
    }
    effects: list[Effect] = []
    for name, value in arguments.options:
        if value is None:
            continue
        role = roles.get(name)
        if role is not None:
            effects.extend(by_role(role, value))
        elif looks_like_path(value):
            effects.append(Touch(action="read", path=value, possible=True))
    return effects


def _pairs(pairs: Mapping[str, str], operands: tuple[Field, ...]) -> tuple[tuple[Field, ...], list[Effect]]:
    """Operands written `name=value`."""
    rest: list[Field] = []
    effects: list[Effect] = []
    for operand in operands:
        name, separator, value = operand.text.partition("=")
        if separator and name in pairs:
            effects.extend(by_role(pairs[name], Field(value, operand.glob)))
        else:
            rest.append(operand)
    return tuple(rest), effects


def _printed(prints: str, operands: tuple[Field, ...], roles: Operands) -> list[Effect]:
    """What the program prints: `copy`, `filter`, `names`, `nothing`, `word` (no slash in it), or something nobody reads."""
    del roles
    if prints == "copy":
        return [Output(copies=True)]
    if prints == "filter":
        return [Output(filters=True)]
    if prints == "names":
        return [Output(names=tuple(Field(f"{field.text.rstrip('/')}/**", glob=True) for field in operands))]
    if prints == "nothing":
        return [Output(text="")]
    if prints == "word":
        return [Output(names=(Field("*", glob=True),))]
    return []


def static_effects(model: Model) -> list[Effect]:
    """What a program always does, by its model's `effects`."""
    return effects_of(model.effects)


def looks_like_path(field: Field) -> bool:
    """Whether a text could be meant as a path: it has a slash or a dot in it and is no URL."""
    text = field.text
    if not text or "://" in text or text[0] in "-@%+" or any(char in text for char in " \n\t'\"(){}<>|;,"):
        return False
    return (
        "/" in text or text.startswith(("~", ".")) or ("." in text and not text.replace(".", "").isdecimal())
    )
