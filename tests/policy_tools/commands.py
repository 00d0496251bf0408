"""The command line and the real Cerbos, as the tests of this folder call them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

from click.testing import CliRunner
from msgspec import Struct

from gateway.cli import root
from gateway.policy_sets.packs import shipped_packs
from tests.support.processes import cerbos_binary


class Done(Struct, frozen=True):
    """What a command printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def ostiary(*arguments: object, cwd: Path | None = None, stdin: str = "") -> Done:
    """`ostiary …`, in this process: the command line without its start-up."""
    with contextlib.chdir(cwd) if cwd is not None else contextlib.nullcontext():
        result = CliRunner().invoke(
            root, [str(argument) for argument in arguments], input=stdin, prog_name="ostiary"
        )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def cerbos_compile(*arguments: object) -> Done:
    """`cerbos compile …`."""
    done = subprocess.run(
        [cerbos_binary(), "compile", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def with_packs(directory: Path, place: Path) -> Path:
    """A directory as a remote PDP would get it: the author's files beside the shipped ones."""
    shutil.copytree(shipped_packs(), place)
    shutil.copytree(directory, place / "own")
    return place
