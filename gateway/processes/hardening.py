"""What a process does to keep other processes out of its memory, where the system knows how."""

from __future__ import annotations

import ctypes
import resource
import sys

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


def forbid_inspection() -> bool:
    """No core dump, no debugger of the same user, /proc entries owned by root; whether that holds now.

    Source: prctl(2), PR_SET_DUMPABLE. It ends with the next exec, so every process calls it for itself.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
