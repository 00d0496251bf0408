"""Suite files and fixture files to values: shapes read, rules of the format checked, every trouble named at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar, cast

from gateway.domain.check import AuxData, Effect, Resource
from gateway.domain.principal import Principal
from gateway.policy.json_source import parse_json
from gateway.policy.problems import PolicyProblem
from gateway.policy.source import parse
from gateway.policy.suites.instants import parse_instant
from gateway.policy.suites.model import (
    Expectation,
    ExpectedOutput,
    Fixtures,
    Names,
    Options,
    Suite,
    SuiteFault,
    Table,
)
from gateway.policy.suites.nodes import Fields, Troubles, kind_of, value_place
from gateway.policy.tree import Mapping as MappingNode

Parsed = TypeVar("Parsed")
_EFFECTS = {
    "EFFECT_ALLOW": "EFFECT_ALLOW",
    "1": "EFFECT_ALLOW",
    "EFFECT_DENY": "EFFECT_DENY",
    "2": "EFFECT_DENY",
}
_OTHER_EFFECTS = frozenset({"EFFECT_UNSPECIFIED", "0", "EFFECT_NO_MATCH", "3"})
_SCOPE = re.compile(r"(?:|\.|[0-9a-zA-Z][\w-]*(?:\.\w[\w-]*)*)\Z", re.ASCII)
_SCOPE_RULE = r"does not match regex pattern `^(^$|\.|[0-9a-zA-Z][\w\-]*(\.\w[\w\-]*)*)$`"
_VERSION = re.compile(r"\w*\Z", re.ASCII)
_VERSION_RULE = r"does not match regex pattern `^[\w]*$`"

_SUITE = frozenset(
    {
        "$schema", "name", "description", "skip", "skipReason", "tests", "principals", "resources", "auxData", "options",
        "principalGroups", "resourceGroups",
    }
)  # fmt: skip
_TABLE = frozenset({"name", "description", "skip", "skipReason", "input", "expected", "options"})
_INPUT = frozenset({"principals", "resources", "principalGroups", "resourceGroups", "actions", "auxData"})
_EXPECTED = frozenset(
    {
        "principal",
        "principals",
        "principalGroups",
        "resource",
        "resources",
        "resourceGroups",
        "actions",
        "outputs",
    }
)
_OPTIONS = frozenset(
    {"now", "globals", "defaultPolicyVersion", "defaultScope", "lenientScopeSearch", "strictEvaluation"}
)
PRINCIPAL_FIELDS = frozenset({"id", "policyVersion", "roles", "attr", "scope"})
RESOURCE_FIELDS = frozenset({"kind", "policyVersion", "id", "attr", "scope"})


def parse_suite(data: bytes, file: str) -> Suite:
    """A suite file. Raises SuiteFault with everything that is wrong with it."""
    return parse_message(data, file, _SUITE, _suite)


def parse_principals(data: bytes, file: str) -> Fixtures:
    """`testdata/principals.yaml`. Raises SuiteFault."""
    return parse_message(data, file, frozenset({"$schema", "principals", "principalGroups"}), _fixtures)


def parse_resources(data: bytes, file: str) -> Fixtures:
    """`testdata/resources.yaml`. Raises SuiteFault."""
    return parse_message(data, file, frozenset({"$schema", "resources", "resourceGroups"}), _fixtures)


def parse_aux_data(data: bytes, file: str) -> Fixtures:
    """`testdata/auxdata.yaml`. Raises SuiteFault."""
    return parse_message(data, file, frozenset({"$schema", "auxData"}), _fixtures)


def parse_message(data: bytes, file: str, known: frozenset[str], read: Callable[[Fields], Parsed]) -> Parsed:
    """One message of a file, with these fields. Raises SuiteFault with everything that is wrong."""
    try:
        text = data.decode("utf-8-sig")
        nodes = parse_json(text, file) if file.endswith(".json") else parse(text, file)
    except UnicodeDecodeError:
        raise SuiteFault("\n1:1 invalid document: contents are not UTF-8 text") from None
    except PolicyProblem as problem:
        raise SuiteFault(f"\n{problem.line}:{problem.column} {problem.message}") from None
    if len(nodes) > 1:
        raise SuiteFault("\nmore than one YAML document detected")
    node = nodes[0] if nodes else MappingNode(1, 1)
    if not isinstance(node, MappingNode):
        raise SuiteFault("\n1:1 invalid document: contents are not valid YAML or JSON")
    troubles = Troubles()
    value = read(Fields(node, troubles, "", known))
    if troubles.found:
        raise SuiteFault(f"\n{troubles.found}")
    return value


def _suite(fields: Fields) -> Suite:
    name = fields.text("name", required=True)
    tables = tuple(
        _table(below)
        for number, node in enumerate(fields.items("tests"))
        if (below := fields.enter(node, f"tests[{number}]", _TABLE)) is not None
    )
    fields.demand("tests", present=bool(fields.items("tests")))
    return Suite(
        name=name,
        description=fields.text("description"),
        skip=fields.flag("skip"),
        skip_reason=fields.text("skipReason"),
        options=_options(fields) or Options(),
        fixtures=_fixtures(fields),
        tables=tables,
    )


def _fixtures(fields: Fields) -> Fixtures:
    return Fixtures(
        principals=fields.messages("principals", PRINCIPAL_FIELDS, read_principal),
        resources=fields.messages("resources", RESOURCE_FIELDS, read_resource),
        aux_data=fields.messages("auxData", frozenset({"jwt", "jwts"}), read_aux_data),
        principal_groups=fields.messages("principalGroups", frozenset({"principals"}), _group("principals")),
        resource_groups=fields.messages("resourceGroups", frozenset({"resources"}), _group("resources")),
    )


def read_principal(fields: Fields) -> Principal:
    """A principal."""
    identifier = fields.text("id", required=True)
    roles = fields.texts("roles", unique=True)
    fields.demand("roles", present=bool(roles))
    return Principal(
        id=identifier,
        roles=roles,
        attr=fields.values("attr"),
        policy_version=_matching(fields, "policyVersion", _VERSION, _VERSION_RULE),
        scope=_matching(fields, "scope", _SCOPE, _SCOPE_RULE),
    )


def read_resource(fields: Fields) -> Resource:
    """A resource."""
    kind = fields.text("kind", required=True)
    identifier = fields.text("id", required=True)
    return Resource(
        kind,
        identifier,
        fields.values("attr"),
        _matching(fields, "policyVersion", _VERSION, _VERSION_RULE),
        _matching(fields, "scope", _SCOPE, _SCOPE_RULE),
    )


def read_aux_data(fields: Fields) -> AuxData:
    """Claims of one token, or of several by name."""
    tokens = fields.messages("jwts", frozenset({"claims"}), lambda token: {"claims": token.values("claims")})
    return AuxData(jwt=fields.values("jwt"), jwts=tokens)


def _group(name: str) -> Callable[[Fields], tuple[str, ...]]:
    def read(fields: Fields) -> tuple[str, ...]:
        members = fields.texts(name, unique=True)
        fields.demand(name, present=bool(members))
        return members

    return read


def _options(fields: Fields) -> Options | None:
    options = fields.message("options", _OPTIONS)
    if options is None:
        return None
    return Options(
        now=read_now(options),
        globals=options.values("globals"),
        default_version=_matching(options, "defaultPolicyVersion", _VERSION, _VERSION_RULE),
        default_scope=_matching(options, "defaultScope", _SCOPE, _SCOPE_RULE),
        lenient_scope_search=options.flag("lenientScopeSearch"),
        strict_evaluation=options.flag("strictEvaluation"),
    )


def read_now(options: Fields) -> int | None:
    """The field `now`, None when it is absent."""
    node = options.node_of("now")
    if node is None:
        return None
    if not isinstance(node.plain(), str):
        options.troubles.shape(node, f"expected string got {kind_of(node)}")
        return None
    text = options.as_text(node)
    try:
        return parse_instant(text)
    except ValueError as error:
        options.troubles.shape(node, f'invalid timestamp value "{text}": {error}')
        return None


def _table(fields: Fields) -> Table:
    name = fields.text("name", required=True)
    given = fields.message("input", _INPUT)
    fields.demand("input", present=given is not None)
    expected = tuple(
        _expectation(below)
        for number, node in enumerate(fields.items("expected"))
        if (below := fields.enter(node, f"{fields.below('expected')}[{number}]", _EXPECTED)) is not None
    )
    fields.demand("expected", present=bool(fields.items("expected")))
    return Table(
        name=name,
        names=Names() if given is None else _input_names(given, fields.place("input")),
        actions=() if given is None else _actions(given),
        aux_data="" if given is None else given.text("auxData"),
        expected=expected,
        skip=fields.flag("skip"),
        skip_reason=fields.text("skipReason"),
        options=_options(fields),
    )


def _actions(given: Fields) -> tuple[str, ...]:
    actions = given.texts("actions", unique=True)
    given.demand("actions", present=bool(actions))
    return actions


def _input_names(given: Fields, place: tuple[int, int]) -> Names:
    names = _names(given)
    for single, single_names, groups in (
        ("principals", names.principals, names.principal_groups),
        ("resources", names.resources, names.resource_groups),
    ):
        if not single_names and not groups:
            given.troubles.rule(place, given.path, f"{single} or {single[:-1]}Groups must be present")
    return names


def _names(fields: Fields) -> Names:
    return Names(
        principals=fields.texts("principals", unique=True),
        resources=fields.texts("resources", unique=True),
        principal_groups=fields.texts("principalGroups", unique=True),
        resource_groups=fields.texts("resourceGroups", unique=True),
    )


def _expectation(fields: Fields) -> Expectation:
    names = _names(fields)
    place = value_place(fields.node)
    single: dict[str, tuple[str, ...]] = {}
    for one in ("principal", "resource"):
        many = f"{one}s"
        text = fields.text(one)
        listed = names.principals if one == "principal" else names.resources
        if text and listed:
            fields.troubles.rule(place, fields.path, f"{one} and {many} may not both be present")
        elif not text and not listed and not fields.texts(f"{one}Groups"):
            fields.troubles.rule(place, fields.path, f"{one}, {many}, or {one}Groups must be present")
        single[one] = (text,) if text else listed
    return Expectation(
        names=Names(
            principals=single["principal"],
            resources=single["resource"],
            principal_groups=names.principal_groups,
            resource_groups=names.resource_groups,
        ),
        actions=_effects(fields),
        outputs=tuple(
            _outputs(below)
            for number, node in enumerate(fields.items("outputs"))
            if (
                below := fields.enter(
                    node, f"{fields.below('outputs')}[{number}]", frozenset({"action", "expected"})
                )
            )
            is not None
        ),
    )


def _effects(fields: Fields) -> dict[str, Effect]:
    found: dict[str, Effect] = {}
    entries = fields.entries("actions")
    for action, node in entries.items():
        text = fields.as_text(node)
        if text in _EFFECTS:
            found[action] = cast("Effect", _EFFECTS[text])
        elif text in _OTHER_EFFECTS:
            path = f'{fields.below("actions")}["{action}"]'
            fields.troubles.rule(value_place(node), path, "must be one of [EFFECT_ALLOW, EFFECT_DENY]")
        else:
            fields.troubles.shape(node, f'invalid enum value "{text}"')
    fields.demand("actions", present=bool(entries))
    return found


def _outputs(fields: Fields) -> tuple[str, tuple[ExpectedOutput, ...]]:
    action = fields.text("action", required=True)
    found: list[ExpectedOutput] = []
    for number, node in enumerate(fields.items("expected")):
        path = f"{fields.below('expected')}[{number}]"
        below = fields.enter(node, path, frozenset({"src", "val"}))
        if below is not None:
            val = below.node.fields.get("val")
            found.append(ExpectedOutput(below.text("src"), None if val is None else val.plain()))
    fields.demand("expected", present=bool(fields.items("expected")))
    return action, tuple(found)


def _matching(fields: Fields, name: str, pattern: re.Pattern[str], rule: str) -> str:
    text = fields.text(name)
    if not pattern.match(text):
        fields.troubles.rule(fields.place(name), fields.below(name), rule)
    return text
