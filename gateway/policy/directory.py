"""Policy files of directories and archives, as Cerbos' disk store reads them: all that is no test, test data or hidden."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from gateway.policy.archive import is_archive, read_archive
from gateway.policy.problems import Place, PolicyProblem, Problem
from gateway.policy.source import MAX_BYTES

MAX_FILES = 100_000
_ENDINGS = (".yaml", ".yml", ".json")
_TEST_ENDINGS = ("_test.yaml", "_test.yml", "_test.json")
_SCHEMAS = "_schemas"
_TEST_DATA = "testdata"


class SourceFile(Struct, frozen=True):
    """One file: how errors call it (the path as given, then inside the root), its bytes, whether it is a schema."""

    name: str
    data: bytes
    schema: str = ""
    """For a schema its path below `_schemas`, as references name it."""


def read_roots(roots: Sequence[Path]) -> tuple[SourceFile, ...]:
    """Every policy and schema file of the roots, sorted. Raises PolicyProblem when one cannot be read."""
    found: list[SourceFile] = []
    for root in roots:
        if root.is_dir():
            found += _read_directory(root)
        elif is_archive(root):
            found += _read_archive(root)
        elif root.is_file():
            found.append(SourceFile(str(root), _read(root)))
        else:
            raise PolicyProblem(
                Problem.UNREADABLE,
                Place(str(root)),
                "There is no such directory or archive.",
                "Name one that holds policies.",
            )
        if len(found) > MAX_FILES:
            raise PolicyProblem(
                Problem.UNREADABLE,
                Place(str(root)),
                f"There are more than {MAX_FILES} files.",
                "Name a smaller directory.",
            )
    return tuple(sorted(found, key=lambda file: file.name))


def _read_directory(root: Path) -> list[SourceFile]:
    found: list[SourceFile] = []
    for directory, names, files in os.walk(root):
        here = Path(directory)
        parts = here.relative_to(root).parts
        names[:] = sorted(name for name in names if not name.startswith(".") and name != _TEST_DATA)
        for name in sorted(files):
            path = (*parts, name)
            if _counts(path, here / name):
                found.append(SourceFile(str(here / name), _read(here / name), _schema(path)))
    return found


def _read_archive(root: Path) -> list[SourceFile]:
    found: list[SourceFile] = []
    for path, data in read_archive(root, lambda path: _counts(path, root.joinpath(*path))):
        found.append(SourceFile(str(root.joinpath(*path)), data, _schema(path)))
    return found


def _counts(path: tuple[str, ...], full: Path) -> bool:
    """Whether a file is a policy or a schema. Raises PolicyProblem for schemas that no reference could name."""
    if any(part.startswith(".") for part in path) or _TEST_DATA in path[:-1]:
        return False
    if _SCHEMAS in path[1:-1]:
        raise PolicyProblem(
            Problem.UNREADABLE,
            Place(str(full)),
            "_schemas stands directly in the directory of the policies, not below it.",
            "Move it up.",
        )
    name = path[-1].lower()
    return name.endswith(_ENDINGS) and (path[0] == _SCHEMAS or not name.endswith(_TEST_ENDINGS))


def _schema(path: tuple[str, ...]) -> str:
    return "/".join(path[1:]) if len(path) > 1 and path[0] == _SCHEMAS else ""


def _read(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise PolicyProblem(
                Problem.UNREADABLE,
                Place(str(path)),
                "This is no regular file.",
                "Remove it: reading a pipe or a device could take for ever.",
            )
        if about.st_size > MAX_BYTES:
            raise PolicyProblem(
                Problem.TOO_LARGE,
                Place(str(path), 1, 1),
                f"The file has {about.st_size} bytes, more than {MAX_BYTES}.",
                "Split it: a policy set may have any number of files.",
            )
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyProblem(
            Problem.UNREADABLE,
            Place(str(path)),
            f"The file cannot be read: {error.strerror}.",
            "Let the process read it.",
        ) from None
