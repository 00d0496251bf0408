"""The abstract walk over a script: lists, pipelines and compound commands, with joined states.

Every branch is taken; afterwards either state may hold. A list is followed as if each command before `&&` had worked; after
`;` both outcomes go on. Loops are walked until nothing new is seen, twice at most, then what still changes may be anything.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import structs

from gateway.facts.shell.around import Around
from gateway.facts.shell.branches import case_matches, covering
from gateway.facts.shell.choices import Choices
from gateway.facts.shell.commands import Parsed, parse
from gateway.facts.shell.context import Context, Outcome
from gateway.facts.shell.expand import Expansion
from gateway.facts.shell.files import PROCESS_PATH
from gateway.facts.shell.loops import Loops
from gateway.facts.shell.redirections import Redirected, redirect
from gateway.facts.shell.simple import Runner
from gateway.facts.shell.state import State, join
from gateway.facts.shell.tree import (
    AndOr,
    ArithmeticCommand,
    ArithmeticFor,
    Case,
    Command,
    Condition,
    Coprocess,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Subshell,
    While,
    Word,
)
from gateway.facts.shell.values import (
    HOLE,
    MAX_ALTERNATIVES,
    NOTHING,
    SOMETHING,
    Field,
    Stream,
    limited,
    merge_streams,
)

MAX_CODE_DEPTH = 8
"""How deep code within code (`sh -c "sh -c …"`, eval, functions) is followed."""


class Walk:
    """Walks one command's tree. `runner` knows simple commands."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.trace = runner.trace
        self.loops = Loops(self.script)
        self._exits: list[list[State]] = [[]]
        self._processes = 0
        self.processes = runner.files.processes
        self.called: set[str] = set()
        self.defined: dict[str, tuple[Command, State]] = {}

    def code(self, text: str, state: State, context: Context) -> Outcome:
        """Parse a text and walk it. What cannot be parsed or is nested too deep is noted."""
        if context.depth > MAX_CODE_DEPTH:
            self.trace.limit("too_deep")
            return Outcome(SOMETHING, state, state)
        parsed = parse(text)
        self.note_problem(parsed)
        return self.script(parsed.script, state, context)

    def note_problem(self, parsed: Parsed) -> None:
        """Say what kept a text from being read in full."""
        if parsed.problem:
            self.trace.note("syntax")
        if parsed.limit:
            self.trace.limit(parsed.limit)

    def script(self, script: Script, state: State | None, context: Context) -> Outcome:
        """A list: its entries one after the other."""
        outputs: list[Stream] = []
        then, otherwise = state, None
        for item in script.items:
            current = then if state is not None and "errexit" in state.options else join(then, otherwise)
            if current is None:
                break
            if item.background:
                inner = structs.replace(context, background=True)
                outputs.append(self.apart(partial(self.and_or, item.command), current, inner).output)
                self.trace.background = True
                then, otherwise = current, None
                continue
            outcome = self.and_or(item.command, current, context)
            outputs.append(outcome.output)
            then, otherwise = outcome.then, outcome.otherwise
        return Outcome(merge_streams(outputs), then, otherwise)

    def apart(
        self,
        run: Callable[[State, Context], Outcome],
        state: State,
        context: Context,
        *,
        stdin: Stream | None = None,
    ) -> Outcome:
        """Run something in a shell of its own, of which only what it does to files stays."""
        inner = state.copy()
        if stdin is not None:
            inner.stdin = stdin
        self._exits.append([])
        outcome = run(inner, context)
        for end in (*self._exits.pop(), outcome.state):
            state.take_files(end)
        return outcome

    def exited(self, state: State) -> None:
        """`exit`: the shell ends in this state."""
        self._exits[-1].append(state)

    def and_or(self, node: AndOr, state: State, context: Context) -> Outcome:
        """Pipelines joined by `&&` and `||`."""
        first = self.pipeline(node.pipelines[0], state, context)
        outputs = [first.output]
        then, otherwise = first.then, first.otherwise
        for operator, pipeline in zip(node.operators, node.pipelines[1:], strict=True):
            start = then if operator == "&&" else otherwise
            if start is None:
                continue
            if then is otherwise:
                # What is taken changes its state; the branch that is not taken keeps its own.
                start = start.copy()
            outcome = self.pipeline(pipeline, start, context)
            outputs.append(outcome.output)
            if operator == "&&":
                then, otherwise = outcome.then, join(otherwise, outcome.otherwise)
            else:
                then, otherwise = join(then, outcome.then), outcome.otherwise
        return Outcome(merge_streams(outputs), then, otherwise)

    def pipeline(self, node: Pipeline, state: State, context: Context) -> Outcome:
        """Commands joined by pipes; each runs in a shell of its own when there is more than one."""
        if not node.commands:
            return Outcome(NOTHING, state, state)
        if len(node.commands) == 1:
            outcome = self.command(node.commands[0], state, context)
        else:
            stream = state.stdin
            for command in node.commands:
                stream = self.apart(partial(self.command, command), state, context, stdin=stream).output
            outcome = Outcome(stream, state, state)
        if node.negated:
            outcome = Outcome(outcome.output, outcome.otherwise, outcome.then)
        return outcome

    def command(self, node: Command, state: State, context: Context) -> Outcome:
        """One command of any kind."""
        if type(node) is Simple:
            return self.runner.simple(self, node, state, context)
        if type(node) is Function:
            state.functions[node.name] = (node.body,)
            self.defined[node.name] = (node.body, state)
            return Outcome(NOTHING, state, None)
        redirects: tuple[Redirect, ...] = getattr(node, "redirects", ())
        if not redirects:
            return self._compound(node, state, context)
        redirected = self.redirect(redirects, state, context)
        inner = state.copy() if redirected.stdin is not None else state
        if redirected.stdin is not None:
            inner.stdin = redirected.stdin
        outcome = self._compound(node, inner, context)
        output = redirected.write(outcome.output, outcome.state or state)
        for after in (outcome.then, outcome.otherwise):
            if after is not None:
                after.stdin = state.stdin
        return Outcome(output, outcome.then, outcome.otherwise)

    def redirect(self, redirects: tuple[Redirect, ...], state: State, context: Context) -> Redirected:
        """Apply redirections, every alternative of their targets."""
        choices = Choices()
        result = Redirected()
        for _ in choices.rounds():
            expansion = self.expansion(state, choices, context)
            result = result.merged(redirect(self.runner, expansion, redirects, state))
        return result

    def expansion(self, state: State, choices: Choices, context: Context) -> Expansion:
        """An expansion of words in a state."""
        return Expansion(state, choices, Around(self, state, context))

    def _compound(self, node: Command, state: State, context: Context) -> Outcome:
        if type(node) is Subshell:
            inner = structs.replace(context, via="subshell") if context.via == "direct" else context
            outcome = self.script(node.body, state.copy(), inner)
            state.take_files(outcome.state)
            return Outcome(outcome.output, state, state)
        if type(node) is Group:
            return self.script(node.body, state, context)
        if type(node) is If:
            return self._if(node, state, context)
        if type(node) is While:
            return self.loops.conditional(node, state, context)
        if type(node) is For:
            return self._for(node, state, context)
        if type(node) is ArithmeticFor:
            for expression in node.expressions:
                self._evaluate(expression, state, context)
            return self.loops.repeated_body(node.body, state, context)
        if type(node) is Case:
            return self._case(node, state, context)
        if type(node) is Coprocess:
            self.apart(partial(self.command, node.body), state, structs.replace(context, background=True))
            return Outcome(NOTHING, state, state)
        if type(node) is ArithmeticCommand:
            self._evaluate(node.expression, state, context)
            return Outcome(NOTHING, state, state)
        assert type(node) is Condition
        return self._condition(node, state, context)

    def _if(self, node: If, state: State, context: Context) -> Outcome:
        outputs: list[Stream] = []
        then: State | None = None
        otherwise: State | None = None
        current: State | None = state
        for condition, body in node.branches:
            if current is None:
                break
            tested = self.script(condition, current, context)
            outputs.append(tested.output)
            if tested.then is not None:
                taken = self.script(body, tested.then.copy(), context)
                outputs.append(taken.output)
                then, otherwise = join(then, taken.then), join(otherwise, taken.otherwise)
            current = tested.otherwise
        if current is not None:
            if node.otherwise is None:
                then = join(then, current)
            else:
                last = self.script(node.otherwise, current.copy(), context)
                outputs.append(last.output)
                then, otherwise = join(then, last.then), join(otherwise, last.otherwise)
        return Outcome(merge_streams(outputs), then, otherwise)

    def _for(self, node: For, state: State, context: Context) -> Outcome:
        fields: list[Field] = []
        if node.words is None:
            fields = list(state.positional) if state.positional is not None else [Field(HOLE)]
        else:
            choices = Choices()
            for _ in choices.rounds():
                expansion = self.expansion(state, choices, context)
                for word in node.words:
                    fields.extend(expansion.fields(word))
        if not fields:
            return Outcome(NOTHING, state, state)
        inner = state.copy()
        inner.set(node.name, limited(fields) if len(set(fields)) <= MAX_ALTERNATIVES else covering(fields))
        outcome = self.loops.repeated_body(node.body, inner, context, counted=True)
        # A loop over words that are there runs at least once, so the state before it is gone.
        return Outcome(outcome.output, outcome.then, outcome.otherwise)

    def _case(self, node: Case, state: State, context: Context) -> Outcome:
        expansion = self.expansion(state, Choices(), context)
        subject = expansion.text(node.subject)
        outputs: list[Stream] = []
        then: State | None = None
        otherwise: State | None = None
        exhausted = falls = False
        for item in node.items:
            verdict = case_matches(item.patterns, subject, expansion)
            if verdict is False and not falls:
                continue
            taken = self.script(item.body, state.copy(), context)
            outputs.append(taken.output)
            then, otherwise = join(then, taken.then), join(otherwise, taken.otherwise)
            falls = item.terminator == ";&"
            if verdict is True and item.terminator == ";;":
                exhausted = True
                break
        if not exhausted:
            then = join(then, state)
        return Outcome(merge_streams(outputs), then, otherwise)

    def _condition(self, node: Condition, state: State, context: Context) -> Outcome:
        choices = Choices()
        for _ in choices.rounds():
            expansion = self.expansion(state, choices, context)
            for operand in node.operands:
                text = expansion.text(operand)
                if "-v" in node.operators and "[" in text.text:
                    expansion.around.evaluate(text)
        for operand in node.arithmetic:
            self._evaluate(operand, state, context)
        return Outcome(NOTHING, state, state)

    def _evaluate(self, expression: Word, state: State, context: Context) -> None:
        choices = Choices()
        for _ in choices.rounds():
            expansion = self.expansion(state, choices, context)
            expansion.around.evaluate(expansion.text(expression))

    def evaluate_text(self, expression: Field, state: State, context: Context) -> Field:
        """The value of a text that a builtin evaluates as arithmetic."""
        return Around(self, state, context).evaluate(expression)

    def process_path(self, stream: Stream) -> str:
        """A path that stands for a process substitution."""
        self._processes += 1
        path = f"{PROCESS_PATH}{self._processes}"
        self.processes[path] = stream
        return path
