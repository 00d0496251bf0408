"""Every key of the configuration as data: its path, type, default and text, read from the structs that define them.

The text of a key is the docstring that stands below it in the source, so that key and text cannot drift apart; commands
that explain or write a configuration, and docs/configuration.md, take it from here.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.inspect import (
    AnyType,
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

from gateway.config import Config

LIST_ITEM = "[]"
NAMED = "<name>"
_INDEX = re.compile(r"\[\d*\]")
_MAPPING = "mapping to "


class Key(Struct, frozen=True, kw_only=True):
    """One key. `path` holds `[]` for each section of a list (`modes[].role`), `<name>` for each of a mapping.

    `words` are the values it can take where these are a closed set. A `section` holds keys and no value of its own.
    """

    path: str
    type: str
    default: Any = None
    words: tuple[str, ...] = ()
    text: str = ""
    section: bool = False
    required: bool = False

    @property
    def repeated(self) -> bool:
        """Whether the key stands in each section of a list or mapping, and so has no value of its own."""
        return LIST_ITEM in self.path or NAMED in self.path


def config_keys() -> tuple[Key, ...]:
    """Every key, in the order of the source, each section before its keys."""
    return tuple(_walk(Config, ""))


def find_key(path: str) -> Key | None:
    """The key of a path, whatever its index (`modes[2].role`); below a mapping (`packs.x.y`) the mapping's own key."""
    plain = _INDEX.sub(LIST_ITEM, path)
    found = {key.path: key for key in config_keys()}
    if plain in found:
        return found[plain]
    while "." in plain:
        plain = plain.rpartition(".")[0]
        if plain in found:
            return found[plain] if found[plain].type.startswith(_MAPPING) else None
    return None


def _walk(struct: type[Struct], above: str) -> Iterator[Key]:
    info = msgspec.inspect.type_info(struct)
    assert isinstance(info, StructType)
    texts = _texts(struct)
    for field in info.fields:
        path = f"{above}{field.encode_name}"
        text = texts.get(field.name, "")
        kind, item, named = _bare(field.type), None, None
        if isinstance(kind, VarTupleType):
            item = _bare(kind.item_type)
        elif isinstance(kind, DictType):
            named = _bare(kind.value_type)
        if isinstance(kind, StructType):
            yield Key(path=path, type="section", text=text or _first_line(kind.cls), section=True)
            yield from _walk(kind.cls, f"{path}.")
        elif isinstance(item, StructType):
            yield Key(path=path, type="list of sections", default=[], text=text or _first_line(item.cls))
            yield from _walk(item.cls, f"{path}{LIST_ITEM}.")
        elif isinstance(named, StructType):
            yield Key(path=path, type=f"{_MAPPING}sections", default={}, text=text or _first_line(named.cls))
            yield from _walk(named.cls, f"{path}.{NAMED}.")
        else:
            yield Key(
                path=path,
                type=_type_words(field.type),
                default=_default(field),
                words=tuple(_words(field.type)),
                text=text,
                required=field.required,
            )


def _bare(kind: Type) -> Type:
    return kind.type if isinstance(kind, Metadata) else kind


def _default(field: Field) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return None if field.default is msgspec.NODEFAULT else json.loads(msgspec.json.encode(field.default))


def _words(kind: Type) -> Iterator[str]:
    kind = _bare(kind)
    if isinstance(kind, LiteralType):
        yield from (str(value) for value in kind.values)
    elif isinstance(kind, UnionType):
        for part in kind.types:
            yield from _words(part)
    elif isinstance(kind, DictType):
        yield from _words(kind.value_type)


def _type_words(kind: Type) -> str:
    """A type as an operator would say it."""
    kind = _bare(kind)
    if isinstance(kind, DictType):
        return f"{_MAPPING}{_type_words(kind.value_type)}"
    if isinstance(kind, LiteralType):
        return " | ".join(str(value) for value in kind.values)
    if isinstance(kind, UnionType):
        return " | ".join("unset" if isinstance(part, NoneType) else _type_words(part) for part in kind.types)
    if isinstance(kind, BoolType):
        return "true | false"
    if isinstance(kind, IntType | FloatType):
        name = "number" if isinstance(kind, FloatType) else "integer"
        if kind.ge is not None and kind.le is not None:
            return f"{name}, {kind.ge} to {kind.le}"
        return f"{name}, at least {kind.ge}" if kind.ge is not None else name
    if isinstance(kind, VarTupleType):
        return f"list of {_type_words(kind.item_type)}"
    if isinstance(kind, StrType):
        return "text"
    assert isinstance(kind, AnyType), kind
    return "anything"


def _texts(struct: type[Struct]) -> Mapping[str, str]:
    """The docstring below each field. Empty where the source is not installed."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(struct)))
    except (OSError, TypeError):
        return {}
    body = tree.body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = _literal(below)
            if text:
                found[field.target.id] = inspect.cleandoc(text)
    return found


def _literal(node: ast.stmt) -> str:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return node.value.value
    return ""


def _first_line(struct: type) -> str:
    return (inspect.getdoc(struct) or "").partition("\n")[0]
