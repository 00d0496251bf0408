"""The data directory of one installation: private, locked by one gate at a time, holding its name and its key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from gateway.errors import ConfigError

LOCK_NAME = "lock"
KEY_NAME = "redaction.key"
NAME_NAME = "instance"
_KEY_BYTES = 32
_LONGEST = 96
"""Bytes of the directory's path: what unix(7) leaves of a socket's 107, less its name."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


class Instance:
    """An opened data directory. `close` gives the lock back, where it is held."""

    def __init__(self, directory: Path, name: str, key: bytes, lock: int | None) -> None:
        self.directory = directory
        self.name = name
        self.key = key
        self._lock = lock

    @property
    def key_id(self) -> str:
        """A public name of the key: it tells two keys apart and nothing about either."""
        return hashlib.blake2b(self.key, digest_size=4, person=b"ostiary-kid").hexdigest()

    @property
    def audit(self) -> Path:
        """Where the journal is."""
        return self.directory / "audit"

    def close(self) -> None:
        """Release the directory."""
        if self._lock is not None:
            os.close(self._lock)


def open_instance(directory: Path, random_bytes: Callable[[int], bytes]) -> Instance:
    """Create what is missing and lock the directory. Raises ConfigError when it is unusable or in use."""
    if len(os.fsencode(directory)) > _LONGEST:
        raise ConfigError(
            f"The path of the data directory {directory} is too long for the sockets in it.",
            number=14,
            remedy=f"Set data_dir to one of at most {_LONGEST} bytes.",
        )
    _make_private(directory)
    lock = _lock(directory)
    try:
        name = _instance_name(directory / NAME_NAME, random_bytes)
        key = _key(directory / KEY_NAME, random_bytes)
    except BaseException:
        os.close(lock)
        raise
    return Instance(directory, name, key, lock)


def attach_instance(directory: Path) -> Instance:
    """An existing data directory without its lock: for whoever reads beside the gate, or when none runs."""
    found = {}
    for name in (NAME_NAME, KEY_NAME):
        try:
            found[name] = (directory / name).read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{directory} is no data directory that can be read here: {name}: {error.strerror}.",
                number=13,
                remedy="Name the one of your gateway with --data-dir, and read it as the user it belongs to.",
            ) from None
    return Instance(directory, found[NAME_NAME].decode("ascii", "replace").strip(), found[KEY_NAME], None)


def _instance_name(path: Path, random_bytes: Callable[[int], bytes]) -> str:
    name = _read_or_create(path, _new_name(random_bytes).encode()).decode("ascii", "replace").strip()
    if not _NAME.match(name):
        raise ConfigError(
            f"{path} does not hold an instance name.", number=12, remedy="Remove the file, or restore it."
        )
    return name


def _key(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    key = _read_or_create(path, random_bytes(_KEY_BYTES))
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"{path} does not hold a key of {_KEY_BYTES} bytes.",
            number=12,
            remedy="Restore the file; a new key cannot join new records with old ones.",
        )
    return key


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
    except OSError as error:
        raise ConfigError(
            f"The data directory {directory} cannot be used: {error.strerror}.",
            number=10,
            remedy="Set data_dir to another.",
        ) from None
    if found.st_uid != os.geteuid():
        raise ConfigError(
            f"The data directory {directory} belongs to another user.",
            number=10,
            remedy="Set data_dir to one's own.",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)


def _lock(directory: Path) -> int:
    descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise ConfigError(
            f"The data directory {directory} is in use by another gateway (process {holder or 'unknown'}).",
            number=11,
            remedy="Stop that one, or give this one its own --data-dir.",
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _read_or_create(path: Path, content: bytes) -> bytes:
    """The file's content; a missing one is created complete, so that a crash never leaves half a key.

    One that others may read is narrowed: a restored backup often is.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return path.read_bytes()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", number=12, remedy="Give it back to the gateway."
        ) from None
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    return content


def _new_name(random_bytes: Callable[[int], bytes]) -> str:
    host = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower().partition(".")[0]).strip("-")[:40]
    return f"{host or 'host'}-{random_bytes(3).hex()}"
