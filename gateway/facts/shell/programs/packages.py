"""Package managers: what is installed from where, and the scripts that run on the way.

Source: npm 10, pnpm 9, yarn, pip 24, uv, cargo, go, gem, composer and apt manuals.
"""

from __future__ import annotations

import itertools
from typing import Final

from gateway.facts.shell.effects import Code, Effect, Indirect, Package, Run, Touch
from gateway.facts.shell.models import Invocation, Model, looks_like_path, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.programs.interpreters import node_runner
from gateway.facts.shell.programs.package_sources import VALUED, managed
from gateway.facts.shell.values import Field

_SCRIPTS: Final = frozenset(
    [
        "run",
        "run-script",
        "rum",
        "test",
        "t",
        "tst",
        "start",
        "stop",
        "restart",
        "dev",
        "build",
        "lint",
        "serve",
        "exec-script",
        "check",
        "format",
    ]
)
_RUN: Final = frozenset({"exec", "x", "dlx"})
_QUIET: Final = frozenset(
    [
        "list",
        "ls",
        "ll",
        "la",
        "view",
        "info",
        "show",
        "outdated",
        "search",
        "audit",
        "config",
        "get",
        "set",
        "version",
        "help",
        "why",
        "explain",
        "doctor",
        "prefix",
        "root",
        "bin",
        "cache",
        "freeze",
        "check",
        "fund",
        "ping",
        "whoami",
        "owner",
        "team",
        "token",
        "login",
        "logout",
        "init",
        "create",
        "pack",
        "pkg",
        "tree",
        "metadata",
        "fmt",
        "doc",
        "env",
        "policy",
        "madison",
        "depends",
    ]
)
_TESTS: Final = frozenset({"test", "t", "tst", "bench", "nextest"})


def node(invocation: Invocation, model: Model) -> list[Effect]:
    """`npm`, `pnpm`, `yarn`: scripts of package.json, installs, one-off programs."""
    verb, rest = _verb(invocation)
    manager = invocation.name
    if verb == "npm" and manager == "yarn":
        verb, rest = _first(rest)
    if manager == "bun":
        found = _bun(verb, rest, invocation, model)
        if found is not None:
            return found
    if verb in _RUN:
        return node_runner(
            Invocation(name=manager, program=manager, argv=rest, stdin=invocation.stdin), model
        )
    if verb in _SCRIPTS:
        arguments = parse_arguments(rest, Grammar(valued=VALUED, stop=True))
        named = (
            arguments.operands[0].text
            if verb in ("run", "run-script", "rum") and arguments.operands
            else verb
        )
        return [Indirect(kind="npm_script", name=named)]
    if verb in ("config", "c", "set") and rest and rest[0].text in ("set", "delete", "rm"):
        return [Touch(action="write", path=Field("~/.npmrc"))]
    effects = managed(manager, verb, rest)
    if not effects and verb and verb not in _QUIET and manager == "yarn":
        return [Indirect(kind="npm_script", name=verb)]
    if not verb and manager == "yarn":
        return [Package(manager=manager, action="install")]
    return effects


def _bun(verb: str, rest: tuple[Field, ...], invocation: Invocation, model: Model) -> list[Effect] | None:
    """What `bun` does beyond managing packages: it is an interpreter and a test runner too."""
    code = option_effects(model, parse_arguments(invocation.argv, Grammar(valued=all_names(model.options))))
    if code:
        return code
    if verb == "test":
        return [Indirect(kind="test_runner", name="bun")]
    script = rest[0] if verb == "run" and rest else Field(verb)
    if looks_like_path(script):
        return [
            Touch(action="read", path=script),
            Code(language="file", text=script, via="script", program=script, arguments=rest),
        ]
    return None


def python(invocation: Invocation, model: Model) -> list[Effect]:
    """`pip`, `uv`, `poetry`, `pipx`, `conda` and their like."""
    del model
    verb, rest = _verb(invocation)
    manager = invocation.name
    if manager in ("uv", "rye") and verb == "pip":
        return managed("pip", *_first(rest))
    if manager in ("uv", "poetry", "pipenv", "pdm", "hatch", "rye", "pipx", "conda", "uvx") and (
        verb in ("run", "tool", "shell") or manager == "uvx"
    ):
        words = rest if manager != "uvx" else invocation.argv
        if verb == "tool":
            tool, words = _first(words)
            if tool != "run":
                return [
                    Package(manager=manager, action="install" if tool in ("install", "upgrade") else "remove")
                ]
        arguments = parse_arguments(words, Grammar(valued=VALUED | {"--from"}, stop=True))
        return [Run(argv=arguments.operands, via="argument")] if arguments.operands else []
    if verb == "venv":
        return [Touch(action="write", path=path, tree=True) for path in rest if not path.text.startswith("-")]
    return managed(manager, verb, rest)


