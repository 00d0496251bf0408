"""Policy files of directories, as Cerbos' disk store reads them: everything that is no test, schema, test data or hidden."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from gateway.policy.problems import Place, PolicyProblem, Problem

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
    """Every policy and schema file below the roots, sorted. Raises PolicyProblem when a root cannot be read."""
    found: list[SourceFile] = []
    for root in roots:
        if root.is_file():
            found.append(_read(root, ""))
            continue
        if not root.is_dir():
            raise PolicyProblem(
                Problem.UNREADABLE,
                Place(str(root)),
                "There is no such directory.",
                "Name one that holds policies.",
            )
        found += _read_root(root)
        if len(found) > MAX_FILES:
            raise PolicyProblem(
                Problem.UNREADABLE,
                Place(str(root)),
                f"There are more than {MAX_FILES} files.",
                "Name a smaller directory.",
            )
    return tuple(sorted(found, key=lambda file: file.name))


def _read_root(root: Path) -> list[SourceFile]:
    found: list[SourceFile] = []
    for directory, names, files in os.walk(root):
        here = Path(directory)
        parts = here.relative_to(root).parts
        names[:] = sorted(name for name in names if not name.startswith(".") and name != _TEST_DATA)
        in_schemas = bool(parts) and parts[0] == _SCHEMAS
        for name in sorted(files):
            if name.startswith(".") or not name.endswith(_ENDINGS):
                continue
            if in_schemas:
                found.append(_read(here / name, "/".join((*parts[1:], name))))
            elif not name.endswith(_TEST_ENDINGS):
                found.append(_read(here / name, ""))
    return found


def _read(path: Path, schema: str) -> SourceFile:
    try:
        return SourceFile(str(path), path.read_bytes(), schema)
    except OSError as error:
        raise PolicyProblem(
            Problem.UNREADABLE,
            Place(str(path)),
            f"The file cannot be read: {error.strerror}.",
            "Give it to the gateway.",
        ) from None
