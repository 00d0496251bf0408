"""PowerShell and cmd.exe: not parsed, but swept, so that no command in them is taken for one that does nothing.

Words are taken with their quotes and escapes off; the first of a statement tells what may happen to the paths beside it. A guarded
place counts wherever it stands. Nothing found so is certain, and the command as a whole stays opaque.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct

from gateway.domain.operations import Operation
from gateway.facts.groups import Shape
from gateway.facts.hosts import Hosts
from gateway.facts.operations import Findings

MAX_TEXT: Final = 65_536
MAX_STATEMENTS: Final = 200
MAX_WORDS: Final = 2_000
_TOKEN: Final = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"`]|`.|\"\")*\"|[\n;|{}()]|&&|&(?=\s)|(?:\$\{[^}\n]*\}|`.|[^\s;|{}()'\"])+",
    re.DOTALL,
)
_BREAKS: Final = frozenset({"\n", ";", "|", "{", "}", "(", ")", "&&", "||"})
_PATH: Final = re.compile(r"[\\/]|\A~|\A\$|\A\.\.?\Z|\A%|\A[A-Za-z]:|\.[A-Za-z0-9]{1,8}\Z")
_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s'\"`|;)]{1,512}")
_ENCODED: Final = re.compile(r"-e(?:c|nc\w*)?\Z", re.IGNORECASE)
_ASSIGNED: Final = re.compile(r"\A\$[\w:]+\Z")


class PowerShellData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data file."""

    paths: Mapping[str, frozenset[str]]
    traits: Mapping[str, frozenset[str]]
    fetches: frozenset[str]
    runs: frozenset[str]


@cache
def powershell_data() -> PowerShellData:
    """The shipped data file."""
    text = resources.files("gateway.facts").joinpath("powershell.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), PowerShellData)


def sweep_powershell(command: str, findings: Findings, hosts: Hosts, *, depth: int = 0) -> None:
    """Put what a command may do among the findings. Total: any text is swept as far as its bounds go."""
    if len(command) > MAX_TEXT:
        findings.limits.append("too_long")
        command = command[:MAX_TEXT]
    for found in _URL.findall(command):
        for host in hosts.of_url(found):
            findings.host(host, "connect", via="shell", certain=False)
    for number, words in enumerate(_statements(command)):
        if number == MAX_STATEMENTS:
            findings.limits.append("budget")
            return
        _statement(words, findings)
        _nested(words, findings, hosts, depth)


def _statement(words: list[str], findings: Findings) -> None:
    data = powershell_data()
    program, arguments = _program(words)
    name = _plain_name(program)
    traits = [trait for trait, names in data.traits.items() if name in names]
    if program:
        findings.add(_command(program, name, arguments, traits))
    actions = [action for action, names in data.paths.items() if name in names]
    for at, word in enumerate(words):
        target = words[at + 1] if word.lstrip("12*") in {">", ">>"} and at + 1 < len(words) else ""
        if target:
            findings.file(_slashed(target), ("write",), "path", via="shell", certain=False)
    for argument in arguments:
        for text in map(_slashed, _values(argument)):
            if actions and not text.startswith("-") and _PATH.search(text) and "://" not in text:
                shape: Shape = "glob" if any(letter in text for letter in "*?") else "path"
                findings.file(text, actions, shape, via="shell", certain=False)
            else:
                findings.guarded_file(text, ("read", "write"), via="shell")
    if _PATH.search(program) and program not in {".", "&"}:
        findings.file(_slashed(program), ("execute",), "path", via="shell", certain=False)
        # It may as well be the argument of a method: `[IO.File]::ReadAllText('…')`.
        findings.guarded_file(_slashed(program), ("read", "write"), via="shell")


def _slashed(text: str) -> str:
    """A path with its separators as ours; one of another machine keeps its form, which names it."""
    return text if text.startswith("\\\\") else text.replace("\\", "/")


def _program(words: list[str]) -> tuple[str, list[str]]:
    """The command of a statement and its arguments: `&` and `.` call the next word, `$x =` keeps what comes."""
    rest = list(words)
    while rest:
        if len(rest) > 1 and rest[1] in {"=", "+="} and _ASSIGNED.match(rest[0]):
            rest = rest[2:]
        elif len(rest) > 1 and rest[0] in {"&", "."}:
            rest = rest[1:]
        else:
            return rest[0], rest[1:]
    return "", []


def _plain_name(program: str) -> str:
    return (
        re.split(r"[\\/]", program)[-1].lower().removesuffix(".exe").removesuffix(".ps1").removesuffix(".cmd")
    )


def _values(argument: str) -> Iterator[str]:
    """What an argument may name: itself, its parts in a list, and the value behind `-Name:` or `name=`."""
    for part in argument.split(",") if "," in argument else (argument,):
        if part:
            yield part.strip("[]@")
        for separator in (":", "="):
            head, found, tail = part.partition(separator)
            if found and tail and (head.startswith(("-", "/")) or separator == "="):
                yield tail


def _nested(words: list[str], findings: Findings, hosts: Hosts, depth: int) -> None:
    """Text within the command that runs: encoded, or a quoted command of its own."""
    if depth >= 3:
        return
    for at, word in enumerate(words):
        if at and _ENCODED.match(words[at - 1]):
            decoded = _decoded(word)
            if decoded:
                sweep_powershell(decoded, findings, hosts, depth=depth + 1)
        elif at and " " in word.strip():
            sweep_powershell(word, findings, hosts, depth=depth + 1)


def _decoded(word: str) -> str:
    try:
        return base64.b64decode(word, validate=True).decode("utf-16-le")
    except (binascii.Error, ValueError):
        return ""


def _statements(command: str) -> Iterator[list[str]]:
    words: list[str] = []
    ended = -1
    for number, found in enumerate(_TOKEN.finditer(command)):
        token = found.group()
        if token in _BREAKS or number == MAX_WORDS:
            if words:
                yield words
            words, ended = [], -1
            continue
        if ended == found.start() and words:
            # Pieces without a blank between them are one word: `C:\\'Program Files'\\x`.
            words[-1] += _unquoted(token)
        else:
            words.append(_unquoted(token))
        ended = found.end()
    if words:
        yield words


def _unquoted(token: str) -> str:
    if token[:1] == "'" and len(token) > 1:
        return token[1:-1].replace("''", "'")
    text = token[1:-1] if token[:1] == '"' and len(token) > 1 else token
    return re.sub(r"`(.)", r"\1", text, flags=re.DOTALL)


def _command(program: str, name: str, arguments: list[str], traits: list[str]) -> Operation:
    attr: dict[str, Any] = {
        "name": name,
        "argv": [program, *arguments[:63]],
        "wrappers": [],
        "privileged": False,
        "known": bool(traits) or any(name in names for names in powershell_data().paths.values()),
        "indirect": False,
        "traits": traits,
        "agent_written": False,
        "via": "shell",
        "certain": False,
    }
    return Operation("command", "execute", name or "unknown", attr)
