"""What the session wrote in earlier calls and this command runs: scripts, makefiles, the scripts of package.json, aliases.

Only ever adds: what the command would be known to do without it stays, whatever the file now holds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import structs

from gateway.domain.remembered import Change, Text, file_key
from gateway.facts.shell.commands import parse
from gateway.facts.shell.context import Call
from gateway.facts.shell.effects import Code, Copy, Effect, Indirect, Package, Touch, Trait
from gateway.facts.shell.inline import read_code
from gateway.facts.shell.patches import patched
from gateway.facts.shell.places import resolve
from gateway.facts.shell.recipes import (
    MAKEFILES,
    PACKAGE_FILE,
    lifecycle,
    makefile_commands,
    script_names,
    scripts,
)
from gateway.facts.shell.state import State
from gateway.facts.shell.values import HOLE, Field, has_glob

if TYPE_CHECKING:
    from gateway.facts.shell.simple import Runner
    from gateway.facts.shell.walk import Walk

_SHELLS: Final = ("sh", "bash", "dash", "zsh", "ksh", "ash")
_LANGUAGES: Final = (
    "python",
    "pypy",
    "node",
    "nodejs",
    "deno",
    "bun",
    "tsx",
    "ts-node",
    "perl",
    "ruby",
    "php",
    "awk",
)
_SAME: Final = {
    "pypy": "python",
    "nodejs": "node",
    "deno": "node",
    "bun": "node",
    "tsx": "node",
    "ts-node": "node",
}
_DIRECTORY_OPTIONS: Final = ("-C", "--directory", "--prefix", "--cwd", "--dir")
_FILE_OPTIONS: Final = ("-f", "--file", "--makefile")
_PACKAGE_MANAGERS: Final = frozenset({"npm", "yarn", "pnpm", "bun"})


def language_of(program: str, text: str) -> str:
    """The language in which a program reads a file; by the file's first line where the file is the program."""
    name = program.rpartition("/")[2]
    if name in _SHELLS:
        return "sh"
    for language in _LANGUAGES:
        if name.startswith(language):
            return _SAME.get(language, language)
    first = text.partition("\n")[0]
    if not first.startswith("#!"):
        return "sh"
    words = first[2:].replace("/env ", "/").split()
    interpreter = words[0].rpartition("/")[2] if words else ""
    for language in _LANGUAGES:
        if interpreter.startswith(language):
            return _SAME.get(language, language)
    return "sh" if interpreter.endswith("sh") else interpreter or "sh"


