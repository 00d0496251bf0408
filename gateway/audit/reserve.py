"""Room kept on the disk for the day it is full: a thousand records more, and one that says why recording stopped.

Who fills the disk must not be able to do so unseen: what was done until then, and that it was done, still gets recorded.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Literal

RECORDS = 1000
BYTES_PER_RECORD = 4096
LAST_BYTES = 64 * 1024
FILE_NAME = "reserve"

Room = Literal["more", "last", "none"]


class Reserve:
    """A file of allocated, unused blocks, given back in two steps. `held` says how many bytes are left of it."""

    def __init__(self, path: Path | None, held: int) -> None:
        self._path = path
        self.held = held

    def free(self) -> Room:
        """Give room back: first that of many records (`more`), then that of the last one (`last`), then `none`."""
        if self._path is None or not self.held:
            return "none"
        if self.held > LAST_BYTES:
            with contextlib.suppress(OSError):
                os.truncate(self._path, LAST_BYTES)
                self.held = LAST_BYTES
                return "more"
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.held = 0
        return "last"


NO_RESERVE = Reserve(None, 0)


def keep_reserve(data_dir: Path) -> Reserve:
    """Allocate the room; where the disk has none to give, there is no reserve."""
    path = data_dir / FILE_NAME
    wanted = RECORDS * BYTES_PER_RECORD + LAST_BYTES
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        return Reserve(None, 0)
    try:
        os.posix_fallocate(file, 0, wanted)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        return Reserve(None, 0)
    finally:
        os.close(file)
    return Reserve(path, wanted)
