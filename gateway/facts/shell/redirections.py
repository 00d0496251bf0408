"""Redirections: which files they read and write, and what then flows where.

Source: Bash Reference Manual 5.2, 3.6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from gateway.facts.shell.places import descriptor_of
from gateway.facts.shell.state import State
from gateway.facts.shell.tree import Redirect
from gateway.facts.shell.values import NOTHING, SOMETHING, Field, Stream, either

if TYPE_CHECKING:
    from gateway.facts.shell.expand import Expansion
    from gateway.facts.shell.simple import Runner

_NETWORK: Final = re.compile(r"/dev/(?:tcp|udp)/(?P<host>[^/]+)/(?P<port>[^/]+)$")
_OUTPUT: Final = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<>"})


class Redirected(Struct, frozen=True):
    """The effect of a command's redirections.

    `stdin` replaces its input. Its output goes to `files` (path, whether appended), to `hosts`, or `elsewhere` (closed or a
    descriptor); with none of these it goes on as before. `descriptors` are those it opened.
    """

    stdin: Stream | None = None
    files: tuple[tuple[str, bool], ...] = ()
    hosts: tuple[str, ...] = ()
    elsewhere: bool = False
    descriptors: tuple[tuple[int, Stream | str], ...] = ()
    runner: Runner | None = None

    def merged(self, other: Redirected) -> Redirected:
        """Either of two readings of the same redirections."""
        if self == Redirected():
            return other
        return Redirected(
            stdin=either(self.stdin, other.stdin)
            if self.stdin and other.stdin
            else self.stdin or other.stdin,
            files=tuple(dict.fromkeys((*self.files, *other.files))),
            hosts=tuple(dict.fromkeys((*self.hosts, *other.hosts))),
            elsewhere=self.elsewhere or other.elsewhere,
            descriptors=tuple(dict.fromkeys((*self.descriptors, *other.descriptors))),
            runner=self.runner or other.runner,
        )

    def write(self, output: Stream, state: State) -> Stream:
        """Put a command's output where it goes; what is left for the next command in the pipe."""
        for path, append in self.files:
            if self.runner is not None:
                self.runner.files.keep(path, output, state, append=append)
        for host in self.hosts:
            if self.runner is not None:
                self.runner.send(output.sources, host)
        return NOTHING if self.files or self.hosts or self.elsewhere else output


def redirect(
    runner: Runner, expansion: Expansion, redirects: tuple[Redirect, ...], state: State
) -> Redirected:
    """Apply redirections from left to right."""
    result = Redirected(runner=runner)
    for one in redirects:
        result = _apply(runner, expansion, one, state, result)
    return result


def _apply(
    runner: Runner, expansion: Expansion, one: Redirect, state: State, so_far: Redirected
) -> Redirected:
    descriptor = one.descriptor if isinstance(one.descriptor, int) else None
    if one.document is not None:
        return _input(so_far, descriptor, _document(expansion, one))
    if one.target is None:
        return so_far
    if one.operator == "<<<":
        text = expansion.text(one.target)
        stream = Stream(
            text=f"{text.text}\n" if text.known else None,
            names=None if text.known else (text,),
            sources=frozenset(expansion.sources),
        )
        return _input(so_far, descriptor, stream)
    fields = expansion.fields(one.target)
    target = fields[0] if len(fields) == 1 else Field("\0")
    if one.operator in ("<&", ">&") and re.fullmatch(r"[0-9]+-?|-", target.text):
        return _duplicate(so_far, one.operator, descriptor, target.text, state)
    if one.operator == "<&":
        return so_far
    if one.operator == "<":
        return _input(so_far, descriptor, runner.read_file(target, state))
    if one.operator == "<>":
        stream = runner.read_file(target, state)
        paths = runner.write_file(target, state)
        if descriptor in (None, 0):
            return _input(so_far, 0, stream)
        return _output(so_far, descriptor, paths, append=True)
    return _to_file(runner, so_far, one, target, state)


def _to_file(runner: Runner, so_far: Redirected, one: Redirect, target: Field, state: State) -> Redirected:
    descriptor = one.descriptor if isinstance(one.descriptor, int) else None
    network = _NETWORK.match(target.text) if target.known else None
    if network:
        runner.contact_host(network["host"], state)
        if descriptor in (None, 1):
            return structs.replace(so_far, hosts=(*so_far.hosts, network["host"]))
        return so_far
    paths = runner.write_file(target, state)
    both = one.operator in ("&>", "&>>", ">&")
    return _output(so_far, 1 if both else descriptor, paths, append=one.operator in (">>", "&>>"))


def _document(expansion: Expansion, one: Redirect) -> Stream:
    assert one.document is not None
    if one.document.problem:
        expansion.around.note("syntax")
    text = expansion.text(one.document.body)
    return Stream(text=text.text if text.known else None, sources=frozenset(expansion.sources))


def _input(so_far: Redirected, descriptor: int | None, stream: Stream) -> Redirected:
    if descriptor in (None, 0):
        return structs.replace(so_far, stdin=stream)
    return _opened(so_far, descriptor, stream)


def _output(so_far: Redirected, descriptor: int | None, paths: list[str], *, append: bool) -> Redirected:
    if descriptor not in (None, 1):
        return _opened(so_far, descriptor, paths[0]) if paths else so_far
    files = tuple((path, append) for path in paths)
    return structs.replace(so_far, files=files, elsewhere=not paths or so_far.elsewhere)


def _opened(so_far: Redirected, descriptor: int, what: Stream | str) -> Redirected:
    return structs.replace(so_far, descriptors=(*so_far.descriptors, (descriptor, what)))


def _duplicate(
    so_far: Redirected, operator: str, descriptor: int | None, target: str, state: State
) -> Redirected:
    number = int(target.rstrip("-")) if target != "-" else None
    opened = {**{key: value for key, value in state.descriptors.items() if isinstance(key, int)}}
    opened.update(dict(so_far.descriptors))
    if operator == "<&" and descriptor in (None, 0):
        found = opened.get(number) if number is not None else NOTHING
        if isinstance(found, Stream):
            return _input(so_far, 0, found)
        return _input(so_far, 0, SOMETHING) if number != 0 else so_far
    if operator == ">&" and descriptor in (None, 1) and number not in (1, None):
        found = opened.get(number)
        return _output(so_far, 1, [found] if isinstance(found, str) else [], append=True)
    return so_far


def input_path(path: str, state: State, stdin: Stream) -> Stream | None:
    """The stream behind a path such as `/dev/stdin` or `/dev/fd/3`, None for an ordinary file."""
    number = descriptor_of(path)
    if number is None:
        return None
    if number == 0:
        return stdin
    found = state.descriptors.get(number)
    return found if isinstance(found, Stream) else SOMETHING
