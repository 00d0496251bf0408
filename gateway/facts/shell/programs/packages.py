"""Package managers: what is installed from where, and the scripts that run on the way.

Source: npm 10, pnpm 9, yarn, pip 24, uv, cargo, go, gem, composer and apt manuals.
"""

from __future__ import annotations

import itertools
from typing import Final

from gateway.facts.shell.effects import Contact, Effect, Indirect, Package, Run, Touch, Trait
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.network import looks_like_url, remote_host
from gateway.facts.shell.options import Grammar, parse_arguments
from gateway.facts.shell.programs.interpreters import node_runner
from gateway.facts.shell.values import Field

_VALUED: Final = frozenset(
    [
        "-w",
        "--workspace",
        "--prefix",
        "-C",
        "--cwd",
        "--dir",
        "--registry",
        "--userconfig",
        "--globalconfig",
        "--cache",
        "--tag",
        "--otp",
        "--access",
        "--loglevel",
        "--omit",
        "--include",
        "-r",
        "--requirement",
        "-c",
        "--constraint",
        "-e",
        "--editable",
        "-i",
        "--index-url",
        "--extra-index-url",
        "-f",
        "--find-links",
        "-t",
        "--target",
        "-d",
        "--dest",
        "--root",
        "--prefix",
        "--python",
        "-p",
        "--proxy",
        "--trusted-host",
        "--cert",
        "--client-cert",
        "--log",
        "--only-binary",
        "--no-binary",
        "--platform",
        "--python-version",
        "--config-settings",
        "--features",
        "--manifest-path",
        "--target-dir",
        "--git",
        "--branch",
        "--rev",
        "--path",
        "--version",
        "--vers",
        "--source",
        "--bin",
        "--example",
        "--test",
        "--bench",
        "--package",
        "--repository",
        "--repository-url",
        "-m",
        "--message",
        "-F",
        "--filter",
        "--group",
        "--extra",
        "--with",
        "--with-requirements",
        "--index",
        "--default-index",
        "--env-file",
        "--user-install",
        "--install-dir",
        "-n",
        "--name",
        "--no-deps-for",
        "-o",
        "--option",
        "-t",
        "--default-release",
        "--mod",
        "--modfile",
        "--tags",
        "--ldflags",
        "--gcflags",
        "-run",
        "-o",
        "--output",
    ]
)
_FILES: Final = (
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "--cert",
    "--client-cert",
    "--userconfig",
    "--globalconfig",
    "--manifest-path",
    "--with-requirements",
    "--modfile",
    "--env-file",
)
_REGISTRIES: Final = (
    "--registry",
    "-i",
    "--index-url",
    "--extra-index-url",
    "--proxy",
    "--repository-url",
    "--index",
    "--default-index",
)
_INSTALL: Final = frozenset(
    [
        "install",
        "i",
        "in",
        "add",
        "ci",
        "isntall",
        "sync",
        "update",
        "up",
        "upgrade",
        "require",
        "get",
        "download",
        "build-dep",
        "dist-upgrade",
        "full-upgrade",
        "reinstall",
        "link",
        "-S",
        "-Sy",
        "-Syu",
    ]
)
_REMOVE: Final = frozenset(
    ["uninstall", "remove", "rm", "r", "un", "unlink", "purge", "autoremove", "erase", "-R", "-Rs", "-Rns"]
)
_PUBLISH: Final = frozenset({"publish", "push", "yank", "unpublish", "deprecate", "upload"})
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
    if verb in _RUN:
        return node_runner(
            Invocation(name=manager, program=manager, argv=rest, stdin=invocation.stdin), model
        )
    if verb in _SCRIPTS:
        arguments = parse_arguments(rest, Grammar(valued=_VALUED, stop=True))
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
        arguments = parse_arguments(words, Grammar(valued=_VALUED | {"--from"}, stop=True))
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
    return managed(invocation.name, verb, rest)


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


def managed(manager: str, verb: str, rest: tuple[Field, ...]) -> list[Effect]:
    """The effects of a verb that most managers share."""
    action = (
        "install"
        if verb in _INSTALL
        else "remove"
        if verb in _REMOVE
        else "publish"
        if verb in _PUBLISH
        else ""
    )
    arguments = parse_arguments(rest, Grammar(valued=_VALUED))
    effects: list[Effect] = [Touch(action="read", path=path) for path in arguments.values(*_FILES)]
    effects.extend(Contact(target=url) for url in arguments.values(*_REGISTRIES) if looks_like_url(url.text))
    targets = (
        arguments.values("-t", "--target", "-d", "--dest", "--root", "--install-dir")
        if manager.startswith(("pip", "uv", "cargo", "gem"))
        else []
    )
    effects.extend(Touch(action="write", path=path, tree=True) for path in targets)
    if not action:
        return effects
    names = [*arguments.operands, *arguments.values("-e", "--editable", "--git")]
    source = "registry"
    for name in names:
        found = _source(name)
        source = found if found != "registry" else source
        effects.extend(_origin(name, found))
    effects.append(
        Package(manager=manager, action=action, names=tuple(name.text for name in names), source=source)
    )
    if action == "publish":
        effects.append(Trait(name="publishes"))
    return effects


def _source(name: Field) -> str:
    text = name.text
    if "git+" in text or text.startswith(("git@", "git://", "github:", "gitlab:", "bitbucket:")):
        return "url"
    if looks_like_url(text.rpartition(" @ ")[2]) or looks_like_url(text.partition("@")[2]):
        return "url"
    if text.startswith((".", "/", "~", "file:")):
        return (
            "file"
            if text.endswith((".whl", ".tgz", ".tar.gz", ".zip", ".deb", ".rpm", ".gem", ".crate"))
            else "path"
        )
    return "registry"


def _origin(name: Field, source: str) -> list[Effect]:
    """Where a package that is not from the registry comes from."""
    text = name.text
    if source == "url":
        url = text[text.index("git+") + 4 :] if "git+" in text else text.rpartition(" @ ")[2]
        if not looks_like_url(url) and "@" in url and looks_like_url(url.partition("@")[2]):
            url = url.partition("@")[2]
        short = {"github:": "github.com", "gitlab:": "gitlab.com", "bitbucket:": "bitbucket.org"}
        host = next((host for prefix, host in short.items() if url.startswith(prefix)), "") or remote_host(
            url
        )
        return [Contact(target=Field(host) if host else Field(url, name.glob))]
    if source in ("file", "path"):
        path = Field(text.removeprefix("file:").partition("[")[0], name.glob)
        if source == "path":
            # The project itself is built: its own code runs, which is what `indirect` says.
            return [Touch(action="list", path=path), Indirect(kind="build_tool", name=text)]
        return [Touch(action="read", path=path)]
    return []


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
