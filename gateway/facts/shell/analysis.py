"""One command analysed: text, place and claims in; facts out. Pure, and the same on every machine and under any load."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gateway.domain.remembered import NOTHING_REMEMBERED, Remembered
from gateway.facts.shell.builtins import Builtins
from gateway.facts.shell.commands import parse
from gateway.facts.shell.context import Call, Context
from gateway.facts.shell.effects import Code, Credential
from gateway.facts.shell.environment import secret_names
from gateway.facts.shell.inline import read_code
from gateway.facts.shell.models import Models
from gateway.facts.shell.persistence import persistence_of
from gateway.facts.shell.simple import Runner
from gateway.facts.shell.started import without_own_containers
from gateway.facts.shell.state import State
from gateway.facts.shell.trace import MAX_STEPS, Trace
from gateway.facts.shell.values import ANYTHING, NOTHING, Field, Value, value_of
from gateway.facts.shell.walk import Walk

ANALYZER: Final = 1
"""Number of the analysis: parser, walk and command model together."""
MAX_BYTES: Final = 65_536
_ODD: Final = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ud800-\udfff]"
)
_COMMON: Final[Mapping[str, Value]] = {
    "TMPDIR": value_of("/tmp"),  # noqa: S108  # a name in the analysed text, no file of ours
    "UID": (Field("*", glob=True),),
    "RANDOM": (Field("*", glob=True),),
    "SECONDS": (Field("*", glob=True),),
    "IFS": value_of(" \t\n"),
}
"""Variables that every shell sets."""
_QUOTED: Final = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)


class Surroundings(Struct, frozen=True, kw_only=True):
    """What is claimed of where a command runs; an empty text is unknown."""

    cwd: str = ""
    project_dir: str = ""
    home: str = ""
    user: str = ""
    dialect: str = "bash"


def analyse(
    command: str,
    around: Surroundings,
    models: Models,
    remembered: Remembered = NOTHING_REMEMBERED,
    budget: int = MAX_STEPS,
) -> Trace:
    """The facts of a command in a session. Never raises: limits and errors are facts."""
    trace = Trace(remembered, budget)
    text = _checked(command, trace)
    walk = Walk(Runner(trace, models, Builtins()))
    state = State(around.cwd or None, _variables(around))
    if around.dialect == "zsh":
        state.options |= {"expand_aliases"}
    state.stdin = NOTHING
    state.links = dict(remembered.links)
    parsed = parse(text)
    walk.note_problem(parsed)
    try:
        printed = walk.script(parsed.script, state, Context()).output
        _uncalled(walk)
    except RecursionError:
        trace.limit("too_deep")
    else:
        for name in secret_names(name.removeprefix("$") for name in sorted(printed.shown)):
            trace.credentials[Credential(store="env", names=(name,))] = True
    trace.commands = without_own_containers(trace.commands)
    trace.persistence.update(dict.fromkeys(persistence_of(trace)))
    return trace


def analyse_code(language: str, text: str, around: Surroundings, models: Models) -> Trace:
    """The facts of a program text that something other than a shell runs. Never raises."""
    trace = Trace()
    walk = Walk(Runner(trace, models, Builtins()))
    state = State(around.cwd or None, _variables(around))
    context = Context(via="inline")
    program = Field(language)
    call = Call(argv=[program], state=state, context=context, stdin=NOTHING)
    try:
        read_code(
            walk,
            call,
            Code(language=language, text=Field(text), via="inline", program=program),
            _checked(text, trace),
            context,
        )
    except RecursionError:
        trace.limit("too_deep")
    return trace


def analyzer(models: str) -> str:
    """What tells two analyses apart: the number of this one and the revision of the command model."""
    return f"{ANALYZER}-{models}"


def _checked(command: str, trace: Trace) -> str:
    """The text that is parsed; what makes it suspicious as a whole is noted."""
    if "\0" in command:
        trace.note("nul")
        command = command.replace("\0", "")
    if len(command.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        trace.limit("too_long")
        command = command[:MAX_BYTES]
    if _ODD.search(command) and _ODD.search(_QUOTED.sub("", command)):
        trace.note("odd_characters", ())
    return command


def _variables(around: Surroundings) -> Mapping[str, Value]:
    """The variables that are known at the start: what the hook says, and nothing of the gateway's."""
    return {
        **_COMMON,
        "HOME": value_of(around.home) if around.home else ANYTHING,
        "PWD": value_of(around.cwd) if around.cwd else ANYTHING,
        "OLDPWD": ANYTHING,
        "USER": value_of(around.user) if around.user else ANYTHING,
        "LOGNAME": value_of(around.user) if around.user else ANYTHING,
    }


def _uncalled(walk: Walk) -> None:
    """Functions that nothing here called may be called later: their bodies count with unknown arguments."""
    for name, (body, state) in list(walk.defined.items()):
        if name not in walk.called:
            inner = state.copy()
            inner.positional = None
            walk.command(body, inner, Context(via="function", certain=False, depth=1))