class Earlier:
    """Walks what the session wrote, where a command runs it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._trace = runner.trace
        self._open: list[str] = []

    def file(
        self,
        walk: Walk,
        call: Call,
        field: Field,
        arguments: list[Field],
        *,
        program: str,
        sourced: bool = False,
    ) -> None:
        """A file that `program` runs, or that is run itself ("")."""
        for place in resolve(field, call.state.directories, call.state.links) or ():
            if not has_glob(place.path):
                self.path(walk, call, place.path, arguments, program=program, sourced=sourced)
                continue
            self._trace.consulted.setdefault("files")
            for path in self._trace.remembered.matching(place.path):
                self.path(walk, call, path, arguments, program=program, sourced=sourced)

    def path(
        self,
        walk: Walk,
        call: Call,
        path: str,
        arguments: list[Field],
        *,
        program: str,
        sourced: bool = False,
    ) -> None:
        """A file by its absolute path."""

        def run(text: Text, code: str) -> None:
            language = language_of(program, code)
            if not text.whole and not _readable(language, code):
                return
            context = structs.replace(
                call.context,
                via="source" if sourced else "script",
                wrappers=(*call.context.wrappers, call.argv[0].text.rpartition("/")[2]),
                depth=call.context.depth + 1,
            )
            if sourced:
                walk.code(code, call.state, context)
            elif language == "sh":
                effect = Code(language="sh", text=Field(code), via="script", arguments=tuple(arguments))
                walk.code(code, self._runner.application.child(call, effect), context)
            else:
                effect = Code(language=language, text=Field(code), via="script", arguments=tuple(arguments))
                read_code(walk, call, effect, code, context)

        self._each(path, run)

    def named(self, walk: Walk, call: Call, name: str) -> None:
        """A program without a directory and without a model: a file of that name may stand on the PATH."""
        self._trace.consulted.setdefault(f"name:{file_key(name)}")
        for path in self._trace.remembered.named(name):
            self.path(walk, call, path, call.argv[1:], program="")

    def alias(self, walk: Walk, call: Call, name: str) -> None:
        """A word that an earlier call made an alias: shells that live on take it for its text."""
        text = self._trace.remembered.aliases.get(name)
        if text is None or f"alias {name}" in self._open:
            return
        self._open.append(f"alias {name}")
        words = " ".join(
            "'" + field.text.replace("'", "'\\''") + "'" for field in call.argv[1:] if field.known
        )
        context = structs.replace(call.context, via="alias", certain=False, depth=call.context.depth + 1)
        walk.code(f"{text} {words}", call.state.copy(), context)
        self._open.pop()

    def built(self, walk: Walk, call: Call, effect: Effect) -> None:
        """A target of a makefile, a script of a package, or what installing a package's dependencies runs."""
        if type(effect) is Package and effect.action == "install" and not effect.names:
            if effect.manager in _PACKAGE_MANAGERS:
                self._scripts(walk, call, lifecycle())
        elif type(effect) is Indirect:
            self._target(walk, call, effect)

    def rewritten(self, call: Call, effects: list[Effect]) -> None:
        """Files of the session that a program changes in a way of its own: what is in them is no longer known in full."""
        if call.argv[0].text.rpartition("/")[2] == "touch" or Trait(name="changes_permissions") in effects:
            return
        kept = {effect.target for effect in effects if type(effect) is Copy}
        for effect in effects:
            if type(effect) is not Touch or effect.action != "write" or effect.tree or effect.path in kept:
                continue
            for place in resolve(effect.path, call.state.directories, call.state.links) or ():
                if self._trace.earlier(place.path):
                    self._trace.leave(Change(kind="rewrite", path=place.path))

    def _target(self, walk: Walk, call: Call, effect: Indirect) -> None:
        if effect.kind == "make_target":
            named = _option(call.argv, _FILE_OPTIONS)
            files = [named] if named is not None else [Field(name) for name in MAKEFILES]

            def commands(text: Text, content: str) -> list[str]:
                return makefile_commands(content, effect.name, whole=text.whole)

            self._recipes(walk, call, files, commands)
        elif effect.kind == "npm_script":
            self._scripts(walk, call, script_names(effect.name))
        elif effect.kind == "patch_file":
            self._patch(call, effect.name)

    def _patch(self, call: Call, name: str) -> None:
        """A patch in a file or from the input (`-`): what the session or this command put there tells what it changes."""
        state = call.state.copy()
        if len(call.argv) > 2 and call.argv[1].text == "-C":
            places = resolve(call.argv[2], state.directories, state.links)
            state.move(tuple(place.path for place in places) if places else None)
        for text in self._patch_texts(call, state, name):
            targets = patched(text or "")
            if not targets:
                self._trace.note("patch_target", ("write",))
            for target in targets:
                self._runner.files.touch("write", Field(target), state)

    def _patch_texts(self, call: Call, state: State, name: str) -> list[str | None]:
        """The contents that a patch may have, None for one that the agent made and nobody knows; a file at hand has none."""
        names, stdin = [name], call.stdin
        if name == "-":
            if stdin.text is not None or stdin.hosts or stdin.code or stdin.altered or not stdin.sources:
                return [None if stdin.hosts or stdin.code else stdin.text]
            names = sorted(stdin.sources)
        texts: list[str | None] = []
        for one in names:
            if not one.startswith("$"):
                for place in resolve(Field(one), state.directories, state.links) or ():
                    texts.extend(self._texts_at(place.path, state))
            else:
                texts.append(None)
        return texts

    def _texts_at(self, path: str, state: State) -> list[str | None]:
        written = state.written.get(path)
        if written is not None:
            return [None if written.hosts or written.code else written.text]
        return [text.text if text.whole and not text.fetched else None for text in self._trace.earlier(path)]

    def _scripts(self, walk: Walk, call: Call, names: tuple[str, ...]) -> None:
        def commands(text: Text, content: str) -> list[str]:
            return scripts(content, names, whole=text.whole)

        self._recipes(walk, call, [Field(PACKAGE_FILE)], commands)

    def _recipes(
        self, walk: Walk, call: Call, files: list[Field], commands: Callable[[Text, str], list[str]]
    ) -> None:
        state = call.state.copy()
        directory = _option(call.argv, _DIRECTORY_OPTIONS)
        if directory is not None:
            places = resolve(directory, state.directories, state.links)
            state.move(tuple(place.path for place in places) if places else None)
        inner = structs.replace(call, state=state)
        context = structs.replace(
            call.context,
            via="script",
            wrappers=(*call.context.wrappers, call.argv[0].text.rpartition("/")[2]),
            depth=call.context.depth + 1,
        )

        def run(text: Text, content: str) -> None:
            for command in commands(text, content):
                effect = Code(language="sh", text=Field(command), via="script")
                walk.code(command, self._runner.application.child(inner, effect), context)

        for field in files:
            for place in resolve(field, state.directories, state.links) or ():
                self._each(place.path, run, listed=True)

    def _each(self, path: str, run: Callable[[Text, str], None], *, listed: bool = False) -> None:
        """Every content that a file may have: known ones are run, of others it is told.

        `listed`: the file only lists commands, so that a piece of it says all that the session put there.
        """
        texts = self._trace.earlier(path)
        if not texts or path in self._open:
            return
        self._open.append(path)
        at = len(self._trace.commands) - 1
        unknown = any(text.text is None or not (text.whole or listed) for text in texts)
        if at >= 0:
            # Set before the content is walked: afterwards the last command is one of its own.
            fact = self._trace.commands[at]
            self._trace.commands[at] = structs.replace(
                fact, agent_written=True, indirect=fact.indirect or ("script_file" if unknown else "")
            )
        for text in texts:
            if text.fetched:
                self._trace.remote_code = True
                self._trace.note("remote_code")
            elif text.text is None:
                self._trace.note("write_then_run", None if text.whole else ())
            else:
                if not (text.whole or listed):
                    self._trace.note("write_then_run", ())
                run(text, text.text)
        self._open.pop()


def _readable(language: str, code: str) -> bool:
    """Whether a piece of a file can be read by itself; what cannot leaves no facts, and its file is told as not known."""
    if language == "sh":
        parsed = parse(code)
        return not parsed.problem and not parsed.limit
    if language == "python":
        try:
            compile(textwrap.dedent(code), "piece", "exec", flags=0x400)  # ast.PyCF_ONLY_AST: nothing is run
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _option(argv: list[Field], names: tuple[str, ...]) -> Field | None:
    """The value of an option that stands before it or behind `=`."""
    for at, field in enumerate(argv):
        if HOLE in field.text:
            continue
        if field.text in names and at + 1 < len(argv):
            return argv[at + 1]
        for name in names:
            if name.startswith("--") and field.text.startswith(f"{name}="):
                return Field(field.text[len(name) + 1 :], field.glob)
            if not name.startswith("--") and field.text.startswith(name) and len(field.text) > len(name):
                return Field(field.text[len(name) :], field.glob)
    return None
