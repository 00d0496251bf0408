"""The gateway a demo plays against: the running one, or a private one in a temporary directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from gateway.cli.gateway_api import STATUS_SOCKET, NotRunning, ask_socket
from gateway.errors import ConfigError

_START_SECONDS = 20.0
_STOP_SECONDS = 15.0
_DEEPEST = 60


class Target(Struct, frozen=True, kw_only=True):
    """A gateway that runs: its data directory and what it says of itself. `private`: started for the demo."""

    data_dir: Path
    status: dict[str, Any]
    private: bool
    why: str = ""


@contextmanager
def gateway_for(data_dir: Path) -> Iterator[Target]:
    """The gateway of a data directory, else a private one for as long as the block lasts. Raises ConfigError."""
    reason = ""
    status: dict[str, Any] = {}
    try:
        status = _status(data_dir)
    except NotRunning as absent:
        reason = absent.message
    if status:
        yield Target(data_dir=data_dir, status=status, private=False)
        return
    place = _temporary()
    process = _start(place)
    try:
        yield Target(data_dir=place / "data", status=_wait(process, place), private=True, why=reason)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(place, ignore_errors=True)


def _temporary() -> Path:
    """A directory for a while, in /tmp where the usual one is too deep for the path of a socket (unix(7))."""
    deep = len(tempfile.gettempdir()) > _DEEPEST
    return Path(tempfile.mkdtemp(prefix="ostiary-demo-", dir="/tmp" if deep else None))  # noqa: S108 - mkdtemp is private


def _status(data_dir: Path) -> dict[str, Any]:
    reply = ask_socket(data_dir, STATUS_SOCKET, "/v1/status")
    if reply.status != 200 or not isinstance(reply.body, dict):
        raise NotRunning(f"The gateway of {data_dir} does not tell its status.", number=41)
    return reply.body


def _start(place: Path) -> subprocess.Popen[bytes]:
    """A gateway with the shipped policies on ports of its own; nothing of the caller's configuration reaches it."""
    argv = [sys.executable, "-I", "-m", "gateway.cli", "serve", "--quiet", "--data-dir", str(place / "data")]
    argv += ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]
    clean = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    with (place / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**clean, "HOME": str(place)},
            cwd=place,
        )


def _wait(process: subprocess.Popen[bytes], place: Path) -> dict[str, Any]:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            return _status(place / "data")
        except ConfigError:
            time.sleep(0.05)
    log = (place / "log").read_text(errors="replace")[-800:]
    raise ConfigError(
        f"A private gateway could not be started: {log.strip()}",
        number=50,
        remedy="Start one with `ostiary serve`.",
    )
