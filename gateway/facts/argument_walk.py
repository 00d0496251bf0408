"""The walk over arguments that no model describes: every text is looked at for the path, host or command it may be.

Bounded in values, characters and nesting; what is beyond a bound is reported as a limit, which the enforcement point asks
a person about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from gateway.facts.argument_commands import Text, texts_of
from gateway.facts.globs import is_glob
from gateway.facts.groups import Shape
from gateway.facts.hosts import Host, Hosts
from gateway.facts.mcp_data import Fields
from gateway.facts.operations import Findings
from gateway.facts.urls import is_url

MAX_VALUES = 2000
MAX_CHARACTERS = 1 << 20
MAX_JSON = 64
MAX_URLS = 500
MAX_JOINED = 256
_LONGEST_GUESS = 8192
_LONGEST_NAME = 1024
_URL_INSIDE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}:[/\\]{2}[^\s\"'<>`|{}]{1,512}")
_MAX_URLS_INSIDE = 32
_PATH_FORM = re.compile(
    r"\s*(?:[/~]|\.{1,2}(?:[/\\]|\Z)|file:|[A-Za-z]:[\\/]|\\\\|\$\{?HOME|%(?:2[fFeE]|USERPROFILE|HOME))"
)
_SEPARATOR = re.compile(r"[/\\]|%2[fF]|%5[cC]")
_BLANK = re.compile(r"\s")


class ArgumentWalk:
    """Looks through one call's arguments. `actions` is what the tool does to a path, as its name tells."""

    def __init__(
        self, findings: Findings, hosts: Hosts, fields: Fields, actions: Sequence[str], via: str = "mcp"
    ) -> None:
        self._findings = findings
        self._hosts = hosts
        self._fields = fields
        self._actions = actions
        self._via = via
        self._values = MAX_VALUES
        self._characters = MAX_CHARACTERS
        self._json = MAX_JSON
        self._urls = MAX_URLS
        self.texts_that_run: list[Text] = []
        """Commands and program texts, by the names of their arguments."""

    def guess(self, name: str, value: Any, *, strict: bool = False) -> None:
        """Everything a value may name. `strict`: it is known to be prose, so that only a guarded place counts."""
        stack: list[tuple[str, Any]] = [(name, value)]
        while stack and self._allowed():
            key, item = stack.pop()
            if isinstance(item, str):
                decoded = self._decoded(item)
                if decoded is not None:
                    stack.append((key, decoded))
                self._text(key.lower(), item, strict=strict)
            elif isinstance(item, dict):
                if not strict:
                    self.siblings(item)
                    self.runs(item)
                # A name can be the path, with the content as its value.
                stack.extend((str(below), str(below)) for below in item if _PATH_FORM.match(str(below)))
                stack.extend((str(below), inside) for below, inside in item.items())
            elif isinstance(item, list):
                if not strict:
                    self._joined_names(item)
                stack.extend((key, inside) for inside in item)

    def texts(self, value: Any) -> Iterator[str]:
        """Every text in the value of an argument whose role is known."""
        stack: list[Any] = [value]
        while stack and self._allowed():
            item = stack.pop()
            if isinstance(item, str):
                if item:
                    yield item
            elif isinstance(item, dict):
                stack.extend(reversed(item.values()))
            elif isinstance(item, list):
                stack.extend(reversed(item))

    def url(self, text: str, *, certain: bool) -> None:
        """The hosts of a URL, or the file of a `file:` one."""
        if text.lstrip()[:5].lower() == "file:":
            self._file(text, "path", certain=certain)
            return
        for at, host in enumerate(self._hosts_of(text)):
            self._findings.host(host, "connect", via=self._via, certain=certain and at == 0)

    def runs(self, values: Mapping[str, Any]) -> None:
        """Remember the arguments whose names say that they run."""
        for key, value in values.items():
            language = self._fields.runs(str(key))
            if language is not None:
                self._findings.shell = True
                self.texts_that_run.extend(texts_of(value, values, language, certain=False))

    def siblings(self, values: Mapping[str, Any]) -> None:
        """Directory and name in two arguments beside each other: kept where the whole is a guarded place.

        A port beside a host likewise makes one address.
        """
        texts = [
            (str(key).lower(), item)
            for key, item in values.items()
            if isinstance(item, str) and 0 < len(item) <= _LONGEST_NAME
        ]
        directories = [text for _, text in texts if _PATH_FORM.match(text) or text.endswith("/")]
        names = [text for _, text in texts if not _PATH_FORM.match(text) and not _BLANK.search(text)]
        every = ((first, second) for first in directories for second in names if second is not first)
        # Thousands of arguments make millions of pairs: only as many as can be used are made.
        pairs = list(islice(every, MAX_JOINED + 1))
        for first, second in pairs[:MAX_JOINED]:
            self._guarded(f"{first}/{second}")
        if len(pairs) > MAX_JOINED:
            self._limit()
        port = next((values[key] for key in values if str(key).lower() == "port"), None)
        if isinstance(port, (int, float, str)) and str(port).partition(".")[0].isdecimal():
            for key, text in texts:
                if key in self._fields.host:
                    host = self._hosts.of_name(text, int(str(port).partition(".")[0][:8]))
                    self._findings.host(host, "connect", via=self._via, certain=False)

    def _joined_names(self, items: list[Any]) -> None:
        """A path given as the list of its names."""
        names = [item for item in items if isinstance(item, str)]
        if 1 < len(names) <= 32 and len(names) == len(items) and all(len(name) < 256 for name in names):
            joined = "/".join(names)
            self._guarded(joined)
            self._guarded(f"/{joined}")

    def _text(self, key: str, text: str, *, strict: bool) -> None:
        self._characters -= len(text)
        if not text:
            return
        if strict:
            # One name alone, or a pattern, is a line of a .gitignore or a search as often as a path.
            if _SEPARATOR.search(text.strip()) and not is_glob(text):
                self._guarded_only(text)
            return
        if is_url(text):
            self.url(text, certain=False)
        elif len(text) <= _LONGEST_GUESS and "\n" not in text.strip() and self._is_path(key, text):
            self._file(text, "path", certain=False)
            if is_glob(text):
                self._file(text, "glob", certain=False)
        else:
            self._host(key, text)
            self._guarded_only(text)
        self._urls_inside(text)

    def _host(self, key: str, text: str) -> None:
        """A host without a scheme, where the argument's name says that it is one."""
        if "." not in text or _BLANK.search(text):
            return
        if key in self._fields.url:
            self.url(text, certain=False)
        elif key in self._fields.host:
            self._findings.host(self._hosts.of_name(text), "connect", via=self._via, certain=False)

    def _is_path(self, key: str, text: str) -> bool:
        named = key in self._fields.path or key.endswith(self._fields.path_endings)
        return named or bool(_PATH_FORM.match(text))

    def _guarded_only(self, text: str) -> None:
        """A text that may as well be prose: a guarded place counts, when the text is nothing else."""
        text = text.strip()
        if is_url(text) and text[:5].lower() != "file:":
            return
        if len(text) <= _LONGEST_NAME and not _BLANK.search(text):
            self._guarded(text)

    def _urls_inside(self, text: str) -> None:
        """URLs within a longer text: those that lead to this machine's own services count."""
        for at, found in enumerate(_URL_INSIDE.finditer(text[: _LONGEST_GUESS * 8])):
            if at == _MAX_URLS_INSIDE:
                break
            for host in self._hosts_of(found.group()):
                if not {"metadata", "gateway_self"}.isdisjoint(host.groups):
                    self._findings.host(host, "connect", via=self._via, certain=False)

    def _decoded(self, text: str) -> Any | None:
        """The JSON value that a text holds, None when it holds none worth walking."""
        begin = text.lstrip()[:1]
        if begin not in {"{", "[", '"'} or begin == "":
            return None
        if self._json == 0 or len(text) > self._characters:
            self._limit()
            return None
        self._json -= 1
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None

    def _file(self, text: str, shape: Shape, *, certain: bool) -> None:
        self._findings.file(text, self._actions, shape, via=self._via, certain=certain)

    def _guarded(self, text: str) -> None:
        self._findings.guarded_file(text, self._actions, via=self._via)

    def _hosts_of(self, url: str) -> tuple[Host, ...]:
        self._urls -= 1
        if self._urls < 0:
            self._limit()
            return ()
        return self._hosts.of_url(url)

    def _allowed(self) -> bool:
        """Whether another value may be looked at."""
        self._values -= 1
        if self._values < 0 or self._characters < 0 or self._findings.exhausted:
            self._limit()
            return False
        return True

    def _limit(self) -> None:
        if "mcp_arguments" not in self._findings.limits:
            self._findings.limits.append("mcp_arguments")
