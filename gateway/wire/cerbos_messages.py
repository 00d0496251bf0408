"""The messages that a Cerbos PDP takes, as a table: fields, their types and what must hold of them.

Source: the Cerbos API 0.55 and the OpenID AuthZEN Authorization API 1.0 as Cerbos serves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

_VERSION = r"^[\w]*$"
_SCOPE = r"^(^$|\.|[0-9a-zA-Z][\w\-]*(\.\w[\w\-]*)*)$"
_COMPILED = {
    _VERSION: re.compile(r"\w*\Z", re.ASCII),
    _SCOPE: re.compile(r"(?:|\.|[0-9a-zA-Z][\w\-]*(?:\.\w[\w\-]*)*)\Z", re.ASCII),
}
SEMANTICS = ("", "execute_all", "deny_on_first_deny", "permit_on_first_permit")

Kind = Literal["string", "bool", "message", "value"]


class Field(Struct, frozen=True, kw_only=True):
    """One field of a message. `many`: a list, or a map from strings."""

    number: int
    name: str
    json: str
    kind: Kind = "string"
    message: str = ""
    many: Literal["", "list", "map"] = ""
    required: bool = False
    unique: bool = False
    min_items: int = 0
    filled: bool = False
    """Whether no text of a list, no key of a map may be empty."""
    pattern: str = ""
    choices: tuple[str, ...] = ()

    def fits(self, text: str) -> bool:
        """Whether a text matches the pattern."""
        return not self.pattern or _COMPILED[self.pattern].match(text) is not None


class Message(Struct, frozen=True):
    """A message's fields by number, and by both spellings of their names."""

    name: str
    fields: tuple[Field, ...]
    by_name: Mapping[str, Field]


def _message(name: str, *fields: Field) -> Message:
    by_name = {field.name: field for field in fields} | {field.json: field for field in fields}
    return Message(name, fields, by_name)


def _text(number: int, name: str, *, required: bool = False, pattern: str = "") -> Field:
    return Field(number=number, name=name, json=_camel(name), required=required, pattern=pattern)


def _texts(number: int, name: str) -> Field:
    return Field(
        number=number, name=name, json=_camel(name), many="list", required=True, unique=True, filled=True
    )


def _below(number: int, name: str, message: str, *, required: bool = False) -> Field:
    return Field(
        number=number, name=name, json=_camel(name), kind="message", message=message, required=required
    )


def _list(number: int, name: str, message: str, *, required: bool = False, min_items: int = 0) -> Field:
    return Field(
        number=number, name=name, json=_camel(name), kind="message", message=message, many="list",
        required=required, min_items=min_items,
    )  # fmt: skip


def _map(number: int, name: str, message: str, *, required: bool = False) -> Field:
    return Field(
        number=number,
        name=name,
        json=_camel(name),
        kind="message",
        message=message,
        many="map",
        required=required,
    )


def _values(number: int, name: str, *, filled: bool = True) -> Field:
    return Field(number=number, name=name, json=_camel(name), kind="value", many="map", filled=filled)


def _flag(number: int, name: str) -> Field:
    return Field(number=number, name=name, json=_camel(name), kind="bool")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


_ALL = (
    _message(
        "Principal",
        _text(1, "id", required=True),
        _text(2, "policy_version", pattern=_VERSION),
        _texts(3, "roles"),
        _values(4, "attr"),
        _text(5, "scope", pattern=_SCOPE),
    ),
    _message(
        "Resource",
        _text(1, "kind", required=True),
        _text(2, "policy_version", pattern=_VERSION),
        _text(3, "id", required=True),
        _values(4, "attr"),
        _text(5, "scope", pattern=_SCOPE),
    ),
    _message("Jwt", _text(1, "token", required=True), _text(2, "key_set_id")),
    _message("AuxData", _below(1, "jwt", "Jwt"), _map(2, "jwts", "Jwt")),
    _message("RequestContext", _values(1, "annotations", filled=False)),
    _message("ResourceEntry", _texts(1, "actions"), _below(2, "resource", "Resource", required=True)),
    _message(
        "CheckResources",
        _text(1, "request_id"),
        _flag(2, "include_meta"),
        _below(3, "principal", "Principal", required=True),
        _list(4, "resources", "ResourceEntry", required=True),
        _below(5, "aux_data", "AuxData"),
        _below(6, "request_context", "RequestContext"),
    ),
    _message(
        "CheckResourceBatch",
        _text(1, "request_id"),
        _below(2, "principal", "Principal", required=True),
        _list(3, "resources", "ResourceEntry", required=True),
        _below(4, "aux_data", "AuxData"),
        _below(5, "request_context", "RequestContext"),
    ),
    _message("AttributesMap", _values(1, "attr", filled=False)),
    _message(
        "ResourceSet",
        _text(1, "kind", required=True),
        _text(2, "policy_version", pattern=_VERSION),
        _map(3, "instances", "AttributesMap", required=True),
        _text(4, "scope", pattern=_SCOPE),
    ),
    _message(
        "CheckResourceSet",
        _text(1, "request_id"),
        _texts(2, "actions"),
        _below(3, "principal", "Principal", required=True),
        _below(4, "resource", "ResourceSet", required=True),
        _flag(5, "include_meta"),
        _below(6, "aux_data", "AuxData"),
        _below(7, "request_context", "RequestContext"),
    ),
    _message(
        "Subject", _text(1, "type", required=True), _text(2, "id", required=True), _values(3, "properties")
    ),
    _message(
        "Object", _text(1, "type", required=True), _text(2, "id", required=True), _values(3, "properties")
    ),
    _message("Action", _text(1, "name", required=True), _values(2, "properties")),
    _message(
        "AccessEvaluation",
        _below(1, "subject", "Subject", required=True),
        _below(2, "resource", "Object", required=True),
        _below(3, "action", "Action", required=True),
        _values(4, "context"),
    ),
    _message(
        "Evaluation",
        _below(1, "subject", "Subject"),
        _below(2, "resource", "Object"),
        _below(3, "action", "Action"),
        _values(4, "context"),
    ),
    _message(
        "EvaluationOptions",
        # AuthZEN names this one in snake case; Cerbos takes both.
        Field(
            number=1,
            name="evaluations_semantic",
            json="evaluationsSemantic",
            choices=SEMANTICS,
        ),
    ),
    _message(
        "AccessEvaluationBatch",
        _below(1, "subject", "Subject"),
        _below(2, "resource", "Object"),
        _below(3, "action", "Action"),
        _values(4, "context"),
        _list(5, "evaluations", "Evaluation", min_items=1),
        _below(6, "options", "EvaluationOptions"),
    ),
)
MESSAGES: Mapping[str, Message] = {message.name: message for message in _ALL}
