"""Shell builtins that change the state or run code.

Source: Bash Reference Manual 5.2, chapter 4. A builtin that does neither is described like any program, as data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import structs

from gateway.domain.remembered import Change
from gateway.facts.shell import declarations, directories
from gateway.facts.shell.context import Call, Outcome
from gateway.facts.shell.effects import Code
from gateway.facts.shell.places import resolve
from gateway.facts.shell.redirections import input_path
from gateway.facts.shell.state import State
from gateway.facts.shell.values import HOLE, NOTHING, SOMETHING, Field, Stream

if TYPE_CHECKING:
    from gateway.facts.shell.simple import Runner
    from gateway.facts.shell.walk import Walk

Builtin = Callable[["Runner", "Walk", Call], Outcome]


class Builtins:
    """The builtins by name, and the states in which functions returned."""

    def __init__(self) -> None:
        self._returned: list[State] = []
        self._table: dict[str, Builtin] = {
            "eval": _eval,
            "source": _source,
            ".": _source,
            "exec": _exec,
            "command": _command,
            "builtin": _command,
            "trap": _trap,
            "exit": _exit,
            "return": self._return,
            "break": _leave,
            "continue": _leave,
            "set": _set,
            "shopt": _shopt,
            "shift": _shift,
            "alias": _alias,
            "unalias": _unalias,
            "let": _let,
            "enable": _enable,
            "hash": _hash,
            "test": _test,
            "[": _test,
            "true": _true,
            ":": _true,
            "false": _false,
            **directories.TABLE,
            **declarations.TABLE,
        }

    def get(self, name: str) -> Builtin | None:
        """The builtin of a name, None for programs."""
        return self._table.get(name)

    def returned(self, walk: Walk) -> list[State]:
        """The states in which the function that just ended returned."""
        del walk
        found, self._returned = self._returned, []
        return found

    def _return(self, runner: Runner, walk: Walk, call: Call) -> Outcome:
        del walk
        if not runner.scopes:
            # Outside of functions it is an error, and the script goes on.
            return Outcome(NOTHING, None, call.state)
        self._returned.append(call.state)
        return Outcome(NOTHING, None, None)


def _eval(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """Its arguments, joined by blanks, are a script of this shell."""
    if not all(field.known for field in call.argv[1:]):
        runner.trace.note("dynamic_code")
        return Outcome(SOMETHING, call.state, call.state)
    context = structs.replace(call.context, via="eval", depth=call.context.depth + 1)
    if call.hosts:
        runner.application.remote_code()
    return walk.code(" ".join(field.text for field in call.argv[1:]), call.state, context)


def _source(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """A file is run in this shell."""
    arguments = call.argv[1:]
    if arguments and arguments[0].text == "--":
        arguments = arguments[1:]
    if not arguments:
        return Outcome(NOTHING, call.state, call.state)
    path, state = arguments[0], call.state
    places = resolve(path, state.directories, state.links) or []
    for place in places:
        given = input_path(place.path, state, call.stdin)
        stream = given if given is not None else runner.files.content(place.path, state)
        if given is not None:
            return _run_stream(runner, walk, call, given)
        if place.path in walk.processes or place.path in state.written or stream.text is not None:
            return _run_stream(runner, walk, call, stream)
    runner.files.touch("read", path, state)
    runner.files.touch("execute", path, state)
    runner.trace.indirect.setdefault(("sourced_file", path.text))
    runner.application.earlier.file(walk, call, path, arguments[1:], program="sh", sourced=True)
    return Outcome(SOMETHING, state, state)


def _run_stream(runner: Runner, walk: Walk, call: Call, stream: Stream) -> Outcome:
    if stream.hosts or stream.code:
        runner.application.remote_code()
    elif stream.text is None:
        runner.trace.note("dynamic_code")
    else:
        context = structs.replace(call.context, via="source", depth=call.context.depth + 1)
        return walk.code(stream.text, call.state, context)
    return Outcome(SOMETHING, call.state, call.state)


def _exec(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`exec command` replaces the shell; without a command its redirections stay."""
    arguments = list(call.argv[1:])
    while arguments and arguments[0].text in ("-c", "-l", "-cl", "-lc", "-a", "--"):
        option = arguments.pop(0).text
        if option == "-a" and arguments:
            arguments.pop(0)
    if not arguments:
        for descriptor, what in call.descriptors:
            call.state.descriptors[descriptor] = what
        if call.stdin is not call.state.stdin:
            call.state.stdin = call.stdin
        return Outcome(NOTHING, call.state, call.state)
    inner = structs.replace(call, argv=arguments)
    outcome = runner.run(walk, inner)
    if outcome.then is not None:
        walk.exited(outcome.then)
    return Outcome(outcome.output, None, outcome.otherwise)


