"""What package managers have in common: verbs, sources of packages, registries.

Source: the manuals of npm 10, pip 24, cargo, gem and apt.
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import Contact, Effect, Indirect, Package, Touch, Trait
from gateway.facts.shell.network import host_of, looks_like_url, remote_host
from gateway.facts.shell.options import Arguments, Grammar, parse_arguments
from gateway.facts.shell.values import Field

VALUED: Final = frozenset(
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
_OWNERS: Final = frozenset({"owner", "author", "access", "dist-tag", "team", "token"})
"""Verbs of registries whose own verbs change who may publish, or what a name stands for."""
_CHANGES: Final = frozenset(
    {
        "add",
        "rm",
        "remove",
        "set",
        "grant",
        "revoke",
        "create",
        "destroy",
        "delete",
        "-a",
        "-r",
        "--add",
        "--remove",
    }
)
_IDLE: Final = frozenset({"--dry-run", "--help", "-h"})


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
    arguments = parse_arguments(rest, Grammar(valued=VALUED))
    effects: list[Effect] = [Touch(action="read", path=path) for path in arguments.values(*_FILES)]
    effects.extend(
        Contact(target=url) for url in arguments.values("--proxy", *_REGISTRIES) if looks_like_url(url.text)
    )
    targets = (
        arguments.values("-t", "--target", "-d", "--dest", "--root", "--install-dir")
        if manager.startswith(("pip", "uv", "cargo", "gem"))
        else []
    )
    effects.extend(Touch(action="write", path=path, tree=True) for path in targets)
    if verb in _OWNERS and _changes_owners(rest):
        return [*effects, Package(manager=manager, action="publish"), Trait(name="publishes")]
    if not action or any(
        name in _IDLE and (value is None or value.text != "false") for name, value in arguments.options
    ):
        return effects
    names = [*arguments.operands, *arguments.values("-e", "--editable", "--git")]
    source = "registry"
    for name in names:
        found = _source(name)
        source = found if found != "registry" else source
        effects.extend(_origin(name, found))
    effects.append(
        Package(
            manager=manager,
            action=action,
            names=tuple(name.text for name in names),
            source=source,
            registries=_registries(arguments),
        )
    )
    if action == "publish":
        effects.append(Trait(name="publishes"))
    return effects


def _registries(arguments: Arguments) -> tuple[str, ...]:
    """The hosts that options name instead of the configured registry."""
    urls = (url for url in arguments.values(*_REGISTRIES) if looks_like_url(url.text))
    return tuple(host for host in (host_of(url)[0] for url in urls) if host)


def _changes_owners(rest: tuple[Field, ...]) -> bool:
    """Whether a verb about owners changes them: `npm owner add`, `cargo owner --add`, `gem owner -rname`."""
    return any(
        field.text.partition("=")[0] in _CHANGES or (len(field.text) > 2 and field.text[:2] in ("-a", "-r"))
        for field in rest
    )


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
