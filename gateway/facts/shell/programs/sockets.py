"""Programs that open plain or encrypted connections: `nc`, `socat`, `openssl`.

Source: ncat, socat 1.7, openssl(1).
"""

from __future__ import annotations

import itertools
import re
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Note, Output, Touch, Trait
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Grammar, parse_arguments
from gateway.facts.shell.programs.encodings import decoded
from gateway.facts.shell.values import Field


def netcat(invocation: Invocation, model: Model) -> list[Effect]:
    """`nc host port`: input goes there; `-e` and `-c` run a program behind it."""
    del model
    grammar = Grammar(
        valued=frozenset(
            [
                "-e",
                "-c",
                "-g",
                "-G",
                "-i",
                "-I",
                "-O",
                "-o",
                "-P",
                "-p",
                "-q",
                "-s",
                "-T",
                "-V",
                "-W",
                "-w",
                "-X",
                "-x",
                "--exec",
                "--sh-exec",
                "--proxy",
                "--proxy-type",
                "--source-port",
                "--output",
                "--lua-exec",
                "-m",
            ]
        )
    )
    arguments = parse_arguments(invocation.argv, grammar)
    effects: list[Effect] = []
    for text in arguments.values("-c", "--sh-exec", "-e", "--exec"):
        effects.append(Code(language="sh", text=text, via="argument"))
        effects.extend((Note(reason="remote_code", dimensions=("exec",)), Trait(name="remote_shell")))
    effects.extend(Contact(target=host) for host in arguments.values("-x", "--proxy"))
    effects.extend(Touch(action="write", path=path) for path in arguments.values("-o", "--output"))
    if arguments.has("-l", "--listen"):
        effects.append(Output(fetched=True))
    elif arguments.operands:
        effects.append(Contact(target=arguments.operands[0], sends_input=True, fetches=True))
    return effects


_NETWORK_ADDRESS: Final = re.compile(r"(?:TCP|UDP|OPENSSL|SSL|SOCKS|PROXY|SCTP|DTLS|VSOCK|IP)[A-Z0-9-]*$")


def socat(invocation: Invocation, model: Model) -> list[Effect]:
    """`socat address address`: files, hosts and programs by their address types."""
    del model
    effects: list[Effect] = []
    for field in invocation.argv:
        kind, separator, rest = field.text.partition(":")
        value = Field(rest.partition(",")[0], field.glob)
        kind = kind.upper()
        if not separator:
            continue
        if kind in ("EXEC", "SYSTEM", "SHELL"):
            effects.append(Code(language="sh", text=Field(rest.split(",pty")[0]), via="argument"))
        elif kind in ("FILE", "OPEN", "GOPEN"):
            effects.extend(
                (Touch(action="read", path=value), Touch(action="write", path=value, possible=True))
            )
        elif kind in ("CREATE", "CREAT", "PIPE"):
            effects.append(Touch(action="write", path=value))
        elif (
            kind.startswith(("TCP", "UDP", "OPENSSL", "SSL", "SOCKS", "PROXY", "SCTP"))
            and "LISTEN" not in kind
        ):
            effects.append(Contact(target=value, sends_input=True, fetches=True))
    addresses = [field.text.partition(":")[0].upper() for field in invocation.argv]
    if any(_NETWORK_ADDRESS.match(kind) for kind in addresses):
        if any(isinstance(effect, Code) for effect in effects):
            effects.extend((Note(reason="remote_code", dimensions=("exec",)), Trait(name="remote_shell")))
        effects.append(Output(fetched=True))
    reads = tuple(effect.path for effect in effects if isinstance(effect, Touch) and effect.action == "read")
    return [
        Contact(target=effect.target, sends=reads, sends_input=True, fetches=True)
        if isinstance(effect, Contact)
        else effect
        for effect in effects
    ]


def openssl(invocation: Invocation, model: Model) -> list[Effect]:
    """`openssl subcommand -in file -out file -connect host:port`."""
    del model
    effects: list[Effect] = []
    words = list(invocation.argv)
    for option, value in itertools.pairwise(words):
        if option.text in (
            "-in",
            "-inkey",
            "-key",
            "-cert",
            "-CAfile",
            "-CA",
            "-CAkey",
            "-config",
            "-kfile",
            "-certfile",
            "-content",
            "-sigfile",
            "-verify",
            "-signature",
            "-data",
            "-rand",
            "-extfile",
            "-passin",
            "-pass",
        ):
            path = Field(value.text.removeprefix("file:"), value.glob)
            if option.text not in ("-passin", "-pass") or value.text.startswith("file:"):
                effects.append(Touch(action="read", path=path))
        elif option.text in ("-out", "-keyout", "-writerand"):
            effects.append(Touch(action="write", path=value))
        elif option.text in ("-connect", "-host", "-proxy"):
            effects.append(Contact(target=value, sends_input=True, fetches=True))
        elif option.text in ("-engine", "-provider"):
            effects.append(Note(reason="loads_object"))
    options = {field.text for field in words}
    if "-d" in options and words[0].text in ("base64", "enc") and not {"-in", "-out"} & options:
        text = decoded("base64", invocation.stdin.text) if {"base64", "-base64", "-a"} & options else None
        return [*effects, *([Output(text=text, decoded=True)] if text is not None else [])]
    return effects
