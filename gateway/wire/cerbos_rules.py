"""What must hold of a message's fields: every broken rule is named, in the order of field numbers, as protovalidate does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.wire.cerbos_errors import Violation, invalid
from gateway.wire.cerbos_messages import MESSAGES, Field, Message

_Element = dict[str, Any]


def _element(number: int, name: str, kind: str = "MESSAGE") -> _Element:
    return {"fieldNumber": number, "fieldName": name, "fieldType": f"TYPE_{kind}"}


_REQUIRED = (_element(25, "required", "BOOL"),)
_TEXT, _REPEATED, _MAP = _element(14, "string"), _element(18, "repeated"), _element(19, "map")
_UNIQUE = (_REPEATED, _element(3, "unique", "BOOL"))
_MIN_ITEMS = (_REPEATED, _element(1, "min_items", "UINT64"))
_MIN_LENGTH = _element(2, "min_len", "UINT64")
_OF_ITEMS = (_REPEATED, _element(4, "items"), _TEXT, _MIN_LENGTH)
_OF_KEYS = (_MAP, _element(4, "keys"), _TEXT, _MIN_LENGTH)
_PATTERN = (_TEXT, _element(6, "pattern", "STRING"))
_CHOICE = (_TEXT, _element(10, "in", "STRING"))
_TOO_SHORT = "must be at least 1 characters"


def check_rules(message: Message, value: Mapping[str, Any]) -> None:
    """Raise CerbosError for a message that breaks a rule."""
    found: list[Violation] = []
    _message(message, value, "", (), found)
    if found:
        raise invalid(found)


def _message(
    message: Message, value: Mapping[str, Any], path: str, above: tuple[_Element, ...], found: list[Violation]
) -> None:
    for field in message.fields:
        item = value.get(field.name)
        if not item:
            if field.required and (item is None or field.kind != "message" or field.many):
                _add(found, path, above, field, _REQUIRED, "required", "value is required")
                continue
            if field.min_items:
                rule = f"must contain at least {field.min_items} item(s)"
                _add(found, path, above, field, _MIN_ITEMS, "repeated.min_items", rule)
            if item is None:
                continue
        if field.many == "list":
            _list(field, item, path, above, found)
        elif field.many == "map":
            _keys(field, item, path, above, found)
        elif field.kind == "message":
            _message(MESSAGES[field.message], item, f"{path}{field.name}.", (*above, _of(field)), found)
        elif field.kind == "string":
            _text(field, item, path, above, found)


def _text(field: Field, item: str, path: str, above: tuple[_Element, ...], found: list[Violation]) -> None:
    if not field.fits(item):
        rule = f"does not match regex pattern `{field.pattern}`"
        _add(found, path, above, field, _PATTERN, "string.pattern", rule)
    if field.choices and item not in field.choices:
        rule = f"must be in list [{', '.join(field.choices)}]"
        _add(found, path, above, field, _CHOICE, "string.in", rule)


def _list(
    field: Field, items: list[Any], path: str, above: tuple[_Element, ...], found: list[Violation]
) -> None:
    if field.unique and len(set(items)) != len(items):
        _add(
            found, path, above, field, _UNIQUE, "repeated.unique", "repeated value must contain unique items"
        )
    if field.kind == "message":
        below = MESSAGES[field.message]
        for index, item in enumerate(items):
            element = {**_of(field), "index": str(index)}
            _message(below, item, f"{path}{field.name}[{index}].", (*above, element), found)
    elif field.filled and "" in items:
        for index, item in enumerate(items):
            if not item:
                element = {**_of(field), "index": str(index)}
                where = f"{path}{field.name}[{index}]"
                found.append(Violation(where, (*above, element), _OF_ITEMS, "string.min_len", _TOO_SHORT))


def _keys(
    field: Field, items: Mapping[str, Any], path: str, above: tuple[_Element, ...], found: list[Violation]
) -> None:
    for key, item in items.items() if field.kind == "message" else ():
        element = {**_of(field), "keyType": "TYPE_STRING", "valueType": "TYPE_MESSAGE", "stringKey": key}
        _message(MESSAGES[field.message], item, f'{path}{field.name}["{key}"].', (*above, element), found)
    if field.filled and "" in items:
        element = {**_of(field), "keyType": "TYPE_STRING", "valueType": "TYPE_MESSAGE", "stringKey": ""}
        where = f'{path}{field.name}[""]'
        found.append(Violation(where, (*above, element), _OF_KEYS, "string.min_len", _TOO_SHORT))


def _of(field: Field) -> _Element:
    """The element of a field in a path."""
    plain = field.kind in {"string", "bool"}
    return _element(field.number, field.name, field.kind.upper() if plain else "MESSAGE")


def _add(
    found: list[Violation],
    path: str,
    above: tuple[_Element, ...],
    field: Field,
    rule: tuple[_Element, ...],
    rule_id: str,
    message: str,
) -> None:
    found.append(Violation(f"{path}{field.name}", (*above, _of(field)), rule, rule_id, message))
