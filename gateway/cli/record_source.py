"""Where a command reads the record: the running gateway's socket, its admin listener, or the files while none runs."""

from __future__ import annotations

import os
import stat
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
import msgspec

from gateway.cli.gateway_api import QUERY_SOCKET, NotRunning, Reply, ask_socket, ask_url
from gateway.configuration.sources import default_data_dir, load
from gateway.domain.query import Page, Row, parse_query
from gateway.errors import ConfigError, StoreError

_SECONDS = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_Command = TypeVar("_Command", bound=Callable[..., Any])


class RecordSource(Protocol):
    """What commands read. `data_dir` is None where only the listener is within reach, and rows may be masked."""

    data_dir: Path | None

    def search(self, filters: Mapping[str, str]) -> Page:
        """A page; `filters` are the fields of `Query` as text. Raises OstiaryError."""
        ...

    def find(self, identifier: str) -> Row | None:
        """One record by decision id, short id or call id; `last` is the newest that policy decided."""
        ...

    def close(self) -> None:
        """Release what is open."""
        ...


def source_options(command: _Command) -> _Command:
    """The options that say where the record is."""
    options = (
        click.option("--data-dir", type=click.Path(path_type=Path), help="Data directory of the gateway."),
        click.option("--config", type=click.Path(path_type=Path), help="Configuration file that names it."),
        click.option("--url", help="Admin listener to ask instead, e.g. http://127.0.0.1:8788."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path),
            help="File with a viewer's or auditor's token, else OSTIARY_TOKEN.",
        ),
    )
    for option in options:
        command = option(command)
    return command


def data_dir_from(data_dir: Path | None, config: Path | None, environment: Mapping[str, str]) -> Path:
    """The data directory a command means."""
    if data_dir is not None:
        return data_dir.absolute()
    configured = load(config, environment).data_dir
    return Path(configured).absolute() if configured else default_data_dir(environment)


def open_source(
    data_dir: Path | None, config: Path | None, url: str | None, token_file: Path | None
) -> RecordSource:
    """The record, wherever it can be read. Raises ConfigError or StoreError."""
    if url is not None:
        return ListenerSource(url, _token(token_file))
    place = data_dir_from(data_dir, config, os.environ)
    source = SocketSource(place)
    try:
        source.reach()
    except NotRunning:
        if not (place / "audit").is_dir():
            raise
        return FileSource(place)
    return source


class SocketSource:
    """The clerk of the running gateway, on its socket."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir: Path | None = data_dir
        self._place = data_dir

    def reach(self) -> None:
        """Raise NotRunning when nobody is there."""
        self._ask("/v1/positions", None)

    def search(self, filters: Mapping[str, str]) -> Page:
        """A page."""
        return _parsed(self._ask("/v1/records", filters), Page)

    def find(self, identifier: str) -> Row | None:
        """One record."""
        reply = self._ask(f"/v1/records/{urllib.parse.quote(identifier, safe='')}", None)
        return None if reply.status == 404 else _parsed(reply, Row)

    def close(self) -> None:
        """Nothing is open."""

    def _ask(self, path: str, filters: Mapping[str, str] | None) -> Reply:
        return ask_socket(self._place, QUERY_SOCKET, path, filters, timeout=_SECONDS)


class ListenerSource:
    """The admin listener, with a credential: a viewer gets his own records, masked."""

    def __init__(self, url: str, token: str) -> None:
        self.data_dir: Path | None = None
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOOPBACK):
            raise ConfigError(
                f"{url} would carry the token in the clear.",
                number=51,
                remedy="Use https, or a loopback address.",
            )
        self._url = url.rstrip("/")
        self._token = token

    def search(self, filters: Mapping[str, str]) -> Page:
        """A page."""
        return _parsed(self._ask(f"/v1/records?{urllib.parse.urlencode(filters)}"), Page)

    def find(self, identifier: str) -> Row | None:
        """One record."""
        reply = self._ask(f"/v1/records/{urllib.parse.quote(identifier, safe='')}")
        return None if reply.status == 404 else _parsed(reply, Row)

    def close(self) -> None:
        """Nothing is open."""

    def _ask(self, target: str) -> Reply:
        headers = {"Authorization": f"Bearer {self._token}"}
        return ask_url(f"{self._url}{target}", headers=headers, timeout=_SECONDS)


class FileSource:
    """The files of a gateway that does not run."""

    def __init__(self, data_dir: Path) -> None:
        from gateway.wiring_record import build_offline_reader  # noqa: PLC0415 - a running gateway needs none of its parts here

        self.data_dir: Path | None = data_dir
        self._reader = build_offline_reader(data_dir)
        if not self._reader.recorded:
            click.echo("The data directory cannot be written: this reading is not recorded.", err=True)

    def search(self, filters: Mapping[str, str]) -> Page:
        """A page."""
        try:
            query = parse_query(filters.items())
        except ValueError as wrong:
            raise ConfigError(
                f"The query cannot be read: {wrong}.", number=45, remedy="See --help."
            ) from None
        return self._reader.search(query, filters)

    def find(self, identifier: str) -> Row | None:
        """One record."""
        return self._reader.find(identifier)

    def close(self) -> None:
        """Close the index."""
        self._reader.close()


_Parsed = TypeVar("_Parsed")


def _parsed(reply: Reply, kind: type[_Parsed]) -> _Parsed:
    if reply.status == 200:
        return msgspec.convert(reply.body, kind)
    body = reply.body if isinstance(reply.body, dict) else {}
    message = str(body.get("message") or f"The gateway answered {reply.status}.")
    remedy = str(body.get("remedy") or "Look at its log.")
    if reply.status in {400, 401, 403}:
        raise ConfigError(message, number=46, remedy=remedy)
    raise StoreError(message, number=15, remedy=remedy)


def _token(file: Path | None) -> str:
    """The reader's token: a file only its owner reads, or the environment; never an argument, which everybody sees."""
    if file is None:
        token = os.environ.get("OSTIARY_TOKEN", "")
        if not token:
            raise ConfigError(
                "The admin listener needs a credential.",
                number=47,
                remedy="Name a --token-file, or set OSTIARY_TOKEN.",
            )
        return token
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise ConfigError(f"{file} may be read by others.", number=48, remedy=f"chmod 600 {file}")
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}.", number=48, remedy="Name a file with one token."
        ) from None
