"""Programs that tables cannot describe: each a function from an invocation to effects, named in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.facts.shell.models import Program
from gateway.facts.shell.programs import finding, launching, shells

PROGRAMS: Final[Mapping[str, Program]] = {
    "shell": shells.shell,
    "echo": shells.echo,
    "env": launching.env,
    "xargs": launching.xargs,
    "find": finding.find,
}
"""The functions by the name that `program:` gives."""
