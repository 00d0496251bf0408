"""A directory of policies, compiled and tested at the author's desk: what `policy test` and `policy lint` start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.load import load_documents
from gateway.policy.model import Document, PrincipalPolicy, ResourcePolicy
from gateway.policy.problems import Complaints
from gateway.policy.settings import EngineSettings


class Desk(Struct, frozen=True, kw_only=True):
    """The files of an author's directory, with the shipped packs below them where they build on these."""

    roots: tuple[str, ...]
    files: tuple[SourceFile, ...]
    with_packs: bool
    ignore_schemas: bool = False


def lay_out(directory: Path, packs: Path, *, with_packs: bool | None, ignore_schemas: bool = False) -> Desk:
    """Read a directory. `with_packs` None: the packs come along when the directory needs them.

    Raises PolicyProblem when it cannot be read.
    """
    desk = _read(directory, packs, with_packs=with_packs)
    return structs.replace(desk, ignore_schemas=ignore_schemas)


def _read(directory: Path, packs: Path, *, with_packs: bool | None) -> Desk:
    files = read_roots([directory])
    if with_packs is None:
        with_packs = directory.resolve() != packs.resolve() and _needs(files, packs)
    if not with_packs:
        return Desk(roots=(str(directory),), files=files, with_packs=False)
    both = read_roots([packs, directory])
    return Desk(roots=(str(directory), str(packs)), files=both, with_packs=True)


def _needs(files: Sequence[SourceFile], packs: Path) -> bool:
    """Whether a scoped policy stands on a root policy that only the packs have, or there is no policy at all."""
    if not any(not file.schema for file in files):
        return True
    keys = _keys(files)
    missing = {(kind, name, version) for kind, name, version, scope in keys if scope} - {
        (kind, name, version) for kind, name, version, scope in keys if not scope
    }
    if not missing:
        return False
    shipped = {
        (kind, name, version) for kind, name, version, scope in _keys(read_roots([packs])) if not scope
    }
    return bool(missing & shipped)


def _keys(files: Sequence[SourceFile]) -> set[tuple[type[Document], str, str, str]]:
    return {
        (type(document), document.name, document.version, document.scope)
        for document in load_documents(files, Complaints())
        if isinstance(document, ResourcePolicy | PrincipalPolicy)
    }


def compile_desk(desk: Desk, settings: EngineSettings) -> Engine:
    """The engine of what was laid out. Raises PolicyProblems."""
    return compile_policies(desk.files, settings, check_schemas=not desk.ignore_schemas)
