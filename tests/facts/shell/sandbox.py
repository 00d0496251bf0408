"""Runs a script under real bash where only recorders can run, and tells what ran, was read and was written.

The PATH holds recorders, `bash`, `env`, `cat` and `xargs`; the directory is a fresh one; files of processes that outlive
the script are not waited for longer than a moment, and the whole group is ended.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.facts.shell.generated import INPUTS, PROGRAMS

PATIENCE_SECONDS = 5
_MARK = "token-of-"


@dataclass(frozen=True)
class Ran:
    """One program that ran."""

    name: str
    directory: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Observed:
    """What a script did: programs that ran, files that were made or changed, inputs whose content turned up."""

    programs: tuple[Ran, ...]
    written: frozenset[str]
    read: frozenset[str]
    status: int


@dataclass(frozen=True)
class Place:
    """The directories of one script: `work`, where it runs, and `records`, where recorders write."""

    root: Path

    @property
    def work(self) -> Path:
        """The working directory: deep, so that `cd ..` a few times does not leave the sandbox."""
        return self.root / "1/2/3/4/5/6/7/8/work"

    @property
    def records(self) -> Path:
        """What ran."""
        return self.root / "records"


class Sandbox:
    """Recorders in `root/bin`; each script gets a directory of its own below `root`."""

    def __init__(self, root: Path, bash: str) -> None:
        self._root = root
        self._bash = bash
        self._count = 0
        self._programs = root / "bin"
        self._programs.mkdir()
        for name in PROGRAMS:
            self._recorder(name)
        for name in ("env", "cat", "xargs"):
            found = shutil.which(name)
            assert found is not None
            (self._programs / name).symlink_to(found)
        (self._programs / "bash").symlink_to(bash)

    def _recorder(self, name: str) -> None:
        reads = "while IFS= read -r l; do printf '%s\\0' \"$l\"; done;" if name == "rd" else ""
        status = 1 if name == "cX" else 0
        file = self._programs / name
        file.write_text(
            "#!/bin/sh\n"
            f'{{ printf \'%s\\0\' {name} "$PWD" $# "$@"; {reads} printf \'\\n\'; }} >> "$RECORDS/$$"\n'
            f"exit {status}\n"
        )
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def place(self) -> Place:
        """A fresh directory with the inputs in it."""
        self._count += 1
        place = Place(self._root / f"run{self._count}")
        for name in INPUTS:
            file = place.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{_MARK}{name}\n")
        place.records.mkdir()
        return place

    def run(self, script: str, place: Place) -> Observed:
        """Run a script in the directory of `place`, which is its home too."""
        work, records = place.work, place.records
        before = _state(work)
        environment = {
            "PATH": str(self._programs),
            "RECORDS": str(records),
            "HOME": str(work),
            "LC_ALL": "C.UTF-8",
        }
        process = subprocess.Popen(
            [self._bash, "--norc", "--noprofile", "-c", script, "main"],
            env=environment,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_limited,  # noqa: PLW1509  # no thread is started by these tests
        )
        try:
            status = process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            status = -1
        _end_group(process.pid)
        process.wait()
        programs, told = _records(records)
        written = frozenset(path for path, content in _state(work).items() if before.get(path) != content)
        read = frozenset(str(work / name) for name in INPUTS if f"{_MARK}{name}" in told)
        return Observed(programs, written, read, status)


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE_SECONDS, PATIENCE_SECONDS))


def _end_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _state(work: Path) -> dict[str, tuple[int, str]]:
    """Every file below a directory with its content and when it was changed."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_text(errors="replace"))
        for path in sorted(work.rglob("*"))
        if path.is_file()
    }


def _records(records: Path) -> tuple[tuple[Ran, ...], str]:
    found: list[Ran] = []
    told: list[str] = []
    for file in sorted(records.iterdir()):
        text = file.read_text(errors="surrogateescape")
        told.append(text)
        fields = text.split("\0")
        # One that was ended while it wrote tells nothing.
        if len(fields) > 3 and fields[2].isdecimal():
            found.append(Ran(fields[0], fields[1], tuple(fields[3 : 3 + int(fields[2])])))
    return tuple(found), "".join(told)
