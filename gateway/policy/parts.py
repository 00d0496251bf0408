"""Parts that policies share: conditions, outputs, definitions, and the small fields with a form of their own."""

from __future__ import annotations

import re
from typing import cast

from gateway.policy.fields import Reader
from gateway.policy.model import (
    Definitions,
    Effect,
    ExpressionText,
    Match,
    OutputTexts,
    SchemaReference,
    ScopePermissions,
)
from gateway.policy.problems import Place, Problem
from gateway.policy.source import Scalar

_EFFECTS = ("EFFECT_ALLOW", "EFFECT_DENY")
_PERMISSIONS = (
    "SCOPE_PERMISSIONS_UNSPECIFIED",
    "SCOPE_PERMISSIONS_OVERRIDE_PARENT",
    "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
)
_SCOPE = re.compile(r"(?:[0-9a-zA-Z][\w-]*(?:\.[\w-]*)*)?\Z")
_VERSION = re.compile(r"\w+\Z")


def read_condition(reader: Reader) -> Match | None:
    """The condition of a rule or derived role, None when it has none."""
    condition = reader.mapping("condition", "A condition")
    if condition is None:
        return None
    if "script" in condition.node.fields:
        condition.complaints.add(
            Problem.SCRIPT,
            condition.place("script"),
            "Scripts in conditions are no longer supported.",
            "Write `match:`.",
        )
        return None
    condition.only(("match",))
    match = condition.mapping("match", "A match")
    return None if match is None else _match(match)


def _match(reader: Reader) -> Match | None:
    reader.only(("expr", "all", "any", "none"))
    kinds = [name for name in ("expr", "all", "any", "none") if name in reader.node.fields]
    if len(kinds) != 1:
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place(),
            "A match is one of expr, all, any, none.",
            "Nest them with `of`.",
        )
        return None
    kind = kinds[0]
    if kind == "expr":
        text = _expression(reader, "expr")
        return None if text is None else Match("expr", text)
    block = reader.mapping(kind, f"`{kind}`")
    if block is None:
        return None
    block.only(("of",))
    members: list[Match] = []
    for node in block.items("of", required=True):
        below = block.enter(node, "A member of `of`")
        member = None if below is None else _match(below)
        if member is not None:
            members.append(member)
    return Match(kind, None, tuple(members))


def read_output(reader: Reader) -> OutputTexts | None:
    """The outputs of a rule."""
    output = reader.mapping("output", "An output")
    if output is None:
        return None
    output.only(("expr", "when"))
    old = _expression(output, "expr")
    when = output.mapping("when", "`when`")
    if when is None:
        if old is None:
            output.complaints.add(
                Problem.EMPTY_OUTPUT, output.place(), "The output is empty.", "Write `when:`."
            )
        return OutputTexts(activated=old)
    when.only(("ruleActivated", "conditionNotMet"))
    activated, not_met = _expression(when, "ruleActivated"), _expression(when, "conditionNotMet")
    if activated is None and not_met is None:
        when.complaints.add(
            Problem.EMPTY_OUTPUT, when.place(), "The output is empty.", "Write `ruleActivated:`."
        )
    return OutputTexts(activated=activated or old, not_met=not_met)


def _expression(reader: Reader, name: str) -> ExpressionText | None:
    node = reader.get(name)
    if node is None:
        return None
    if not isinstance(node, Scalar):
        reader.wrong(node, name, "an expression")
        return None
    return ExpressionText(node.text, reader.at(node))


def read_expressions(reader: Reader, name: str) -> dict[str, ExpressionText]:
    """A mapping of names to expressions."""
    block = reader.mapping(name, f"`{name}`")
    if block is None:
        return {}
    found = {key: _expression(block, key) for key in block.node.fields}
    return {key: text for key, text in found.items() if text is not None}


def read_values(reader: Reader, name: str) -> dict[str, tuple[object, Place]]:
    """A mapping of names to JSON values."""
    block = reader.mapping(name, f"`{name}`")
    if block is None:
        return {}
    return {key: (node.plain(), block.place(key)) for key, node in block.node.fields.items()}


def read_definitions(reader: Reader, old: dict[str, ExpressionText]) -> Definitions:
    """Variables and constants of a policy."""
    variables = reader.mapping("variables", "`variables`")
    constants = reader.mapping("constants", "`constants`")
    if variables is not None:
        variables.only(("import", "local"))
    if constants is not None:
        constants.only(("import", "local"))
    return Definitions(
        variable_imports=read_imports(variables, "import") if variables else (),
        constant_imports=read_imports(constants, "import") if constants else (),
        variables={**old, **(read_expressions(variables, "local") if variables else {})},
        constants=read_values(constants, "local") if constants else {},
    )


def read_imports(reader: Reader, name: str) -> tuple[tuple[str, Place], ...]:
    """Names with their places."""
    return tuple((node.text, reader.at(node)) for node in reader.items(name) if isinstance(node, Scalar))


def read_schema(reader: Reader, name: str) -> SchemaReference | None:
    """One schema reference."""
    schemas = reader.mapping("schemas", "`schemas`")
    if schemas is None:
        return None
    schemas.only(("principalSchema", "resourceSchema"))
    schema = schemas.mapping(name, f"`{name}`")
    if schema is None:
        return None
    schema.only(("ref", "ignoreWhen"))
    ignore = schema.mapping("ignoreWhen", "`ignoreWhen`")
    return SchemaReference(
        schema.text("ref", required=True), schema.place("ref"), ignore.texts("actions") if ignore else ()
    )


def read_effect(reader: Reader) -> Effect:
    """An effect; a wrong one counts as DENY beside its complaint."""
    effect = reader.text("effect", required=True)
    if effect and effect not in _EFFECTS:
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place("effect"),
            f"{effect!r} is no effect.",
            f"Write {' or '.join(_EFFECTS)}.",
        )
    return "EFFECT_ALLOW" if effect == "EFFECT_ALLOW" else "EFFECT_DENY"


def read_permissions(reader: Reader) -> ScopePermissions:
    """What a scope may do to its parent's answers."""
    text = reader.text("scopePermissions") or _PERMISSIONS[0]
    if text not in _PERMISSIONS:
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place("scopePermissions"),
            f"{text!r} is unknown.",
            f"Known: {', '.join(_PERMISSIONS)}.",
        )
        return "SCOPE_PERMISSIONS_UNSPECIFIED"
    return cast("ScopePermissions", text)


def read_version(reader: Reader, *, required: bool = True) -> str:
    """A policy version."""
    text = reader.text("version", required=required)
    if text and not _VERSION.match(text):
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place("version"),
            f"{text!r} is no version.",
            "Use letters, digits and `_`.",
        )
    return text or "default"


def read_scope(reader: Reader) -> str:
    """A scope; `.` is the root."""
    text = reader.text("scope")
    if text == ".":
        return ""
    if not _SCOPE.match(text):
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place("scope"),
            f"{text!r} is no scope.",
            "Write names with dots: acme.payments.",
        )
    return text


def read_matching(reader: Reader, name: str, pattern: re.Pattern[str], what: str) -> str:
    """A required text of a form."""
    text = reader.text(name, required=True)
    if text and not pattern.match(text):
        reader.complaints.add(
            Problem.BAD_VALUE, reader.place(name), f"{text!r} is not {what}.", f"Write {what}."
        )
    return text