def compiled(invocation: Invocation, model: Model) -> list[Effect]:
    """`cargo` and `go`: they build and run project code, and install programs."""
    del model
    verb, rest = _verb(invocation)
    manager = invocation.name
    if manager == "go":
        if verb in ("test", "vet"):
            return [Indirect(kind="test_runner", name="go")]
        if verb in ("build", "run", "generate", "tool"):
            return [*_written(rest), Indirect(kind="build_tool", name=f"go {verb}")]
        if verb == "env" and any(field.text == "-w" for field in rest):
            return [Touch(action="write", path=Field("~/.config/go/env"))]
        if verb == "fmt":
            return [Touch(action="write", path=field) for field in rest if not field.text.startswith("-")]
    if manager == "cargo":
        if verb in _TESTS:
            return [Indirect(kind="test_runner", name="cargo")]
        if verb in ("build", "b", "run", "r", "check", "c", "clippy", "doc", "rustc", "fix", "expand"):
            return [Indirect(kind="build_tool", name=f"cargo {verb}")]
        if verb == "clean":
            return [Touch(action="delete", path=Field("target"), tree=True)]
    return managed(manager, verb, rest)


def system(invocation: Invocation, model: Model) -> list[Effect]:
    """`apt`, `dnf`, `brew` and other managers of the machine; `gem`, `composer`, `bundle`."""
    del model
    verb, rest = _verb(invocation)
    if invocation.name in ("bundle", "composer") and verb in ("exec", "run", "run-script"):
        if verb == "exec" and rest:
            return [Run(argv=rest, via="argument")]
        return [Indirect(kind="build_tool", name=invocation.name)]
    if invocation.name in ("dpkg", "rpm"):
        return _package_files(invocation)
    if invocation.name == "nuget" and verb == "delete":
        verb = "yank"
    return managed(invocation.name, verb, rest)


def dotnet(invocation: Invocation, model: Model) -> list[Effect]:
    """`dotnet`: builds and runs project code; `dotnet nuget` is the package manager."""
    del model
    verb, rest = _verb(invocation)
    if verb == "nuget":
        verb, rest = _first(rest)
        return managed("nuget", {"delete": "yank"}.get(verb, verb), rest)
    if verb in ("add", "remove") and any(field.text == "package" for field in rest):
        return managed("nuget", verb, tuple(field for field in rest if field.text != "package"))
    if verb == "tool":
        return managed("nuget", *_first(rest))
    if verb == "test":
        return [Indirect(kind="test_runner", name="dotnet")]
    return [Indirect(kind="build_tool", name=f"dotnet {verb}".strip())]


def _package_files(invocation: Invocation) -> list[Effect]:
    arguments = parse_arguments(invocation.argv, Grammar(valued=frozenset({"--root", "--admindir"})))
    installs = arguments.has("-i", "--install", "-U", "-F", "--upgrade", "--unpack")
    removes = arguments.has("-r", "-P", "-e", "--remove", "--purge", "--erase")
    effects: list[Effect] = []
    if installs or arguments.has("-c", "--contents", "-I", "--info", "-x", "-qp"):
        effects.extend(Touch(action="read", path=path) for path in arguments.operands)
    if installs or removes:
        action = "install" if installs else "remove"
        effects.append(
            Package(
                manager=invocation.name,
                action=action,
                names=tuple(f.text for f in arguments.operands),
                source="file",
            )
        )
    return effects


def _verb(invocation: Invocation) -> tuple[str, tuple[Field, ...]]:
    outer = parse_arguments(
        invocation.argv,
        Grammar(
            valued=frozenset(
                {
                    "-C",
                    "--prefix",
                    "--cwd",
                    "--dir",
                    "-w",
                    "--workspace",
                    "-F",
                    "--filter",
                    "--manifest-path",
                    "--config",
                    "--color",
                    "-o",
                }
            ),
            stop=True,
        ),
    )
    if invocation.name == "pacman":
        return (invocation.argv[0].text if invocation.argv else ""), invocation.argv[1:]
    return _first(outer.operands)


def _first(words: tuple[Field, ...]) -> tuple[str, tuple[Field, ...]]:
    return (words[0].text, words[1:]) if words else ("", ())


def _written(rest: tuple[Field, ...]) -> list[Effect]:
    return [
        Touch(action="write", path=path) for option, path in itertools.pairwise(rest) if option.text == "-o"
    ]
