"""Parts that policies share: conditions, outputs, definitions, and the small fields with a form of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

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
from gateway.policy.tree import Node, Scalar

_EFFECTS: Mapping[str, Effect] = {
    "EFFECT_ALLOW": "EFFECT_ALLOW",
    "1": "EFFECT_ALLOW",
    "EFFECT_DENY": "EFFECT_DENY",
    "2": "EFFECT_DENY",
}
_PERMISSIONS = (
    "SCOPE_PERMISSIONS_UNSPECIFIED",
    "SCOPE_PERMISSIONS_OVERRIDE_PARENT",
    "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
)
_SCOPE = re.compile(r"(?:\.|[0-9a-zA-Z][\w-]*(?:\.\w[\w-]*)*)\Z", re.ASCII)
_VERSION = re.compile(r"\w+\Z", re.ASCII)
_MATCHES = ("expr", "all", "any", "none")
PLAIN_NAME = re.compile(r"[\w.-]+\Z", re.ASCII)
PLAIN_NAME_FORM = "a name of letters, digits, `_`, `-` and `.`"
SUBJECT = re.compile(r"[^!*?\[\]{}]+\Z")
SUBJECT_FORM = "a name without the characters ! * ? [ ] { }"
RULE_NAME = re.compile(r"[a-zA-Z][\w@.\-]*\Z", re.ASCII)
RULE_NAME_FORM = "a name that begins with a letter, of letters, digits and _ @ . -"


def read_condition(reader: Reader) -> Match | None:
    """The condition of a rule or derived role, None when it has none."""
    condition = reader.mapping("condition", "A condition")
    if condition is None:
        return None
    if "script" in condition.names:
        condition.complaints.add(
            Problem.SCRIPT,
            condition.place("script"),
            "Scripts in conditions are no longer supported.",
            "Write the condition in CEL under `match:`.",
        )
        return None
    condition.only(("match",))
    match = condition.mapping("match", "A match")
    if match is None:
        if "match" not in condition.names:
            condition.complaints.add(
                Problem.BAD_VALUE, condition.place(), "The condition is empty.", "Write `match:` below it."
            )
        return None
    return _match(match)


def _match(reader: Reader) -> Match | None:
    reader.only(_MATCHES)
    kinds = [name for name in _MATCHES if name in reader.names]
    if len(kinds) != 1:
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place(kinds[1] if kinds else ""),
            "A match is exactly one of expr, all, any and none.",
            "Nest several with `all: {of: [ … ]}`.",
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
    return Match(cast("Any", kind), None, tuple(members))


def read_output(reader: Reader) -> OutputTexts | None:
    """The outputs of a rule."""
    output = reader.mapping("output", "An output")
    if output is None:
        return None
    output.only(("expr", "when"))
    old = _expression(output, "expr", empty=True)
    when = output.mapping("when", "`when`")
    activated = not_met = None
    if when is not None:
        when.only(("ruleActivated", "conditionNotMet"))
        activated = _expression(when, "ruleActivated", empty=True)
        not_met = _expression(when, "conditionNotMet", empty=True)
    if old is None and activated is None and not_met is None:
        reader.complaints.add(
            Problem.EMPTY_OUTPUT,
            reader.place("output"),
            "The output has no expression.",
            "Write `when: {ruleActivated: …}` below it, or remove it.",
        )
    return OutputTexts(activated=activated if when is not None else old, not_met=not_met)


def _expression(reader: Reader, name: str, *, empty: bool = False) -> ExpressionText | None:
    node = reader.get(name)
    if node is None:
        return None
    if not isinstance(node, Scalar):
        reader.wrong(node, name, "an expression")
        return None
    if empty and not node.text:
        return None
    return ExpressionText(node.text, reader.at(node), reader.place(name))


def read_expressions(reader: Reader, name: str) -> dict[str, ExpressionText]:
    """A mapping of names to expressions."""
    block = reader.mapping(name, f"`{name}`")
    if block is None:
        return {}
    found = {key: _expression(block, key) for key in block.names}
    return {key: text for key, text in found.items() if text is not None}


def read_values(reader: Reader, name: str) -> dict[str, tuple[object, Place]]:
    """A mapping of names to JSON values."""
    block = reader.mapping(name, f"`{name}`")
    if block is None:
        return {}
    return {key: (block.plain(key), block.place(key)) for key in block.names}


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
        variables=read_expressions(variables, "local") if variables else {},
        old_variables=old,
        constants=read_values(constants, "local") if constants else {},
    )


def read_imports(reader: Reader, name: str) -> tuple[tuple[str, Place], ...]:
    """Names of sets, with their places."""
    return reader.placed_texts(name, pattern=PLAIN_NAME, form=PLAIN_NAME_FORM)


def read_schemas(reader: Reader) -> tuple[SchemaReference | None, SchemaReference | None]:
    """The schemas of the principal and of the resource."""
    schemas = reader.mapping("schemas", "`schemas`")
    if schemas is None:
        return None, None
    schemas.only(("principalSchema", "resourceSchema"))
    return _schema(schemas, "principalSchema"), _schema(schemas, "resourceSchema")


def _schema(schemas: Reader, name: str) -> SchemaReference | None:
    schema = schemas.mapping(name, f"`{name}`")
    if schema is None:
        return None
    schema.only(("ref", "ignoreWhen"))
    ignored: tuple[str, ...] = ()
    ignore = schema.mapping("ignoreWhen", "`ignoreWhen`")
    if ignore is not None:
        ignore.only(("actions",))
        ignored = ignore.texts("actions", required=True)
    return SchemaReference(schema.text("ref", required=True), schema.place("ref"), ignored)


def read_effect(reader: Reader) -> Effect:
    """An effect; a wrong one counts as DENY beside its complaint."""
    text = reader.text("effect", required=True)
    effect = _EFFECTS.get(text)
    if effect is None and text:
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place("effect"),
            f"{text[:40]!r} is no effect.",
            "Write EFFECT_ALLOW or EFFECT_DENY.",
        )
    return effect or "EFFECT_DENY"


def read_permissions(reader: Reader) -> ScopePermissions:
    """What a scope may do to its parent's answers."""
    text = reader.text("scopePermissions") or _PERMISSIONS[0]
    if text in {"0", "1", "2"}:
        text = _PERMISSIONS[int(text)]
    if text not in _PERMISSIONS:
        reader.complaints.add(
            Problem.BAD_VALUE,
            reader.place("scopePermissions"),
            f"{text[:60]!r} is unknown.",
            f"Known: {', '.join(_PERMISSIONS)}.",
        )
        return "SCOPE_PERMISSIONS_UNSPECIFIED"
    return cast("ScopePermissions", text)


def read_version(reader: Reader, *, required: bool = True) -> str:
    """A policy version."""
    form = "a version of letters, digits and `_`"
    return reader.text("version", required=required, pattern=_VERSION, form=form) or "default"


def read_scope(reader: Reader) -> str:
    """A scope; `.` is the root."""
    form = "a scope: names with dots between them, as in acme.payments"
    text = reader.text("scope", pattern=_SCOPE, form=form)
    return "" if text == "." else text


def read_rule_name(reader: Reader, seen: dict[str, Node], node: Node, what: str) -> str:
    """The name of a rule, "" when it has none; equal names would share what their conditions came to."""
    name = reader.text("name", pattern=RULE_NAME, form=RULE_NAME_FORM)
    if name:
        first = seen.setdefault(name, node)
        if first is not node:
            reader.complaints.add(
                Problem.BAD_VALUE,
                reader.place(),
                f"{what} has the same name {name!r} as the one in line {first.line}.",
                "Give every rule a name of its own.",
            )
    return name
