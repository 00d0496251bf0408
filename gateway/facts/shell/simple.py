"""Simple commands: expand, redirect, assign, and run a function, a builtin, or what the models know of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from gateway.facts.shell.apply import Application
from gateway.facts.shell.arrays import Array
from gateway.facts.shell.assignments import assigned, declared_by, elements_of
from gateway.facts.shell.choices import Choices
from gateway.facts.shell.context import Call, Context, Outcome
from gateway.facts.shell.declarations import DECLARING
from gateway.facts.shell.environment import assign
from gateway.facts.shell.files import PROCESS_PATH, Files
from gateway.facts.shell.models import Invocation, Models
from gateway.facts.shell.places import resolve
from gateway.facts.shell.redirections import redirect
from gateway.facts.shell.state import MAY_EXPAND_ALIASES, State, join
from gateway.facts.shell.trace import CommandFact, Trace
from gateway.facts.shell.tree import Assignment, Command, Simple
from gateway.facts.shell.values import (
    HOLE,
    NOTHING,
    SOMETHING,
    UNKNOWN,
    Field,
    Stream,
    Value,
    append_fields,
)

if TYPE_CHECKING:
    from gateway.facts.shell.builtins import Builtins
    from gateway.facts.shell.walk import Walk

_PROGRAM_DIRECTORIES: Final = frozenset(
    {
        "/bin",
        "/usr/bin",
        "/usr/local/bin",
        "/sbin",
        "/usr/sbin",
        "/usr/local/sbin",
        "/opt/homebrew/bin",
        "/snap/bin",
    }
)
_MAX_CALLS: Final = 24


class Runner:
    """Runs simple commands on abstract values."""

    def __init__(self, trace: Trace, models: Models, builtins: Builtins) -> None:
        self.trace = trace
        self.models = models
        self.builtins = builtins
        self.files = Files(trace)
        self.application = Application(self)
        self._calls: list[str] = []
        self.scopes: list[dict[str, tuple[Value | None, Array | None]]] = []
        """What names that functions declare as their own hold outside of them, the innermost function last."""

    def simple(self, walk: Walk, node: Simple, state: State, context: Context) -> Outcome:
        """A simple command: once for every combination of what its words may be."""
        choices = Choices()
        result: Outcome | None = None
        before = state
        for _ in choices.rounds():
            current = before.copy()
            outcome = self._round(walk, node, current, context, choices)
            result = outcome if result is None else result.or_else(outcome)
        assert result is not None
        return result

    def _round(self, walk: Walk, node: Simple, state: State, context: Context, choices: Choices) -> Outcome:
        expansion = walk.expansion(state, choices, context)
        argv: list[Field] = []
        arrays: dict[str, tuple[tuple[Field | None, Field], ...]] = {}
        for word in node.words:
            if isinstance(word, Assignment):
                arrays[word.name] = elements_of(word, expansion)
                argv.append(Field(word.name))
            elif argv and argv[0].exact in DECLARING and (declared := declared_by(word)) is not None:
                # What is assigned in an argument of `export` and its like is expanded as in any assignment.
                beginning, rest = declared
                argv.append(append_fields(Field(beginning), expansion.text(rest, assignment=True)))
            else:
                argv.extend(expansion.fields(word))
        redirected = redirect(self, expansion, node.redirects, state)
        prefix: dict[str, Field] = {}
        for assignment in node.assignments:
            value = assigned(assignment, expansion, state, keep=not argv)
            if value is not None:
                prefix[assignment.name] = value
        self.trace.environment_used.update(dict.fromkeys(sorted(expansion.used)))
        if not argv:
            shell = Call(argv=[Field("export")], state=state, context=context, stdin=NOTHING)
            for variable, given in prefix.items():
                assign(self, walk, shell, variable, given)
            outcome = Outcome(NOTHING, state, None)
        else:
            call = Call(
                argv=argv,
                state=state,
                context=context,
                stdin=redirected.stdin if redirected.stdin is not None else state.stdin,
                prefix=prefix,
                sources=frozenset(expansion.sources),
                hosts=frozenset(expansion.hosts),
                arrays=arrays,
                descriptors=redirected.descriptors,
            )
            for variable, given in prefix.items():
                assign(self, walk, call, variable, given)
            outcome = self.run(walk, call)
        output = redirected.write(outcome.output, outcome.then or outcome.otherwise or state)
        return Outcome(output, outcome.then, outcome.otherwise)

    def run(self, walk: Walk, call: Call) -> Outcome:
        """Run one command: function, builtin or program."""
        state, _context = call.state, call.context
        if not self.trace.step():
            return Outcome(SOMETHING, state, state)
        program = call.argv[0]
        if not program.known:
            return self._dynamic(walk, call)
        name = program.text.rpartition("/")[2]
        if "/" not in program.text:
            if state.functions or state.aliases:
                defined = self._definitions(state, name)
                if defined != (None,):
                    return self._defined(walk, call, name, defined)
            if self.trace.remembered.aliases:
                self.application.earlier.alias(walk, call, name)
        return self._undefined(walk, call, name)

    def _undefined(self, walk: Walk, call: Call, name: str) -> Outcome:
        """A builtin or a program."""
        self.record(call, name)
        builtin = self.builtins.get(name) if "/" not in call.argv[0].text else None
        if builtin is not None:
            return builtin(self, walk, call)
        return Outcome(self.program(walk, call, name), call.state, call.state)

    def _definitions(self, state: State, name: str) -> tuple[str | Command | None, ...]:
        """What a name may stand for: texts of aliases, bodies of functions, None for the program or builtin."""
        functions = state.functions.get(name, (None,))
        aliases = state.aliases.get(name) if state.options >= MAY_EXPAND_ALIASES else None
        if not aliases:
            return functions
        # An alias counts only on lines that are read after it: the command may well be the one it hides.
        hides = functions != (None,) or self._is_modelled(name)
        texts = tuple(text for text in aliases if text is not None)
        return (*texts, *functions) if hides else texts or functions

    def _is_modelled(self, name: str) -> bool:
        invocation = Invocation(name=name, program=name, argv=(), stdin=NOTHING, prefix={})
        return self.builtins.get(name) is not None or self.models.effects(invocation) is not None

    def _defined(
        self, walk: Walk, call: Call, name: str, definitions: tuple[str | Command | None, ...]
    ) -> Outcome:
        """Run a name in every way that it may be defined."""
        result: Outcome | None = None
        for definition in definitions:
            inner = call if len(definitions) == 1 else structs.replace(call, state=call.state.copy())
            if definition is None:
                outcome = self._undefined(walk, inner, name)
            elif isinstance(definition, str):
                outcome = self._alias(walk, inner, name, definition)
            else:
                outcome = self._function(walk, inner, name, definition)
            result = outcome if result is None else result.or_else(outcome)
        assert result is not None
        return result

    def record(self, call: Call, name: str, *, known: bool = True, indirect: str = "") -> None:
        """Remember that a command runs."""
        context = call.context
        self.trace.commands.append(
            CommandFact(
                name=name,
                program=call.argv[0].text,
                argv=tuple([None if PROCESS_PATH in field.text else field.exact for field in call.argv]),
                wrappers=context.wrappers,
                via=context.via,
                certain=context.certain,
                remote=context.remote,
                background=context.background,
                known=known,
                directories=call.state.directories or (),
                privileged=context.privileged,
                indirect=indirect,
            )
        )

    def program(self, walk: Walk, call: Call, name: str) -> Stream:
        """Run what the models know of a program; what it prints."""
        program = call.argv[0].text
        own_path = "/" in program
        if own_path:
            places = resolve(call.argv[0], call.state.directories, call.state.links)
            standard = places is not None and all(
                place.path.rpartition("/")[0] in _PROGRAM_DIRECTORIES for place in places
            )
            if not standard:
                self.files.touch("execute", call.argv[0], call.state)
                if self._written(walk, call):
                    return SOMETHING
                self.application.earlier.file(walk, call, call.argv[0], call.argv[1:], program="")
        invocation = Invocation(
            name=name,
            program=program,
            argv=tuple(call.argv[1:]),
            stdin=call.stdin,
            prefix=call.prefix,
        )
        effects = self.models.effects(invocation)
        if effects is None:
            if own_path:
                self.trace.indirect.setdefault(("script_file", program))
            effects = self.models.unknown(invocation, script=own_path)
            self.trace.unknown_commands.setdefault(name)
            if not own_path:
                self.application.earlier.named(walk, call, name)
        return self.application.apply(walk, call, effects)

    def _written(self, walk: Walk, call: Call) -> bool:
        """A file that this script wrote is run: its text is walked when it is known."""
        for place in resolve(call.argv[0], call.state.directories, call.state.links) or ():
            written = call.state.written.get(place.path)
            if written is not None:
                self.application.run_written(walk, call, written, call.argv[1:])
                return True
        return False

    def _dynamic(self, walk: Walk, call: Call) -> Outcome:
        """The command's name is not known: anything may run, and its arguments are looked at as if it touched them."""
        self.trace.note("glob_command" if call.argv[0].glob else "dynamic_command")
        self.record(call, "", known=False)
        following = call.argv[1] if len(call.argv) > 1 else UNKNOWN
        if (
            call.argv[0] == UNKNOWN
            and following.known
            and self._is_modelled(following.text.rpartition("/")[2])
        ):
            # `$SUDO rm x` with nothing in the variable: the next word is the command.
            return self.run(walk, structs.replace(call, argv=call.argv[1:]))
        for field in call.argv[1:]:
            if field.text and not field.text.startswith("-") and not field.unknown:
                self.files.touch("read", field, call.state, possible=True)
        return Outcome(SOMETHING, call.state, call.state)

    def _function(self, walk: Walk, call: Call, name: str, body: Command) -> Outcome:
        walk.called.add(name)
        if name in self._calls or len(self._calls) > _MAX_CALLS:
            self.trace.note("recursive_function")
            return Outcome(SOMETHING, call.state, call.state)
        state = call.state
        positional, stdin = state.positional, state.stdin
        state.positional, state.stdin = tuple(call.argv[1:]), call.stdin
        saved = {key: state.get(key) for key in call.prefix}
        for key, value in call.prefix.items():
            state.set(key, (value,))
        self._calls.append(name)
        context = structs.replace(call.context, via="function", depth=call.context.depth + 1)
        self.scopes.append({})
        outcome = walk.command(body, state, context)
        self._calls.pop()
        outside = self.scopes.pop()
        returned = self.builtins.returned(walk)
        after = [outcome.then, outcome.otherwise, *returned]
        merged: State | None = None
        for one in after:
            if one is not None:
                one.positional, one.stdin = positional, stdin
                for key, before in saved.items():
                    one.set(key, before)
                for key, (value_before, array_before) in outside.items():
                    one.restore(key, value_before, array_before)
                merged = join(merged, one)
        return Outcome(outcome.output, merged, merged)

    def _alias(self, walk: Walk, call: Call, name: str, text: str) -> Outcome:
        """An alias stands for its text, followed by the arguments."""
        if HOLE in text or name in self._calls:
            self.trace.note("alias")
            return self._dynamic(walk, call)
        self._calls.append(name)
        quoted = " ".join(_quoted(field) for field in call.argv[1:])
        context = structs.replace(call.context, via="alias", depth=call.context.depth + 1)
        outcome = walk.code(f"{text} {quoted}", call.state, context)
        self._calls.pop()
        return outcome

    def expand_text(self, walk: Walk, text: str, state: State, context: Context) -> None:
        """Run the command substitutions in a text that is expanded (prompts, arithmetic)."""
        inner = structs.replace(context, via="subst", depth=context.depth + 1)
        walk.code(f': "{text}"' if '"' not in text else f": {text}", state.copy(), inner)

    def read_file(self, field: Field, state: State) -> Stream:
        """A file is opened for reading."""
        return self.files.read(field, state)

    def write_file(self, field: Field, state: State) -> list[str]:
        """A file is opened for writing."""
        return self.files.write(field, state)

    def contact_host(self, host: str, state: State) -> None:
        """A host is contacted."""
        del state
        self.trace.host(host.lower(), certain=True)

    def send(self, sources: frozenset[str], host: str) -> None:
        """Content leaves for a host."""
        self.trace.send(sorted(sources), host.lower(), certain=True)


def _quoted(field: Field) -> str:
    """A field as shell text that expands to it again."""
    if field.known:
        return "'" + field.text.replace("'", "'\\''") + "'"
    return field.text if field.glob and HOLE not in field.text else "$__unknown"
