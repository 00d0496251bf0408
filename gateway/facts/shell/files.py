"""Files as a command touches them: resolved, recorded, and with what the script itself put into them."""

from __future__ import annotations

from typing import Final

from gateway.domain.remembered import Change
from gateway.facts.shell.effects import PathAction
from gateway.facts.shell.places import Place, normal, resolve, tree_of
from gateway.facts.shell.redirections import input_path
from gateway.facts.shell.state import State
from gateway.facts.shell.trace import Trace
from gateway.facts.shell.values import NOTHING, SOMETHING, Field, Stream, merge_streams

PROCESS_PATH: Final = "/dev/fd/process"
"""How the path of a process substitution begins; a number follows."""
_QUIET = frozenset(
    {"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"}
)
_QUIET |= {"/dev/random", "/dev/urandom"}


class Files:
    """Records what is done to paths. `processes` are the streams of process substitutions by their path."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.processes: dict[str, Stream] = {}
        self.remote = False

    def touch(
        self, action: PathAction, field: Field, state: State, *, tree: bool = False, possible: bool = False
    ) -> list[Place]:
        """Record an action on what a field names; the places it may be."""
        if self.remote:
            return []
        links = state.links
        if links and action == "delete":
            # A link is removed itself: where it leads stays.
            named = {place.path for place in resolve(field, state.directories, {}) or ()}
            links = {name: target for name, target in links.items() if name not in named}
        places = resolve(field, state.directories, links)
        if places is None:
            if field.text:
                self._unknown(action, field, state)
            return []
        if "\0" in field.text:
            self._unknown(action, field, state)
        for place in places:
            if place.path in _QUIET or place.path in self.processes or place.path.startswith("/dev/fd/"):
                continue
            path = tree_of(place.path) if tree else place.path
            self.trace.path(action, path, certain=place.exact and not possible)
            if "/**/" in path:
                # `**` also stands for no directory at all.
                self.trace.path(action, path.replace("/**/", "/"), certain=False)
        return places

    def read(self, field: Field, state: State, *, tree: bool = False) -> Stream:
        """Record a read; what the file's content is known to be."""
        places = self.touch("read", field, state, tree=tree)
        streams = [self.content(tree_of(place.path) if tree else place.path, state) for place in places]
        if not streams:
            return SOMETHING
        return (
            merge_streams(streams)
            if len(streams) == 1
            else Stream(
                sources=frozenset().union(*(stream.sources for stream in streams)),
                hosts=frozenset().union(*(stream.hosts for stream in streams)),
            )
        )

    def content(self, path: str, state: State) -> Stream:
        """What is in a file, as far as this script made it so."""
        if path in self.processes:
            return self.processes[path]
        behind = input_path(path, state, state.stdin)
        if behind is not None:
            return behind
        if path == "/dev/null":
            return NOTHING
        written = state.written.get(path)
        if written is not None:
            return Stream(
                text=written.text,
                sources=written.sources | {path},
                hosts=written.hosts,
                names=written.names,
                code=written.code,
            )
        return Stream(sources=frozenset({path}))

    def write(self, field: Field, state: State) -> list[str]:
        """Record a write; the paths that are written (none for /dev/null and its like)."""
        places = self.touch("write", field, state)
        return [place.path for place in places if place.path not in _QUIET]

    def keep(self, path: str, stream: Stream, state: State, *, append: bool = False) -> None:
        """From now on a file holds what a stream brings, behind what it held when `append` is set."""
        before = state.written.get(path) if append else None
        state.written[path] = merge_streams((before, stream)) if before is not None else stream
        if path in _QUIET or self.remote:
            return
        self.trace.leave(
            Change(
                kind="append" if append else "write",
                path=path,
                text=stream.text,
                fetched=bool(stream.hosts) or stream.code,
            )
        )

    def link(self, target: Field, name: Field, state: State) -> None:
        """From now on `name` leads to `target`."""
        names = resolve(name, state.directories, {})
        if names is None or not name.known:
            self.trace.note("link_unknown")
            return
        for place in names:
            base = (place.path.rpartition("/")[0] or "/",)
            targets = resolve(target, base, state.links)
            if targets is None:
                self.trace.note("link_unknown")
                continue
            state.links[place.path] = leads_to = normal(targets[0].path.removesuffix("/**"))
            self.trace.leave(Change(kind="link", path=place.path, other=leads_to))

    def _unknown(self, action: PathAction, field: Field, state: State) -> None:
        if state.directories is None and not field.text.startswith(("/", "\0")):
            self.trace.note("unknown_cwd")
        dimension = {"list": "", "execute": "exec"}.get(action, action)
        if dimension == "exec":
            self.trace.note("dynamic_command")
        elif dimension:
            self.trace.note(f"unknown_path:{dimension}")
