"""Whether command models can mean anything: every role, program, trait and reference in them exists.

A misspelt role would silently mean `none`, so a model with one is refused. docs/command-model.md describes the format.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from gateway.domain.attributes import ATTRIBUTE_VALUES
from gateway.facts.shell.effects import Dimension
from gateway.facts.shell.fixed_effects import EFFECT_KINDS
from gateway.facts.shell.models import Change, Model, Operands
from gateway.facts.shell.roles import ROLES

PRINTS: Final = ("", "copy", "filter", "names", "nothing", "word")
_DIMENSIONS: Final = frozenset(msgspec.inspect.type_info(Dimension).values)  # type: ignore[attr-defined]  # a Literal's words
_TRAITS: Final = frozenset(ATTRIBUTE_VALUES["command", "traits"])
_PACKAGE_ACTIONS: Final = ("install", "remove", "publish", "run")
_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "indirect": frozenset({"name"}),
    "credential": frozenset({"all"}),
    "note": frozenset({"leaves"}),
    "package": frozenset({"manager"}),
    "read": frozenset({"tree"}),
    "write": frozenset({"tree"}),
    "delete": frozenset({"tree"}),
}
"""Kind of an effect to the keys that may stand beside it."""


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong with a model: `path` within it (`subcommands.up.operands`), a sentence, and what to do."""

    path: str
    what: str
    remedy: str


def as_model(value: Any) -> Model:
    """A model from plain data; scalars count as the texts they are written as. Raises `msgspec.ValidationError`."""
    return msgspec.convert(_texts(value), Model, strict=False)


def problems_of(
    models: Mapping[str, Model], *, knows: Callable[[str], bool], programs: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    """Every problem with the name of its model. `knows` tells names that `like` may name beside the models themselves."""
    for name, model in models.items():
        if model.like:
            if model.like not in models and not knows(model.like):
                yield (
                    name,
                    Problem(
                        path="like",
                        what=f"there is no model of {model.like!r}",
                        remedy="Name a program that has one.",
                    ),
                )
            elif _circular(name, models):
                yield (
                    name,
                    Problem(
                        path="like",
                        what="it leads back to itself",
                        remedy="Describe one of these programs in full.",
                    ),
                )
        for problem in _of_model(model, "", programs):
            yield name, problem


def _circular(name: str, models: Mapping[str, Model]) -> bool:
    seen = {name}
    while (model := models.get(name)) is not None and model.like:
        if model.like in seen:
            return True
        name = model.like
        seen.add(name)
    return False


def _of_model(model: Model, at: str, programs: Collection[str]) -> Iterator[Problem]:
    if model.program and model.program not in programs:
        yield Problem(
            path=f"{at}program",
            what=f"there is no function {model.program!r}",
            remedy=f"The functions are {', '.join(sorted(programs))}.",
        )
    yield from _of_operands(model.operands, f"{at}operands")
    for section, table in (("options", model.options), ("optional", model.optional), ("pairs", model.pairs)):
        for key, role in table.items():
            if section != "pairs":
                yield from _of_names(key, f"{at}{section}")
            yield from _of_role(role, f"{at}{section}.{key}")
    for key, change in model.flags.items():
        yield from _of_names(key, f"{at}flags")
        yield from _of_change(change, f"{at}flags.{key}.")
    if model.input:
        yield from _of_role(model.input, f"{at}input")
    yield from _of_prints(model.prints, f"{at}prints")
    yield from _of_effects(model.effects, f"{at}effects")
    for name, inner in model.subcommands.items():
        if inner.like and (inner.like not in model.subcommands or _circular(name, model.subcommands)):
            yield Problem(
                path=f"{at}subcommands.{name}.like",
                what=f"there is no subcommand {inner.like!r} to be like",
                remedy="Name a subcommand that stands beside it.",
            )
        yield from _of_model(inner, f"{at}subcommands.{name}.", programs)
    if model.otherwise is not None:
        yield from _of_model(model.otherwise, f"{at}otherwise.", programs)


def _of_change(change: Change, at: str) -> Iterator[Problem]:
    if change.operands is not None:
        yield from _of_operands(change.operands, f"{at}operands")
    yield from _of_prints(change.prints or "", f"{at}prints")
    yield from _of_effects(change.effects, f"{at}effects")


def _of_operands(operands: Operands, at: str) -> Iterator[Problem]:
    if isinstance(operands, str):
        yield from _of_role(operands, at)
        return
    if sum(role.startswith("*") for role in operands) > 1:
        yield Problem(
            path=at,
            what="several roles are for any number of operands",
            remedy="Put `*` before one role only.",
        )
    for role in operands:
        yield from _of_role(role.removeprefix("*"), at)


def _of_role(role: str, at: str) -> Iterator[Problem]:
    if role not in ROLES and not (role.startswith("code:") and len(role) > len("code:")):
        yield Problem(
            path=at,
            what=f"there is no role {role!r}",
            remedy=f"The roles are {', '.join(sorted(ROLES))}, code:LANGUAGE.",
        )


def _of_names(key: str, at: str) -> Iterator[Problem]:
    if not key.split() or any(name[0] not in "-+" or len(name) == 1 for name in key.split()):
        yield Problem(
            path=f"{at}.{key}",
            what=f"{key!r} names no option",
            remedy='Write every spelling with its dash, several in one text: "-o --output".',
        )


def _of_prints(prints: str, at: str) -> Iterator[Problem]:
    if prints not in PRINTS:
        yield Problem(
            path=at, what=f"nothing is printed as {prints!r}", remedy=f"Write {', '.join(PRINTS[1:])}."
        )


def _of_effects(effects: tuple[Mapping[str, str], ...], at: str) -> Iterator[Problem]:
    for number, effect in enumerate(effects):
        yield from _of_effect(effect, f"{at}[{number}]")


def _of_effect(effect: Mapping[str, str], at: str) -> Iterator[Problem]:
    kinds = [kind for kind in EFFECT_KINDS if kind in effect]
    if not kinds:
        yield Problem(
            path=at, what="this is no effect", remedy=f"The effects are {', '.join(sorted(EFFECT_KINDS))}."
        )
        return
    kind = kinds[0]
    beside = sorted(set(effect) - {kind} - _BESIDE.get(kind, frozenset()))
    if beside:
        yield Problem(
            path=at,
            what=f"{beside[0]!r} does not belong to {kind!r}",
            remedy="Write each effect as an entry of its own.",
        )
    odd = sorted(set(effect[kind].split()) - _TRAITS) if kind == "trait" else []
    if odd:
        yield Problem(
            path=at,
            what=f"there is no trait {odd[0]!r}",
            remedy=f"The traits are {', '.join(sorted(_TRAITS))}.",
        )
    if kind == "package" and (effect[kind] not in _PACKAGE_ACTIONS or "manager" not in effect):
        yield Problem(
            path=at,
            what="a package needs an action and its manager",
            remedy=f"Write {{package: install, manager: NAME}}; the actions are {', '.join(_PACKAGE_ACTIONS)}.",
        )
    unknown = sorted(set(effect.get("leaves", "").split()) - _DIMENSIONS)
    if unknown:
        yield Problem(
            path=at,
            what=f"{unknown[0]!r} is nothing that can be left open",
            remedy=f"Write some of {', '.join(sorted(_DIMENSIONS))}.",
        )


def _texts(value: Any) -> Any:
    """Plain data with its scalars as texts: names of programs and options may look like numbers and truths."""
    if isinstance(value, Mapping):
        return {str(key): _texts(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
