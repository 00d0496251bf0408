"""The one choke point before the record: secrets erased and listed, contents replaced by their digest, sizes capped.

Order is redact, hash, store: what is erased here never existed for the chain, and can never be got back from it. A digest
is keyed (HMAC-SHA-256), so that short values cannot be guessed from it. Patterns are RE2: linear time for any text.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec
import re2
import yaml
from msgspec import UNSET, Struct, structs

from gateway.audit.capping import (
    MARGIN_CHARACTERS,
    TEXT_CHARACTERS,
    TIGHT_CHARACTERS,
    TIGHT_ITEMS,
    as_utf8,
    finally_cut,
    longest_text,
    roughly,
)
from gateway.domain.record import Record

INPUT_BYTES = 64 * 1024
RECORD_BYTES = 192 * 1024
_MAX_ERASED = 200
_MARK = re.compile(r"\[erased:[a-z_]+\]")
_SECRET_NAME = "secret_name"  # noqa: S105 - the name of a pattern
_NEVER_EMPTY: tuple[object, ...] = ("", None, [], {})


class Pattern(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of secret; what its groups match is erased, the whole match where it has none.

    A match that `unless` is found in is left: what looks like a secret's name but says how long, where or which one it is.
    """

    name: str
    match: str
    unless: str = ""


