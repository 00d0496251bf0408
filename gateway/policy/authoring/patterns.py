"""Paths, globs and hosts of a sentence to CEL conditions, with one example that meets them and one that does not."""

from __future__ import annotations

import re

from msgspec import Struct

_GLOB = re.compile(r"[*?\[{]")
_HOMES = r"^(/home/[^/]+|/Users/[^/]+|/root)"
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*\Z", re.IGNORECASE)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\Z")


class Pattern(Struct, frozen=True):
    """Conditions of which one must hold, and an example that meets them."""

    tests: tuple[str, ...]
    example: str


def cel_text(text: str) -> str:
    """A text as CEL literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def path_pattern(text: str) -> Pattern:
    """A path, directory or glob. A directory stands for everything below it; a search above it counts as well."""
    if _GLOB.search(text) or not text.startswith(("/", "~/")):
        regex = glob_regex(text)
        return Pattern((f"R.attr.path.matches({cel_text(regex)})",), _glob_example(text))
    if text.startswith("~/"):
        below = re.escape(text[2:].rstrip("/"))
        return Pattern(
            (f"R.attr.path.matches({cel_text(f'{_HOMES}/{below}(/|$)')})",),
            f"/home/ada/{text[2:].rstrip('/')}",
        )
    path = text.rstrip("/") or "/"
    inside = path if path == "/" else f"{path}/"
    return Pattern(
        (
            f"R.attr.path == {cel_text(path)}",
            f"R.attr.path.startsWith({cel_text(inside)})",
            # A search of a directory above reads what is below it.
            f'R.attr.shape == "tree" && (R.attr.path == "/" || {cel_text(inside)}.startsWith(R.attr.path + "/"))',
            f'R.attr.shape == "glob" && {cel_text(inside)}.startsWith(R.attr.path.split("*")[0])',
        ),
        path,
    )


def glob_regex(glob: str) -> str:
    """The RE2 of a glob: `**` spans directories, `*` and `?` stay inside a name; a relative one floats."""
    anchor, rest = "^", glob
    if glob.startswith("~/"):
        anchor, rest = _HOMES + "/", glob[2:]
    elif not glob.startswith("/"):
        anchor, rest = "(^|/)", glob.removeprefix("./").removeprefix("**/")
    directory = rest.endswith("/") or not _GLOB.search(rest)
    body = ""
    at = 0
    rest = rest.rstrip("/")
    while at < len(rest):
        if rest.startswith("/**", at) and at + 3 == len(rest):
            return f"{anchor}{body}(/|$)"
        if rest.startswith("**/", at):
            body += "(.*/)?"
            at += 3
        elif rest.startswith("**", at):
            body += ".*"
            at += 2
        else:
            body += {"*": "[^/]*", "?": "[^/]"}.get(rest[at], re.escape(rest[at]))
            at += 1
    return f"{anchor}{body}{'(/|$)' if directory else '$'}"


def _glob_example(glob: str) -> str:
    """A path that the glob meets."""
    plain = (
        glob.removeprefix("./").replace("**/", "").replace("/**", "/x").replace("*", "x").replace("?", "x")
    )
    plain = plain.rstrip("/")
    if plain.startswith("~/"):
        return f"/home/ada/{plain[2:]}"
    return plain if plain.startswith("/") else f"/home/ada/project/{plain}"


def is_host(text: str) -> bool:
    """Whether a text is a host name, an address, or `*.` and a domain."""
    return bool(_HOST.match(text) or _ADDRESS.match(text))


def host_pattern(text: str) -> Pattern:
    """A host, with every host below it."""
    name = text.lower().removeprefix("*.")
    if _ADDRESS.match(name):
        return Pattern((f"R.attr.host == {cel_text(name)}",), name)
    return Pattern(
        (f"R.attr.host == {cel_text(name)}", f"R.attr.host.endsWith({cel_text('.' + name)})"), name
    )