def _command(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`command` and `builtin` run a command past functions and aliases; `-v` only tells."""
    arguments = list(call.argv[1:])
    while arguments and arguments[0].text.startswith("-"):
        option = arguments.pop(0).text
        if option == "--":
            break
        if set(option) & {"v", "V"}:
            return Outcome(SOMETHING, call.state, call.state)
    if not arguments:
        return Outcome(NOTHING, call.state, call.state)
    functions, aliases = call.state.functions, call.state.aliases
    call.state.functions, call.state.aliases = {}, {}
    outcome = runner.run(walk, structs.replace(call, argv=arguments))
    for state in (outcome.then, outcome.otherwise):
        if state is not None:
            state.functions, state.aliases = {**functions, **state.functions}, {**aliases, **state.aliases}
    return outcome


def _trap(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """The action of a trap may run at any time from now on."""
    arguments = [field for field in call.argv[1:] if field.text not in ("--", "-p", "-l")]
    if len(arguments) > 1 and arguments[0].text not in ("", "-"):
        if arguments[0].known:
            context = structs.replace(call.context, via="trap", depth=call.context.depth + 1)
            walk.code(arguments[0].text, call.state.copy(), context)
        else:
            runner.trace.note("trap_code")
    return Outcome(NOTHING, call.state, None)


def _exit(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner
    walk.exited(call.state)
    return Outcome(NOTHING, None, None)


def _leave(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner
    walk.loops.leave(call.state)
    return Outcome(NOTHING, None, None)


_SET_LETTERS: Final = {"e": "errexit", "f": "noglob", "n": "noexec", "u": "nounset", "a": "allexport"}


def _set(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """Options and positional parameters."""
    del runner, walk
    state = call.state
    arguments = list(call.argv[1:])
    while arguments:
        text = arguments[0].text
        if text in ("--", "-"):
            state.positional = tuple(arguments[1:])
            break
        if not text.startswith(("-", "+")) or len(text) < 2:
            state.positional = tuple(arguments)
            break
        arguments.pop(0)
        names = {_SET_LETTERS[letter] for letter in text[1:] if letter in _SET_LETTERS}
        if text.endswith("o") and arguments:
            names.add(arguments.pop(0).text)
        state.options = state.options | names if text[0] == "-" else state.options - names
    return Outcome(NOTHING, state, None)


def _shopt(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    words = [field.text for field in call.argv[1:]]
    names = {word for word in words if not word.startswith("-")}
    if "-s" in words:
        call.state.options |= names
    elif "-u" in words:
        call.state.options -= names
    return Outcome(SOMETHING, call.state, call.state)


def _shift(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    positional = call.state.positional
    count = call.argv[1].exact if len(call.argv) > 1 else "1"
    if positional is not None:
        call.state.positional = positional[int(count) :] if count and count.isdecimal() else None
    return Outcome(NOTHING, call.state, call.state)


def _alias(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del walk
    for field in call.argv[1:]:
        name, separator, value = field.text.partition("=")
        if separator:
            call.state.aliases[name] = (value,)
            if HOLE not in field.text:
                runner.trace.leave(Change(kind="alias", path=name, text=value))
    return Outcome(SOMETHING, call.state, call.state)


def _unalias(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    for field in call.argv[1:]:
        if field.text == "-a":
            call.state.aliases.clear()
        call.state.aliases.pop(field.text, None)
    return Outcome(NOTHING, call.state, call.state)


def _let(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """Each argument is an arithmetic expression."""
    for field in call.argv[1:]:
        walk.evaluate_text(field, call.state, call.context)
    del runner
    return Outcome(NOTHING, call.state, call.state)


def _enable(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`enable -f` loads machine code."""
    del walk
    for option, operand in zip(call.argv[1:], call.argv[2:], strict=False):
        if option.text == "-f":
            runner.files.touch("execute", operand, call.state)
            runner.trace.note("loads_object")
    return Outcome(NOTHING, call.state, call.state)


def _hash(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`hash -p path name` makes a name run another program."""
    del walk
    arguments = [field for field in call.argv[1:] if field.text != "-r"]
    for position, field in enumerate(arguments):
        if field.text == "-p" and position + 2 < len(arguments):
            path, name = arguments[position + 1], arguments[position + 2]
            if path.known and name.known:
                call.state.aliases[name.text] = (path.text,)
                call.state.options |= {"expand_aliases"}
            else:
                runner.trace.note("alias")
    return Outcome(NOTHING, call.state, call.state)


def _test(runner: Runner, walk: Walk, call: Call) -> Outcome:
    """`test -v name[subscript]` evaluates the subscript."""
    for option, operand in zip(call.argv[1:], call.argv[2:], strict=False):
        if option.text == "-v" and "[" in operand.text:
            walk.evaluate_text(operand, call.state, call.context)
    return Outcome(runner.program(walk, call, call.argv[0].text), call.state, call.state)


def _true(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    return Outcome(NOTHING, call.state, None)


def _false(runner: Runner, walk: Walk, call: Call) -> Outcome:
    del runner, walk
    return Outcome(NOTHING, None, call.state)


def shell_code(text: Field, via: str, *arguments: Field) -> Code:
    """Shell text that is run as a script of its own."""
    return Code(language="sh", text=text, via=via, arguments=arguments)
