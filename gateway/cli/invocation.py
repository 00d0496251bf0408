"""How people call this program here, so that what we print can be pasted: `ostiary`, or `.venv/bin/ostiary`."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

NAME = "ostiary"


def invocation(argv0: str, environment: Mapping[str, str], directory: Path) -> str:
    """The command as it can be typed in `directory`: by name where the PATH leads to the same program, else by its path.

    `argv0` is how this process was called; one that is no script of ours (`python -m`) leads to the name.
    """
    called = Path(argv0)
    if called.name != NAME or os.sep not in argv0:
        return NAME
    program = Path(os.path.normpath(directory / called))
    found = shutil.which(NAME, path=environment.get("PATH", ""))
    if found and Path(found).samefile(program):
        return NAME
    near = program.relative_to(directory) if program.is_relative_to(directory) else program
    return shlex.quote(str(near))
