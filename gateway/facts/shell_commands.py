"""Shell commands among the tools' inputs: analysed once for equal surroundings, then put among the findings."""

from __future__ import annotations

import re
from typing import Any

from gateway.domain.events import HookEvent
from gateway.facts.gateway_guard import GatewayGuard, guard_data
from gateway.facts.hosts import Hosts
from gateway.facts.lexical_sweep import sweep_text
from gateway.facts.operations import Findings
from gateway.facts.place import Place
from gateway.facts.powershell import sweep_powershell
from gateway.facts.refs import ProtectedRefs
from gateway.facts.shell.analysis import MAX_BYTES, Surroundings, analyse, analyse_code
from gateway.facts.shell.models import Models
from gateway.facts.shell.trace import Trace
from gateway.facts.shell_dialects import note_zsh
from gateway.facts.shell_memo import KEPT_BYTES, TraceMemo
from gateway.facts.shell_operations import Site, add_shell_operations

_ANY_HOME = "/home/~"
"""Stands for a home nobody knows: it is in every group that holds under any home."""
_DIALECTS = ("zsh", "bash", "dash", "ksh", "ash", "sh", "fish")
_FOREIGN = ("pwsh", "powershell", "cmd")
CODE = "code:"
"""Begins the dialect of program texts."""
INLINE_BYTES = 4096
"""Longer commands, with what they run of what the session wrote, are not analysed in the loop that answers others."""
INLINE_STEPS = 40
"""Commands that an inline analysis may simulate; what needs more is longer than its text."""


class ShellCommands:
    """Analyses commands. Traces are kept by everything that the analysis reads, up to `kept_bytes`."""

    def __init__(
        self, models: Models, hosts: Hosts, refs: ProtectedRefs, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._models = models
        self._site = Site(hosts, refs, GatewayGuard(guard_data(), hosts))
        self.kept = TraceMemo(kept_bytes)

    def call(
        self, command: str, event: HookEvent, place: Place, findings: Findings, *, dialect: str = ""
    ) -> dict[str, Any] | None:
        """What a command would do, put among the findings; the value is `R.attr.shell`.

        `dialect` is the session's unless it is given; `code:LANGUAGE` is a program text.

        None, with `findings.deferred` set, where that would take longer than `findings.effort` allows.
        """
        dialect = dialect or dialect_of(event.claims.shell)
        home = place.project.home or _ANY_HOME
        around = Surroundings(
            cwd=place.cwd,
            project_dir=place.project.directory,
            home=home,
            user="" if home == _ANY_HOME else home.rpartition("/")[2],
            dialect=dialect,
        )
        trace = self._trace(command, around, findings)
        if trace is None:
            findings.deferred = True
            return None
        findings.left.extend(trace.left)
        findings.consulted.update(trace.consulted)
        if ("syntax" in trace.reasons or trace.limits) and dialect not in _FOREIGN:
            if findings.effort == "inline" and len(command) > INLINE_BYTES:
                findings.deferred = True
                return None
            # Who has no time for an analysis has none for a long text either, and has said so as a limit.
            swept = command[:MAX_BYTES] if findings.effort == "none" else command
            sweep_text(swept, findings, self._site.hosts)
        if dialect in _FOREIGN or any(language == "powershell" for language, _, _ in trace.inline):
            sweep_powershell(command, findings, self._site.hosts)
        return add_shell_operations(
            trace, findings, self._site, dialect=dialect, models=self._models.revision
        )

    def _trace(self, command: str, around: Surroundings, findings: Findings) -> Trace | None:
        remembered = findings.remembered
        found = self.kept.get(command, around, remembered)
        if found is not None:
            return found
        if findings.effort == "none":
            return cut_short(findings.reason)
        if around.dialect in _FOREIGN:
            found = foreign()
        elif around.dialect.startswith(CODE):
            found = analyse_code(around.dialect.removeprefix(CODE), command, around, self._models)
        elif findings.effort == "full":
            found = analyse(command, around, self._models, remembered)
        else:
            if _bytes(command) + remembered.weight(command) > INLINE_BYTES:
                return None
            found = analyse(command, around, self._models, remembered, INLINE_STEPS)
            if "budget" in found.limits:
                return None
        if around.dialect == "zsh":
            note_zsh(command, found)
        self.kept.put(command, around, remembered, found)
        return found


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def dialect_of(shell: str) -> str:
    """The language of the shell that a client claims: by the name of its program; bash when nobody says."""
    name = re.split(r"[/\\]", shell)[-1].removesuffix(".exe").lower()
    return name if name in (*_DIALECTS, *_FOREIGN) else "bash"


def cut_short(reason: str) -> Trace:
    """A command that could not be analysed in time: a limit, and nothing known."""
    trace = Trace()
    trace.limit(reason)
    return trace


def foreign() -> Trace:
    """A command in a language that is not analysed: nothing of it is known."""
    trace = Trace()
    trace.note("syntax")
    return trace
