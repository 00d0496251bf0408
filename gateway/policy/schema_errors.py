"""What is wrong with a value under a JSON Schema, place by place, in the words that a Cerbos PDP uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from gateway.policy.cel.gotext import double_text as number_text

_KINDS = jsonschema_rs.ValidationErrorKind
_GO_TYPES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    list: "array",
    dict: "object",
    float: "number",
    int: "number",
}
Find = Callable[[list[Any]], Any]
"""The part of a schema at a path, None when it cannot be found."""


def flat_errors(errors: Iterable[Any], find: Find) -> Iterator[tuple[str, str]]:
    """Every error at its innermost place, as (pointer, message). What is missing of one place is one error."""
    missing: dict[tuple[Any, ...], list[str]] = {}
    found: list[tuple[tuple[Any, ...], Any]] = []
    for error in errors:
        kind = error.kind
        if isinstance(kind, _KINDS.Required) and error.schema_path[-1] == "required":
            place = (*error.instance_path, None, *error.schema_path)
            if place in missing:
                missing[place].append(kind.property)
                continue
            missing[place] = [kind.property]
            found.append((place, error))
        else:
            found.append(((), error))
    for place, error in found:
        if place:
            names = ", ".join(_quoted(name) for name in missing[place])
            yield pointer(error.instance_path), f"missing properties: {names}"
        else:
            yield from _one(error, find)


def _one(error: Any, find: Find) -> Iterator[tuple[str, str]]:
    kind, path = error.kind, error.instance_path
    if isinstance(kind, _KINDS.AnyOf | _KINDS.OneOfNotValid):
        for branch in kind.context:
            yield from flat_errors(branch, find)
    elif isinstance(kind, _KINDS.PropertyNames):
        inner = kind.error
        yield pointer([*path, inner.instance]), _message(inner, find)
    elif isinstance(kind, _KINDS.UnevaluatedProperties):
        for name in kind.unexpected:
            yield pointer([*path, name]), "not allowed"
    elif isinstance(kind, _KINDS.UnevaluatedItems):
        prefix = find([*error.schema_path[:-1], "prefixItems"])
        for index in range(len(prefix) if isinstance(prefix, list) else 0, len(error.instance)):
            yield pointer([*path, index]), "not allowed"
    elif isinstance(kind, _KINDS.Contains):
        yield from _contains(error, find)
    else:
        yield pointer(path), _message(error, find)


def _contains(error: Any, find: Find) -> Iterator[tuple[str, str]]:
    """Why each item is not what the list must contain."""
    path = error.instance_path
    schema = find([*error.schema_path[:-1], "contains"])
    most = find([*error.schema_path[:-1], "maxContains"])
    try:
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    except (ValueError, jsonschema_rs.ValidationError):
        yield pointer(path), "contains failed"
        return
    wrong = [
        (index, list(validator.iter_errors(item)))
        for index, item in enumerate(error.instance)
        if not validator.is_valid(item)
    ]
    valid = len(error.instance) - len(wrong)
    if isinstance(most, int | float) and valid > most:
        yield pointer(path), f"valid must be <= {number_text(float(most))}, but got {valid}"
        return
    for index, errors in wrong:
        for below, message in flat_errors(errors, lambda _path: None):
            yield pointer([*path, index]) + ("" if below == "/" else below), message
    if not wrong:
        yield pointer(path), "contains failed"


def _message(error: Any, find: Find) -> str:
    kind, value = error.kind, error.instance
    name = type(kind).__name__
    if name in _SIZES:
        return _SIZES[name].format(limit=kind.limit, size=len(value))
    if name in _BOUNDS:
        return f"must be {_BOUNDS[name]} {_number(kind.limit)} but found {_number(value)}"
    return _OTHERS[name](kind, value, error.schema_path, find) if name in _OTHERS else str(error.message)


_SIZES = {
    "MaxLength": "length must be <= {limit}, but got {size}",
    "MinLength": "length must be >= {limit}, but got {size}",
    "MaxItems": "maximum {limit} items required, but found {size} items",
    "MinItems": "minimum {limit} items required, but found {size} items",
    "MaxProperties": "maximum {limit} properties allowed, but found {size} properties",
    "MinProperties": "minimum {limit} properties allowed, but found {size} properties",
}
_BOUNDS = {"Maximum": "<=", "Minimum": ">=", "ExclusiveMaximum": "<", "ExclusiveMinimum": ">"}


def _type(kind: Any, value: Any, path: list[Any], find: Find) -> str:
    wanted = find(path)
    names = wanted if isinstance(wanted, list) else kind.types
    return f"expected {' or '.join(names)}, but got {_GO_TYPES.get(type(value), 'number')}"


def _constant(kind: Any, _value: Any, _path: list[Any], _find: Find) -> str:
    expected = kind.expected_value
    return "const failed" if isinstance(expected, dict | list) else f"value must be {_shown(expected)}"


def _enumeration(kind: Any, _value: Any, _path: list[Any], _find: Find) -> str:
    options = kind.options
    if any(option is None or isinstance(option, dict | list) for option in options):
        return "enum failed"
    return f"value must be one of {', '.join(map(_shown, options))}"


def _unexpected(kind: Any, _value: Any, _path: list[Any], _find: Find) -> str:
    return f"additionalProperties {', '.join(map(_quoted, kind.unexpected))} not allowed"


def _dependent(kind: Any, value: Any, path: list[Any], find: Find) -> str:
    rules = find(path)
    needing = [
        name for name, needed in (rules or {}).items() if kind.property in needed and name in value
    ] or ["?"]
    return f"property {_quoted(kind.property)} is required, if {_quoted(needing[0])} property exists"


def _several(kind: Any, _value: Any, _path: list[Any], _find: Find) -> str:
    valid = [index for index, errors in enumerate(kind.context) if not errors]
    return f"valid against schemas at indexes {' and '.join(map(str, valid[:2]))}"


def _equal_items(_kind: Any, value: Any, _path: list[Any], _find: Find) -> str:
    texts = [json.dumps(item, sort_keys=True) for item in value]
    for second, text in enumerate(texts):
        first = texts.index(text)
        if first != second:
            return f"items at index {first} and {second} are equal"
    return "items are equal"


_OTHERS: Mapping[str, Callable[[Any, Any, list[Any], Find], str]] = {
    "Type": _type,
    "Constant": _constant,
    "Enum": _enumeration,
    "Format": lambda kind, value, _path, _find: f"{_quoted(value)} is not valid {_quoted(kind.format)}",
    "Pattern": lambda kind, _value, _path, _find: f"does not match pattern {_quoted(kind.pattern)}",
    "Not": lambda _kind, _value, _path, _find: "not failed",
    "FalseSchema": lambda _kind, _value, _path, _find: "not allowed",
    "MultipleOf": lambda kind, value, _path, _find: (
        f"{_number(value)} not multipleOf {_number(kind.multiple_of)}"
    ),
    "AdditionalProperties": _unexpected,
    "Required": _dependent,
    "OneOfMultipleValid": _several,
    "UniqueItems": _equal_items,
}


def _number(value: float) -> str:
    return number_text(float(value))


def _shown(value: Any) -> str:
    """A value of a schema as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value if isinstance(value, str) else _number(value), ensure_ascii=False)


def _quoted(text: str) -> str:
    return "'" + json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def pointer(path: Iterable[Any]) -> str:
    """A JSON pointer, escaped as in a URL; `/` is the whole."""
    parts = [
        quote(part.replace("~", "~0").replace("/", "~1"), safe="~$&+=:@")
        if isinstance(part, str)
        else str(part)
        for part in path
    ]
    return "/" + "/".join(parts)
