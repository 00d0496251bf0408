"""From effects to facts: what a model says a program does, in the place where it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from gateway.domain.remembered import Change
from gateway.facts.shell.completion import completed, names_in
from gateway.facts.shell.context import Call, Context
from gateway.facts.shell.earlier import Earlier, language_of
from gateway.facts.shell.effects import (
    Agent,
    Assign,
    Code,
    Contact,
    Copy,
    Credential,
    Effect,
    Git,
    Indirect,
    Link,
    Note,
    Output,
    Package,
    Run,
    Touch,
    Trait,
)
from gateway.facts.shell.environment import assign, secret_names
from gateway.facts.shell.inline import read_code
from gateway.facts.shell.network import host_of
from gateway.facts.shell.places import resolve
from gateway.facts.shell.printed import credential_sources, what_is_printed
from gateway.facts.shell.redirections import input_path
from gateway.facts.shell.state import State
from gateway.facts.shell.values import (
    HOLE,
    NOTHING,
    SOMETHING,
    Field,
    Stream,
    merge_streams,
)

if TYPE_CHECKING:
    from gateway.facts.shell.simple import Runner
    from gateway.facts.shell.walk import Walk

_INHERITED: Final = ("HOME", "PWD", "OLDPWD", "USER", "TMPDIR")


class Application:
    """Applies effects in order; the result is what the command prints."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._trace = runner.trace
        self._files = runner.files
        self.earlier = Earlier(runner)

    def apply(self, walk: Walk, call: Call, effects: list[Effect]) -> Stream:
        """Turn the effects of one command into facts."""
        state = call.state
        read: list[Stream] = []
        fetched: set[str] = set()
        printed: Stream | None = None
        output: Output | None = None
        was_remote = self._files.remote
        self._files.remote = was_remote or call.context.remote
        for effect in effects:
            if type(effect) is Touch:
                stream = self._touch(effect, state)
                if stream is not None:
                    read.append(stream)
            elif type(effect) is Contact:
                fetched |= self._contact(effect, call)
            elif type(effect) is Run:
                printed = self._run(walk, call, effect)
            elif type(effect) is Code:
                printed = self._code(walk, call, effect)
            elif type(effect) is Output:
                output = effect
            elif type(effect) is Assign:
                assign(self._runner, walk, call, effect.name, effect.value)
            elif type(effect) is Copy:
                self._copy(effect, call, fetched)
            else:
                self._record(effect, state)
                self.earlier.built(walk, call, effect)
                if type(effect) is Credential:
                    read.append(Stream(sources=credential_sources(effect)))
        if self._trace.remembered.files and not self._files.remote:
            self.earlier.rewritten(call, effects)
        self._files.remote = was_remote
        return printed if printed is not None else what_is_printed(call, output, read, fetched)

    def remote_code(self) -> None:
        """Bytes from the network reach an interpreter, the command that runs last."""
        self._trace.remote_code = True
        self._trace.note("remote_code")
        self._trait("remote_code")

    def inline_code(self) -> None:
        """Program text in the command is run by the command that runs last."""
        self._trait("inline_code")

    def _trait(self, name: str) -> None:
        """A property of the command that runs last."""
        trace = self._trace
        last = trace.commands[-1] if trace.commands else None
        if last is not None and name not in last.traits:
            trace.commands[-1] = structs.replace(last, traits=(*last.traits, name))

    def _touch(self, effect: Touch, state: State) -> Stream | None:
        if effect.worktree and effect.path.known:
            for place in resolve(effect.path, state.directories, state.links) or ():
                self._trace.worktrees[place.path] = True
        if effect.action == "read" and not effect.possible:
            return self._files.read(effect.path, state, tree=effect.tree)
        self._files.touch(effect.action, effect.path, state, tree=effect.tree, possible=effect.possible)
        return None

    def _contact(self, effect: Contact, call: Call) -> set[str]:
        """Note the host and what is sent to it; the hosts that something was fetched from."""
        host, url = host_of(effect.target)
        if host is None:
            if effect.target.text.startswith("file:"):
                path = url.removeprefix("file://")
                self._files.read(Field(path), call.state)
                return set()
            self._trace.note("unknown_host")
            return set()
        if not host:
            return set()
        self._trace.host(host, certain=True, url=url)
        sources: set[str] = set(call.sources)
        for field in effect.sends:
            stream = self._files.read(field, call.state)
            sources |= stream.sources
        if effect.sends_input:
            sources |= call.stdin.sources
        if sources:
            self._runner.send(frozenset(sources), host)
        return {host} if effect.fetches else set()

    def _copy(self, effect: Copy, call: Call, fetched: set[str]) -> None:
        targets = resolve(effect.target, call.state.directories, call.state.links) or []
        if effect.source.text == "-" and effect.source.known:
            stream = Stream(hosts=frozenset(fetched), code=True) if fetched else call.stdin
        else:
            places = resolve(effect.source, call.state.directories, call.state.links) or []
            stream = merge_streams(self._files.content(place.path, call.state) for place in places[:1])
            if places and places[0].path not in call.state.written:
                for place in targets:
                    call.state.written[place.path] = stream
                    self._trace.leave(Change(kind="copy", path=place.path, other=places[0].path))
                return
        for place in targets:
            self._files.keep(place.path, stream, call.state)

    def _record(self, effect: Effect, state: State) -> None:
        trace = self._trace
        if type(effect) is Link:
            self._files.link(effect.target, effect.name, state)
        elif type(effect) is Indirect:
            trace.indirect.setdefault((effect.kind, effect.name))
            if trace.commands:
                trace.commands[-1] = structs.replace(trace.commands[-1], indirect=effect.kind)
        elif type(effect) is Git:
            trace.git[effect] = True
        elif type(effect) is Package:
            trace.packages[effect] = True
        elif type(effect) is Credential:
            names = secret_names(effect.names) if effect.store == "env" else effect.names
            if names or effect.all or effect.store != "env":
                trace.credentials[structs.replace(effect, names=names)] = True
        elif type(effect) is Agent:
            trace.agents.setdefault(effect.type)
        elif type(effect) is Trait:
            self._trait(effect.name)
        elif type(effect) is Note:
            trace.note(effect.reason, effect.dimensions or None)

    def _run(self, walk: Walk, call: Call, effect: Run) -> Stream:
        """Another command with its own arguments."""
        if not effect.argv:
            return SOMETHING
        wrapper = call.argv[0].text.rpartition("/")[2]
        context = structs.replace(
            call.context,
            via=effect.via,
            wrappers=(*call.context.wrappers, wrapper),
            remote=call.context.remote or effect.remote,
            privileged=call.context.privileged or effect.via == "privileged",
            depth=call.context.depth + 1,
        )
        if effect.via == "privileged":
            self._trace.privileged = True
        state = call.state.copy()
        if effect.directory is not None:
            places = resolve(effect.directory, state.directories, state.links)
            state.move(tuple(place.path for place in places) if places else None)
        outputs: list[Stream] = []
        for argv in self._argument_lists(call, effect):
            inner = Call(
                argv=argv,
                state=state,
                context=context,
                stdin=NOTHING if effect.from_input else call.stdin,
                prefix=call.prefix,
                sources=call.sources | (call.stdin.sources if effect.from_input else frozenset()),
            )
            outcome = walk.runner.run(walk, inner)
            outputs.append(outcome.output)
            call.state.take_files(outcome.state)
        return merge_streams(outputs)

    def _argument_lists(self, call: Call, effect: Run) -> list[list[Field]]:
        """The argument lists a command is run with: as given, or completed from names or from standard input."""
        names = effect.names
        if effect.from_input:
            stream = call.stdin if effect.input is None else self._files.read(effect.input, call.state)
            names = names_in(stream, whole_lines=bool(effect.placeholder))
        if names is None:
            return [list(effect.argv)]
        return completed(effect.argv, names, effect.placeholder, effect.batch)

    def _code(self, walk: Walk, call: Call, effect: Code) -> Stream:
        """Program text."""
        text = effect.text
        if text is None:
            return self._code_from_input(walk, call, effect)
        if effect.language == "file":
            return self._script_file(walk, call, effect, text)
        if not text.known:
            self._trace.note("dynamic_code")
            return SOMETHING
        if call.hosts:
            self.remote_code()
        context = self._code_context(call, effect)
        if effect.language != "sh":
            return read_code(walk, call, effect, text.text, context)
        state = self.child(call, effect)
        return self._shell(walk, call, state, text.text, context)

    def _script_file(self, walk: Walk, call: Call, effect: Code, path: Field) -> Stream:
        """A script file that is run: known text when this script wrote it, else code of the project."""
        state = call.state
        for place in resolve(path, state.directories, state.links) or ():
            given = input_path(place.path, state, call.stdin)
            if given is not None:
                self.run_written(walk, call, given, list(effect.arguments))
                return SOMETHING
            if place.path in state.written or place.path in self._files.processes:
                stream = self._files.content(place.path, state)
                self.run_written(walk, call, stream, list(effect.arguments), program=call.argv[0].text)
                return SOMETHING
        self._files.touch("execute", path, state)
        self.earlier.file(walk, call, path, list(effect.arguments), program=call.argv[0].text)
        self._trace.indirect.setdefault(("script_file", path.text.replace(HOLE, "*")))
        return SOMETHING

    def _code_from_input(self, walk: Walk, call: Call, effect: Code) -> Stream:
        stream = call.stdin
        if stream.hosts or stream.code:
            self.remote_code()
            return SOMETHING
        if stream.text is None:
            # A file that was read as it is holds project code; what another program printed may be anything.
            if (
                stream.sources
                and not stream.altered
                and all(not source.startswith("$") for source in stream.sources)
            ):
                for source in sorted(stream.sources):
                    self._trace.path("execute", source, certain=True)
                    self._trace.indirect.setdefault(("script_file", source))
                    self.earlier.path(walk, call, source, list(effect.arguments), program=call.argv[0].text)
                return SOMETHING
            self._trace.note("stdin_code")
            return SOMETHING
        if stream.altered:
            self._trait("hidden_code")
        context = self._code_context(call, effect)
        if effect.language != "sh":
            return read_code(walk, call, effect, stream.text, context)
        state = self.child(call, effect)
        state.stdin = NOTHING
        return self._shell(walk, call, state, stream.text, context)

    def run_written(
        self, walk: Walk, call: Call, written: Stream, arguments: list[Field], *, program: str = ""
    ) -> None:
        """A file that the script wrote is run by a program, or itself."""
        if written.hosts or written.code:
            self.remote_code()
        elif written.text is None:
            self._trace.note("write_then_run")
        else:
            language = language_of(program, written.text)
            effect = Code(
                language=language, text=Field(written.text), via="script", arguments=tuple(arguments)
            )
            self._code(walk, structs.replace(call, hosts=frozenset()), effect)

    @staticmethod
    def _shell(walk: Walk, call: Call, state: State, text: str, context: Context) -> Stream:
        """A text in a shell of its own, which leaves what it did to files."""
        outcome = walk.apart(lambda inner, where: walk.code(text, inner, where), state, context)
        call.state.take_files(state)
        return outcome.output

    def _code_context(self, call: Call, effect: Code) -> Context:
        return structs.replace(
            call.context,
            via=effect.via,
            wrappers=(*call.context.wrappers, call.argv[0].text.rpartition("/")[2]),
            remote=call.context.remote or effect.remote,
            depth=call.context.depth + 1,
        )

    def child(self, call: Call, effect: Code) -> State:
        """The state of a shell that is started: exported variables, its own positional parameters."""
        parent = call.state
        state = parent.copy()
        keep = parent.exported.union(_INHERITED)
        state.variables = {name: value for name, value in parent.variables.items() if name in keep}
        for name, value in call.prefix.items():
            state.variables[name] = (value,)
        state.arrays, state.functions, state.aliases = {}, {}, {}
        state.options = frozenset()
        state.positional, state.program = effect.arguments, effect.program
        state.stdin = call.stdin
        if effect.directory is not None:
            places = resolve(effect.directory, state.directories, state.links)
            state.move(tuple(place.path for place in places) if places else None)
        return state
