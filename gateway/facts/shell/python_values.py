"""Constant folding over a Python syntax tree: texts, paths and names that a one-liner spells out in pieces."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import posixpath
from collections.abc import Sequence
from typing import Final

from gateway.facts.shell.values import Field

MAX_TEXTS: Final = 32
HOME: Final = "\u0002"
"""Stands for the home in a text: Python itself does not take `~` for it."""
_PATH_TYPES: Final = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "Path"})


class Constants:
    """What names of a text stand for, as far as constants tell."""

    def __init__(self, arguments: Sequence[Field]) -> None:
        self._names: dict[str, ast.expr] = {}
        self._loops: dict[str, ast.expr] = {}
        self._imports: dict[str, str] = {}
        self._arguments = [argument.exact for argument in arguments]
        self._depth = 0

    def imported(self, name: str, target: str) -> None:
        """A name stands for a module or something in it."""
        self._imports[name] = target

    def assign(self, name: str, value: ast.expr) -> None:
        """A name stands for an expression."""
        self._names[name] = value

    def loop(self, name: str, values: ast.expr) -> None:
        """A name takes each of several values."""
        self._loops[name] = values

    def name(self, node: ast.expr) -> str:
        """The dotted name that an expression spells, imports followed; "" for other expressions."""
        if isinstance(node, ast.Name):
            value = self._names.get(node.id)
            if value is not None and isinstance(value, (ast.Name, ast.Attribute)) and self._depth < 8:
                self._depth += 1
                found = self.name(value)
                self._depth -= 1
                return found
            return self._imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.name(node.value)
            return f"{owner}.{node.attr}" if owner and not self._is_value(node.value) else ""
        if isinstance(node, ast.Call) and self.name(node.func) in ("__import__", "importlib.import_module"):
            return self.text(node.args[0]) or "" if node.args else ""
        return ""

    def _is_value(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and (node.id in self._names or node.id in self._loops)

    def text(self, node: ast.expr) -> str | None:
        """The one text an expression is, None when it is not known."""
        texts = self.texts(node)
        return texts[0] if texts is not None and len(texts) == 1 else None

    def texts(self, node: ast.expr) -> list[str] | None:
        """The texts an expression may be, None when nobody knows."""
        self._depth += 1
        try:
            return self._texts(node) if self._depth < 32 else None
        finally:
            self._depth -= 1

    def path(self, node: ast.expr) -> str | None:
        """The path of an expression that is a `pathlib.Path`, else None."""
        if isinstance(node, ast.Call) and self.name(node.func) in _PATH_TYPES:
            parts = [self.text(argument) for argument in node.args]
            known = [part for part in parts if part is not None]
            return (
                posixpath.join(*known) if known and len(known) == len(parts) else "." if not parts else None
            )
        if isinstance(node, ast.Call) and self.name(node.func) in ("pathlib.Path.home", "Path.home"):
            return HOME
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left, right = self.path(node.left), self.text(node.right)
            return posixpath.join(left, right) if left is not None and right is not None else None
        if isinstance(node, ast.Name) and node.id in self._names:
            return self.path(self._names[node.id])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("expanduser", "resolve", "absolute"):
                found = self.path(node.func.value)
                return _at_home(found) if found is not None and node.func.attr == "expanduser" else found
            if node.func.attr == "joinpath":
                owner, part = self.path(node.func.value), self.text(node.args[0]) if node.args else None
                return posixpath.join(owner, part) if owner is not None and part is not None else None
        return None

    def _texts(self, node: ast.expr) -> list[str] | None:
        if isinstance(node, ast.Constant):
            return _constant(node.value)
        if isinstance(node, ast.Name):
            if node.id in self._loops:
                return self._items(self._loops[node.id])
            return self.texts(self._names[node.id]) if node.id in self._names else None
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.JoinedStr):
            return self._joined(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Call):
            path = self.path(node)
            return [path] if path is not None else self._call(node)
        return None

    def _items(self, node: ast.expr) -> list[str] | None:
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return None
        found: list[str] = []
        for item in node.elts:
            texts = self.texts(item)
            if texts is None:
                return None
            found.extend(texts)
        return found[:MAX_TEXTS]

    def _binary(self, node: ast.BinOp) -> list[str] | None:
        path = self.path(node)
        if path is not None:
            return [path]
        left, right = self.texts(node.left), self.texts(node.right)
        if isinstance(node.op, ast.Add) and left is not None and right is not None:
            return [mine + yours for mine in left for yours in right][:MAX_TEXTS]
        if isinstance(node.op, ast.Mod) and left is not None and len(left) == 1:
            values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            texts = [self.text(value) for value in values]
            if all(text is not None for text in texts) and left[0].count("%s") == len(texts):
                return [left[0] % tuple(texts)]
        return None

    def _joined(self, node: ast.JoinedStr) -> list[str] | None:
        pieces: list[str] = []
        for value in node.values:
            text = self.text(value.value if isinstance(value, ast.FormattedValue) else value)
            if text is None:
                return None
            pieces.append(text)
        return ["".join(pieces)]

    def _subscript(self, node: ast.Subscript) -> list[str] | None:
        if self.name(node.value) == "sys.argv":
            index = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(index, int) and 0 < index <= len(self._arguments):
                found = self._arguments[index - 1]
                return [found] if found is not None else None
            return None
        if self.name(node.value) == "os.environ" and self.text(node.slice) == "HOME":
            return [HOME]
        text = self.text(node.value)
        if text is not None and isinstance(node.slice, ast.Slice):
            step = node.slice.step
            if (
                node.slice.lower is None
                and node.slice.upper is None
                and isinstance(step, ast.UnaryOp)
                and isinstance(step.operand, ast.Constant)
                and step.operand.value == 1
            ):
                return [text[::-1]]
        return None

    def _call(self, node: ast.Call) -> list[str] | None:
        name = self.name(node.func)
        first = self.text(node.args[0]) if node.args else None
        if name in ("os.path.join", "posixpath.join"):
            parts = [self.text(argument) for argument in node.args]
            known = [part for part in parts if part is not None]
            return [posixpath.join(*known)] if known and len(known) == len(parts) else None
        if name in ("os.path.expanduser", "posixpath.expanduser"):
            return [_at_home(first)] if first is not None else None
        if name in ("os.getenv", "os.environ.get") and first == "HOME":
            return [HOME]
        if name in ("os.path.abspath", "os.path.realpath", "str", "os.fspath"):
            return [first] if first is not None else None
        if name == "chr" and node.args and isinstance(node.args[0], ast.Constant):
            code = node.args[0].value
            return [chr(code)] if isinstance(code, int) and 0 <= code < 0x110000 else None
        if name in ("bytes.fromhex", "binascii.unhexlify", "base64.b64decode", "codecs.decode"):
            return _decoded(name, first, self.text(node.args[1]) if len(node.args) > 1 else None)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node)
        return None

    def _method(self, function: ast.Attribute, node: ast.Call) -> list[str] | None:
        owner = self.text(function.value)
        arguments = [self.text(argument) for argument in node.args]
        if owner is None:
            return None
        if function.attr == "join" and node.args:
            items = self._items(node.args[0])
            return [owner.join(items)] if items is not None else None
        if function.attr in ("decode", "encode"):
            return [owner]
        if function.attr in ("strip", "lower", "upper", "lstrip", "rstrip") and not arguments:
            return [getattr(owner, function.attr)()]
        if function.attr == "replace" and len(arguments) == 2 and None not in arguments:
            return [owner.replace(arguments[0] or "", arguments[1] or "")]
        if function.attr == "format" and all(argument is not None for argument in arguments):
            try:
                return [owner.format(*arguments)] if len(owner) < 1000 and not node.keywords else None
            except (IndexError, KeyError, ValueError, AttributeError):
                return None
        return None


def _at_home(text: str) -> str:
    return HOME + text[1:] if text == "~" or text.startswith("~/") else text


def _constant(value: object) -> list[str] | None:
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("utf-8", "surrogateescape")]
    return None


def _decoded(name: str, text: str | None, codec: str | None) -> list[str] | None:
    if text is None:
        return None
    try:
        if name == "base64.b64decode":
            return [base64.b64decode(text).decode("utf-8", "surrogateescape")]
        if name == "codecs.decode":
            if codec in ("rot13", "rot_13"):
                return [codecs.decode(text, "rot13")]
            return [bytes.fromhex(text).decode("utf-8", "surrogateescape")] if codec == "hex" else [text]
        return [bytes.fromhex(text.replace(" ", "")).decode("utf-8", "surrogateescape")]
    except (ValueError, binascii.Error):
        return None
