"""The one choke point before the record: secrets erased and listed, contents replaced by their digest, sizes capped.

Order is redact, hash, store: what is erased here never existed for the chain, and can never be got back from it. A digest
is keyed (HMAC-SHA-256), so that short values cannot be guessed from it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from importlib import resources
from typing import Any

import msgspec
import re2
import yaml
from msgspec import UNSET, Struct, structs

from gateway.domain.record import Record

INPUT_BYTES = 64 * 1024
_STRING_CHARACTERS = 8 * 1024
_MAX_ERASED = 200


class Pattern(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of secret; its first group is erased, else the whole match."""

    name: str
    match: str


class RedactionData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file."""

    hints: str
    patterns: tuple[Pattern, ...]
    contents: frozenset[str]
    secret_names: str


def redaction_data() -> RedactionData:
    """The shipped patterns."""
    text = resources.files("gateway.audit").joinpath("redaction.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), RedactionData)


class RecordRedactor:
    """Implements the `Redactor` port. `key` is secret, `key_id` names it in every digest."""

    def __init__(self, key: bytes, key_id: str, data: RedactionData) -> None:
        self._key = key
        self._prefix = f"h1:{key_id}:"
        self._hints = re2.compile(data.hints)
        self._patterns = [(pattern.name, re2.compile(pattern.match)) for pattern in data.patterns]
        self._contents = data.contents
        self._secret_names = re2.compile(data.secret_names)
        self._encoder = msgspec.json.Encoder(order="deterministic")

    def redact(self, record: Record) -> Record:
        """The record without secrets and contents, `erased` listing what was taken out."""
        erased: list[str] = []
        if record.input is not UNSET:
            record = structs.replace(
                record, input=self._capped(self._without_contents(record.input, "input", erased), erased)
            )
        operations = tuple(
            structs.replace(
                operation,
                attr={
                    **operation.attr,
                    "input": self._without_contents(
                        operation.attr["input"], f"operations[{at}].input", erased
                    ),
                },
            )
            if isinstance(operation.attr.get("input"), Mapping)
            else operation
            for at, operation in enumerate(record.operations)
        )
        if operations != record.operations:
            record = structs.replace(record, operations=operations)
        text = msgspec.json.encode(record).decode("utf-8", "replace")
        if self._hints.search(text) is not None:
            record = self._cleaned(record, erased)
        return structs.replace(record, erased=tuple(erased[:_MAX_ERASED])) if erased else record

    def digest(self, value: Mapping[str, Any]) -> str:
        """Keyed digest of a value's canonical JSON: equal values have equal digests, under one key."""
        return self._prefix + hmac.digest(self._key, self._encoder.encode(value), hashlib.sha256).hex()

    def _without_contents(self, value: Mapping[str, Any], path: str, erased: list[str]) -> dict[str, Any]:
        """The first level of an input, contents replaced by size and digest."""
        found: dict[str, Any] = {}
        for name, item in value.items():
            if name in self._contents and item not in ("", None, [], {}):
                data = (
                    item.encode("utf-8", "replace") if isinstance(item, str) else self._encoder.encode(item)
                )
                found[name] = {
                    "bytes": len(data),
                    "digest": self._prefix + hmac.digest(self._key, data, hashlib.sha256).hex(),
                }
                erased.append(f"{path}.{name}:content")
            else:
                found[name] = item
        return found

    def _capped(self, value: dict[str, Any], erased: list[str]) -> dict[str, Any]:
        data = self._encoder.encode(value)
        if len(data) <= INPUT_BYTES:
            return value
        erased.append("input:size")
        shortened = {name: _shortened(item) for name, item in value.items()}
        if len(self._encoder.encode(shortened)) > INPUT_BYTES:
            shortened = {}
        shortened["ostiary_capped"] = {"bytes": len(data), "digest": self.digest(value)}
        return shortened

    def _cleaned(self, record: Record, erased: list[str]) -> Record:
        """Every string of the record through every pattern."""
        plain = msgspec.to_builtins(record)
        return msgspec.convert(self._clean(plain, "", erased), Record)

    def _clean(self, value: Any, path: str, erased: list[str]) -> Any:
        if isinstance(value, str):
            return self._clean_text(value, path, erased)
        if isinstance(value, dict):
            return {
                self._clean_text(name, path, erased): self._clean_field(
                    name, item, f"{path}.{name}".strip("."), erased
                )
                for name, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._clean(item, f"{path}[{at}]", erased) for at, item in enumerate(value)]
        return value

    def _clean_field(self, name: str, value: Any, path: str, erased: list[str]) -> Any:
        of_caller = isinstance(value, str) and len(value) >= 4 and path.startswith(("input.", "operations"))
        if of_caller and self._secret_names.search(name) is not None:
            erased.append(f"{path}:secret_name")
            return "[erased:secret_name]"
        return self._clean(value, path, erased)

    def _clean_text(self, text: str, path: str, erased: list[str]) -> str:
        if len(text) < 4 or self._hints.search(text) is None:
            return text
        for name, pattern in self._patterns:
            changed = _erase(pattern, text, f"[erased:{name}]")
            if changed != text:
                erased.append(f"{path}:{name}")
                text = changed
        return text


def _erase(pattern: Any, text: str, mark: str) -> str:
    """The text with the pattern's first group, else its match, replaced; what is already erased stays as it is."""
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        group = 1 if pattern.groups else 0
        start, stop = match.span(group)
        if start < end or stop <= start or text.startswith("[erased:", start):
            continue
        parts += (text[end:start], mark)
        end = stop
    return "".join((*parts, text[end:])) if parts else text


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _STRING_CHARACTERS:
        return f"{value[:_STRING_CHARACTERS]}… ({len(value) - _STRING_CHARACTERS} more characters)"
    return value
