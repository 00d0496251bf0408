"""The scripts of the ordinary days: one file an ecosystem, its project and the sessions of an agent in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.client.script import Script
from tests.corpora.ordinary_days.steps import Place, Steps

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
HOME = "/home/dev"


@dataclass(frozen=True)
class Session:
    """One session: what the person asked, how the client was started, and what its agent does."""

    name: str
    prompt: str
    mode: str
    script: Script


@dataclass(frozen=True)
class Day:
    """An ecosystem's project (`files` by path, `remote` its origin) and the sessions in it."""

    name: str
    project: str
    remote: str
    files: Mapping[str, str]
    ignored: str
    sessions: tuple[Session, ...]


def days() -> Iterator[Day]:
    """Every day, by the name of its script."""
    parts = _read("parts.yaml")
    for file in sorted(SCRIPTS.glob("*.yaml")):
        if file.name != "parts.yaml":
            yield _day(file.stem, _read(file.name), parts)


def _day(name: str, told: Mapping[str, Any], shared: Mapping[str, str]) -> Day:
    project = f"{HOME}/{told['project']}"
    parts = {**shared, **told.get("parts", {})}
    sessions = []
    for number, session in enumerate(told["sessions"]):
        words = {**told.get("words", {}), **session.get("words", {})}
        steps = Steps(Place(project, HOME), words, parts)
        try:
            script = steps.script(session["steps"])
        except (ValueError, LookupError, StopIteration, yaml.YAMLError) as error:
            raise ValueError(f"{name}.yaml, session {number} ({session['prompt']}): {error}") from error
        sessions.append(
            Session(f"{name}-{number:02d}", session["prompt"], session.get("mode", "acceptEdits"), script)
        )
    return Day(
        name=name,
        project=project,
        remote=told["remote"],
        files=told["files"],
        ignored=told["ignored"],
        sessions=tuple(sessions),
    )


def _read(name: str) -> Any:
    return yaml.safe_load((SCRIPTS / name).read_text(encoding="utf-8"))
