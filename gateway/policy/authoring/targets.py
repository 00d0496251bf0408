"""What a wish is about: the kind and actions of operations, the conditions over them, and examples for its test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from gateway.policy.authoring.examples import (
    Example,
    command_example,
    file_example,
    git_example,
    host_example,
    mcp_example,
    package_example,
    subagent_example,
)
from gateway.policy.authoring.patterns import cel_text, host_pattern, is_host, path_pattern
from gateway.policy.authoring.sentence import Wish, refuse

_FILE_ACTIONS: dict[str, tuple[str, ...]] = {
    "read": ("read",),
    "write": ("write",),
    "delete": ("delete",),
    "touch": ("read", "write", "delete"),
    "run": ("execute",),
}
_INSIDE = "/home/ada/project/notes.md"


class Target(Struct, frozen=True, kw_only=True):
    """Operations that a wish means. `tests`: one of them must hold; none: every operation of the actions is meant."""

    kind: str
    actions: tuple[str, ...]
    tests: tuple[str, ...]
    label: str
    """What it is, in words for the person who is stopped."""
    hit: Example
    miss: Example | None
    """An operation of the same kind that is not meant, None when everything is."""


class WordTable(Struct, frozen=True, kw_only=True):
    """`words.yaml`."""

    verbs: Mapping[str, tuple[str, ...]]
    file_groups: Mapping[str, tuple[str, ...]]
    host_groups: Mapping[str, tuple[str, ...]]
    everything: tuple[str, ...]
    outside: tuple[str, ...]
    any_host: tuple[str, ...]
    packages: tuple[str, ...]
    credentials: tuple[str, ...]
    environment: tuple[str, ...]
    protected_branches: tuple[str, ...]
    subagents: tuple[str, ...]
    everybody: tuple[str, ...]


def target_of(wish: Wish, words: WordTable) -> Target:
    """The operations of a wish. Raises SentenceError."""
    target = _BY_VERB[wish.verb](wish, words)
    if wish.other_than:
        if not target.tests or target.miss is None:
            raise refuse(f"Everything but {' and '.join(wish.objects)} leaves nothing.")
        everything = " || ".join(_bracketed(test) for test in target.tests)
        return Target(
            kind=target.kind,
            actions=target.actions,
            tests=(f"!({everything})",),
            label=f"anything but {target.label}",
            hit=target.miss,
            miss=target.hit,
        )
    return target


def _bracketed(test: str) -> str:
    return f"({test})" if "&&" in test or "||" in test else test


def _group(name: str, groups: Mapping[str, tuple[str, ...]]) -> str:
    return next((group for group, spellings in groups.items() if name.lower() in spellings), "")


def _file(wish: Wish, words: WordTable) -> Target:
    actions = _FILE_ACTIONS[wish.verb]
    tests: list[str] = []
    hit: Example | None = None
    for name in wish.objects:
        lowered = name.lower()
        if wish.verb == "read" and lowered in (*words.credentials, *words.environment):
            return _credential(wish, words)
        group = _group(lowered, words.file_groups)
        if lowered in words.everything:
            return Target(
                kind="file", actions=actions, tests=(), label="files", hit=file_example(_INSIDE), miss=None
            )
        if lowered in words.outside:
            tests.append("R.attr.in_project != true")
            example = file_example("/srv/elsewhere/notes.md", in_project=False)
        elif group:
            tests.append(f"{cel_text(group)} in R.attr.groups")
            example = file_example("/home/ada/project/some-file", groups=[group])
        elif _is_path(name):
            pattern = path_pattern(name)
            tests += pattern.tests
            example = file_example(
                pattern.example, in_project=pattern.example.startswith("/home/ada/project/")
            )
        else:
            raise refuse(f"{name!r} is neither a path nor a group of files that is known.")
        hit = hit or example
    assert hit is not None
    return Target(
        kind="file",
        actions=actions,
        tests=tuple(tests),
        label=_label(wish),
        hit=hit,
        miss=file_example(_INSIDE),
    )


def _is_path(name: str) -> bool:
    return (
        name.startswith(("/", "~", "./", "."))
        or "/" in name
        or "*" in name
        or ("." in name and " " not in name)
    )


def _run(wish: Wish, words: WordTable) -> Target:
    if all(_is_path(name) and " " not in name for name in wish.objects):
        return _file(wish, words)
    tests: list[str] = []
    argv: list[str] = []
    for name in wish.objects:
        parts = name.split()
        if not all(part.isprintable() and part for part in parts):
            raise refuse(f"{name!r} is no command.")
        arguments = " && ".join(f"{cel_text(part)} in R.attr.argv" for part in parts[1:])
        tests.append(f"R.attr.name == {cel_text(parts[0])}" + (f" && {arguments}" if arguments else ""))
        argv = argv or parts
    return Target(
        kind="command",
        actions=("execute",),
        tests=tuple(tests),
        label=_label(wish),
        hit=command_example(argv),
        miss=command_example(["ls", "-l"]),
    )


def _host(wish: Wish, words: WordTable) -> Target:
    actions = ("send",) if wish.verb == "send" else ("connect", "send")
    tests: list[str] = []
    hit: Example | None = None
    for name in wish.objects:
        lowered = name.lower()
        group = _group(lowered, words.host_groups)
        if lowered in words.any_host:
            return Target(
                kind="host",
                actions=actions,
                tests=(),
                label="hosts",
                hit=host_example("example.org"),
                miss=None,
            )
        if group:
            tests.append(f"{cel_text(group)} in R.attr.groups")
            example = host_example("some.host", groups=[group])
        elif is_host(name):
            pattern = host_pattern(name)
            tests += pattern.tests
            example = host_example(pattern.example)
        else:
            raise refuse(f"{name!r} is no host.")
        hit = hit or example
    assert hit is not None
    miss = host_example("docs.example", groups=["private" if "public" in hit.attr["groups"] else "public"])
    return Target(kind="host", actions=actions, tests=tuple(tests), label=_label(wish), hit=hit, miss=miss)


def _push(wish: Wish, words: WordTable) -> Target:
    tests: list[str] = []
    hit: Example | None = None
    forced = wish.verb == "force_push"
    for name in wish.objects:
        if name.lower() in words.protected_branches:
            test, example = (
                '"protected" in R.attr.groups',
                git_example("main", groups=["protected"], force=forced),
            )
        else:
            branch = name.removesuffix(" branch").strip()
            if not branch or " " in branch:
                raise refuse(f"{name!r} is no branch.")
            test = f"{cel_text(branch)} in R.attr.refs"
            example = git_example(branch, force=forced)
        tests.append(f"R.attr.force == true && {test}" if forced else test)
        hit = hit or example
    assert hit is not None
    return Target(
        kind="git",
        actions=("push",),
        tests=tuple(tests),
        label=_label(wish),
        hit=hit,
        miss=git_example("feature/x"),
    )


def _install(wish: Wish, words: WordTable) -> Target:
    if any(name.lower() in words.packages for name in wish.objects):
        return Target(
            kind="package",
            actions=("install",),
            tests=(),
            label="packages",
            hit=package_example("left-pad"),
            miss=None,
        )
    tests = tuple(f"{cel_text(_one_word(name))} in R.attr.names" for name in wish.objects)
    return Target(
        kind="package",
        actions=("install",),
        tests=tests,
        label=_label(wish),
        hit=package_example(wish.objects[0]),
        miss=package_example("another-package"),
    )


def _call(wish: Wish, words: WordTable) -> Target:  # noqa: ARG001  # one signature for every verb
    tests: list[str] = []
    hit: Example | None = None
    for name in wish.objects:
        server, slash, tool = name.removeprefix("mcp ").removeprefix("server ").partition("/")
        server, tool = _one_word(server), _one_word(tool) if tool else ""
        test = f"R.attr.server == {cel_text(server)}"
        if slash and tool and tool != "*":
            prefix = tool.rstrip("*")
            test += (
                f" && R.attr.tool.startsWith({cel_text(prefix)})"
                if tool.endswith("*")
                else f" && R.attr.tool == {cel_text(tool)}"
            )
        tests.append(test)
        hit = hit or mcp_example(server, tool.replace("*", "x") or "any_tool")
    assert hit is not None
    return Target(
        kind="mcp_tool",
        actions=("call",),
        tests=tuple(tests),
        label=_label(wish),
        hit=hit,
        miss=mcp_example("another-server", "some_tool"),
    )


def _start(wish: Wish, words: WordTable) -> Target:
    if any(name.lower() in words.subagents for name in wish.objects):
        return Target(
            kind="subagent",
            actions=("spawn",),
            tests=(),
            label="sub-agents",
            hit=subagent_example("general"),
            miss=None,
        )
    names = [_one_word(name.removeprefix("agent ").removeprefix("subagent ")) for name in wish.objects]
    return Target(
        kind="subagent",
        actions=("spawn",),
        tests=tuple(f"R.attr.type == {cel_text(name)}" for name in names),
        label=_label(wish),
        hit=subagent_example(names[0]),
        miss=subagent_example("another-agent"),
    )


def _credential(wish: Wish, words: WordTable) -> Target:
    environment = all(name.lower() in words.environment for name in wish.objects)
    hit = Example(identifier="env", attr={"store": "env", "names": ["TOKEN"], "all": False})
    miss = Example(identifier="keychain", attr={"store": "keychain", "names": ["TOKEN"], "all": False})
    return Target(
        kind="credential",
        actions=("read",),
        tests=('R.attr.store == "env"',) if environment else (),
        label=_label(wish),
        hit=hit,
        miss=miss if environment else None,
    )


def _one_word(text: str) -> str:
    word = text.strip()
    if not word or any(character.isspace() for character in word):
        raise refuse(f"{text!r} is not one name.")
    return word


def _label(wish: Wish) -> str:
    return " and ".join(wish.objects)


_BY_VERB: dict[str, Callable[[Wish, WordTable], Target]] = {
    "read": _file,
    "write": _file,
    "delete": _file,
    "touch": _file,
    "run": _run,
    "contact": _host,
    "send": _host,
    "push": _push,
    "force_push": _push,
    "install": _install,
    "call": _call,
    "start": _start,
}