class RedactionData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file."""

    hints: str
    patterns: tuple[Pattern, ...]
    contents: frozenset[str]
    secret_names: str


def redaction_data() -> RedactionData:
    """The shipped patterns."""
    text = resources.files("gateway.audit").joinpath("redaction.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), RedactionData)


class RecordRedactor:
    """Implements the `Redactor` port. `key` is secret, `key_id` names it in every digest."""

    def __init__(self, key: bytes, key_id: str, data: RedactionData) -> None:
        self._key = key
        self._prefix = f"h1:{key_id}:"
        self._hints = re2.compile(data.hints)
        self._patterns = [
            (
                f"[erased:{pattern.name}]",
                re2.compile(pattern.match),
                re2.compile(pattern.unless) if pattern.unless else None,
            )
            for pattern in data.patterns
        ]
        self._contents = data.contents
        self._secret_names = re2.compile(data.secret_names)
        self._encoder = msgspec.json.Encoder(order="deterministic")

    def redact(self, record: Record) -> Record:
        """The record without secrets and contents, `erased` listing what was taken out. Total: any record comes out."""
        erased: list[str] = []
        if record.input is not UNSET:
            kept = self._without_contents(record.input, "input", erased)
            record = structs.replace(record, input=self._capped(kept, erased))
        operations = tuple(
            structs.replace(
                operation, attr=self._without_contents(operation.attr, f"operations[{at}]", erased)
            )
            if "input" in operation.attr
            else operation
            for at, operation in enumerate(record.operations)
        )
        if operations != record.operations:
            record = structs.replace(record, operations=operations)
        try:
            data = msgspec.json.encode(record)
        except UnicodeEncodeError:
            record = msgspec.convert(as_utf8(msgspec.to_builtins(record)), Record)
            data = msgspec.json.encode(record)
        if len(data) > RECORD_BYTES or (len(data) > TEXT_CHARACTERS and self._has_long_text(record)):
            record = self._small(record, erased)
            data = msgspec.json.encode(record)
        if self._hints.search(data.decode()) is not None:
            plain = self._clean(msgspec.to_builtins(record), "", erased)
            record = msgspec.convert(plain, Record)
        if len(data) > TEXT_CHARACTERS and self._has_long_text(record):
            record = msgspec.convert(finally_cut(msgspec.to_builtins(record)), Record)
        return structs.replace(record, erased=tuple(erased[:_MAX_ERASED])) if erased else record

    def digest(self, value: Mapping[str, Any]) -> str:
        """Keyed digest of a value's canonical JSON: equal values have equal digests, under one key."""
        return self._digest_of(self._encode(value))

    def _digest_of(self, data: bytes) -> str:
        return self._prefix + hmac.digest(self._key, data, hashlib.sha256).hex()

    def _encode(self, value: Any) -> bytes:
        try:
            return self._encoder.encode(value)
        except UnicodeEncodeError:
            return self._encoder.encode(as_utf8(value))

    @staticmethod
    def _has_long_text(record: Record) -> bool:
        return longest_text(msgspec.to_builtins(record)) > TEXT_CHARACTERS

    def _without_contents(self, value: Mapping[str, Any], path: str, erased: list[str]) -> dict[str, Any]:
        """A value, contents at any depth replaced by their size and digest."""
        return {
            name: self._without_content(name, item, f"{path}.{name}", erased) for name, item in value.items()
        }

    def _without_content(self, name: str, value: Any, path: str, erased: list[str]) -> Any:
        if name in self._contents and value not in _NEVER_EMPTY:
            data = value.encode("utf-8", "replace") if isinstance(value, str) else self._encode(value)
            erased.append(f"{self._path(path)}:content")
            return {"bytes": len(data), "digest": self._digest_of(data)}
        if isinstance(value, Mapping):
            return self._without_contents(value, path, erased)
        if isinstance(value, list | tuple):
            return [self._without_content("", item, f"{path}[{at}]", erased) for at, item in enumerate(value)]
        return value

    def _capped(self, value: dict[str, Any], erased: list[str]) -> dict[str, Any]:
        """An input of at most 64 KiB; a larger one keeps the beginnings of its texts, its size and its digest."""
        data = self._encode(value)
        if len(data) <= INPUT_BYTES:
            return value
        erased.append("input:size")
        shortened: dict[str, Any] = roughly(value)
        if len(self._encode(shortened)) > INPUT_BYTES:
            shortened = roughly(value, TIGHT_CHARACTERS)
        if len(self._encode(shortened)) > INPUT_BYTES:
            shortened = {}
        shortened["ostiary_capped"] = {"bytes": len(data), "digest": self._digest_of(data)}
        return shortened

    def _small(self, record: Record, erased: list[str]) -> Record:
        """A record of bounded size, whatever the client put into ids, paths and names."""
        erased.append("record:size")
        plain: dict[str, Any] = roughly(msgspec.to_builtins(record))
        if len(self._encode(plain)) > RECORD_BYTES:
            plain = roughly(plain, TIGHT_CHARACTERS)
            for name in ("operations", "reasons"):
                if name in plain:
                    plain[name] = plain[name][:TIGHT_ITEMS]
            if "operations" in plain:
                plain["operations_truncated"] = True
        return msgspec.convert(plain, Record)

    def _path(self, path: str) -> str:
        """A path as it may be listed: names in it are the client's words as well."""
        return self._clean_text(path[: TIGHT_CHARACTERS + MARGIN_CHARACTERS], "", [])[:TIGHT_CHARACTERS]

    def _clean(self, value: Any, path: str, erased: list[str]) -> Any:
        """Every text of a JSON value through every pattern."""
        if isinstance(value, str):
            return self._clean_text(value, path, erased)
        if isinstance(value, dict):
            return {
                self._clean_text(name, f"{path}.*", erased): self._clean_field(
                    name, item, f"{path}.{name}".strip("."), erased
                )
                for name, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._clean(item, f"{path}[{at}]", erased) for at, item in enumerate(value)]
        return value

    def _clean_field(self, name: str, value: Any, path: str, erased: list[str]) -> Any:
        if path.startswith(("input.", "operations")) and self._secret_names.search(name) is not None:
            if isinstance(value, bool) or value is None or (isinstance(value, str) and len(value) < 4):
                return value
            erased.append(f"{self._path(path)}:{_SECRET_NAME}")
            return f"[erased:{_SECRET_NAME}]"
        return self._clean(value, path, erased)

    def _clean_text(self, text: str, path: str, erased: list[str]) -> str:
        if len(text) < 4 or self._hints.search(text) is None:
            return text
        for mark, pattern, unless in self._patterns:
            changed = _erase(pattern, unless, text, mark)
            if changed != text:
                if path:
                    erased.append(f"{self._path(path)}:{mark[8:-1]}")
                text = changed
        return text


def _erase(pattern: Any, unless: Any, text: str, mark: str) -> str:
    """The text with what the pattern's groups match, else its match, replaced; what is erased already stays so."""
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        if unless is not None and unless.search(match.group()) is not None:
            continue
        groups = range(1, pattern.groups + 1) if pattern.groups else (0,)
        for group in groups:
            start, stop = match.span(group)
            if start < end or stop <= start:
                continue
            kept = _MARK.match(text, start)
            if kept is not None and kept.end() >= stop:
                continue
            parts += (text[end:start], mark)
            end = stop
    return "".join((*parts, text[end:])) if parts else text
