"""The environment of Cerbos: overloads from `signatures.txt`, names and record types (cerbos-sdk "Conditions")."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from gateway.policy.cel.kinds import (
    BOOL,
    DYN,
    OBJECTS,
    PRIMITIVES,
    STRING,
    Kind,
    list_of,
    map_of,
    message,
    optional_of,
    param,
    parse_kind,
    parse_kinds,
    type_of,
)

_LINE: Final = re.compile(r"(?:(?P<target>.+)::)?(?P<name>[^()]+)\((?P<args>.*)\) -> (?P<result>.+)")
_OPERATORS: Final = re.compile(r"(?P<name>[_?:&|!=<>+*/%@in\[\]-]+)\((?P<args>.*)\) -> (?P<result>.+)")

REQUEST: Final = message("cerbos.engine.v1.Request")
PRINCIPAL: Final = message("cerbos.engine.v1.Request.Principal")
RESOURCE: Final = message("cerbos.engine.v1.Request.Resource")
AUX_DATA: Final = message("cerbos.engine.v1.AuxData")
RUNTIME: Final = message("cerbos.engine.v1.Runtime")
VARIABLES: Final = message("cerbos.Variables")

_ATTRIBUTES: Final = map_of(STRING, DYN)
_COMMON: Final = {"id": STRING, "policyVersion": STRING, "scope": STRING, "attr": _ATTRIBUTES}
FIELDS: Final = {
    REQUEST.label: {"principal": PRINCIPAL, "resource": RESOURCE, "auxData": AUX_DATA},
    PRINCIPAL.label: {**_COMMON, "roles": list_of(STRING)},
    RESOURCE.label: {**_COMMON, "kind": STRING},
    AUX_DATA.label: {"jwt": _ATTRIBUTES, "jwts": _ATTRIBUTES},
    RUNTIME.label: {"effectiveDerivedRoles": list_of(STRING)},
}
"""Fields of the record types by their camelCase names."""

NAMES: Final = {
    "request": REQUEST,
    "R": RESOURCE,
    "P": PRINCIPAL,
    "variables": VARIABLES,
    "V": VARIABLES,
    "constants": VARIABLES,
    "C": VARIABLES,
    "globals": VARIABLES,
    "G": VARIABLES,
    "runtime": RUNTIME,
}
"""The names a policy may use, without the names of types."""

_TYPE_NAMES: Final = {
    "bool": BOOL,
    **{name: PRIMITIVES[name] for name in ("int", "uint", "double", "string", "bytes")},
    "null_type": PRIMITIVES["null"],
    "google.protobuf.Timestamp": PRIMITIVES["timestamp"],
    "google.protobuf.Duration": PRIMITIVES["duration"],
    "list": list_of(param("A")),
    "map": map_of(param("A"), param("B")),
    "optional_type": optional_of(param("A")),
    **{kind.label: kind for kind in OBJECTS.values()},
}
TYPE_NAMES: Final = {name: type_of(kind) for name, kind in _TYPE_NAMES.items()} | {
    "type": type_of(type_of(param("A")))
}
"""Names that stand for types, with the type of each."""


class Overload:
    """One signature of a function: the types of its arguments (the receiver first, if `member`) and its result."""

    __slots__ = ("args", "generic", "member", "name", "result")

    def __init__(self, name: str, args: tuple[Kind, ...], result: Kind, *, member: bool) -> None:
        self.name = name
        self.args = args
        self.result = result
        self.member = member
        self.generic = any(map(_has_param, (*args, result)))


def _has_param(kind: Kind) -> bool:
    return kind.name == "param" or any(map(_has_param, kind.params))


@cache
def overloads() -> dict[str, list[Overload]]:
    """Every function by name. Read once from the file beside this module."""
    table: dict[str, list[Overload]] = {}
    for line in (Path(__file__).with_name("signatures.txt")).read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        found = _OPERATORS.fullmatch(line) or _LINE.fullmatch(line)
        if found is None:
            raise ValueError(line)
        groups = found.groupdict()
        target = groups.get("target")
        args = parse_kinds(groups["args"])
        if target:
            args = (parse_kind(target), *args)
        overload = Overload(groups["name"], args, parse_kind(groups["result"]), member=bool(target))
        table.setdefault(overload.name, []).append(overload)
    return table


_SNAKE: Final = {
    "policy_version": "policyVersion",
    "aux_data": "auxData",
    "effective_derived_roles": "effectiveDerivedRoles",
}


def field_name(name: str) -> str:
    """The camelCase name of a record's field, which may be written in protobuf's snake_case too."""
    return _SNAKE.get(name, name)
