"""Programs that move content over the network: `ssh`, `scp`, `rsync`, `rclone copy`.

Source: OpenSSH 9 ssh(1) and ssh_config(5), rsync 3.2, rclone(1).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Note, Run, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, static_effects
from gateway.facts.shell.network import looks_like_url, remote_host
from gateway.facts.shell.options import Arguments, Grammar, all_names, names_of, parse_arguments
from gateway.facts.shell.values import Field

_SSH: Final = Grammar(
    valued=frozenset(
        [
            "-B",
            "-b",
            "-c",
            "-D",
            "-E",
            "-e",
            "-F",
            "-I",
            "-i",
            "-J",
            "-L",
            "-l",
            "-m",
            "-O",
            "-o",
            "-p",
            "-Q",
            "-R",
            "-S",
            "-W",
            "-w",
        ]
    ),
    stop=True,
)
_SCP: Final = Grammar(valued=frozenset(["-c", "-D", "-F", "-i", "-J", "-l", "-o", "-P", "-S", "-X", "-b"]))
_RSYNC: Final = Grammar(
    valued=frozenset(
        [
            "-e",
            "-f",
            "-B",
            "-T",
            "-M",
            "--rsh",
            "--rsync-path",
            "--filter",
            "--exclude",
            "--include",
            "--exclude-from",
            "--include-from",
            "--files-from",
            "--log-file",
            "--password-file",
            "--backup-dir",
            "--compare-dest",
            "--copy-dest",
            "--link-dest",
            "--temp-dir",
            "--partial-dir",
            "--suffix",
            "--max-size",
            "--min-size",
            "--timeout",
            "--port",
            "--bwlimit",
            "--chmod",
            "--chown",
            "--out-format",
            "--block-size",
            "--max-delete",
            "--write-batch",
            "--read-batch",
        ]
    )
)
_PROGRAM_OPTIONS: Final = re.compile(
    r"\s*(?P<name>ProxyCommand|LocalCommand|KnownHostsCommand|ProxyJump)\s*[= ]\s*(?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)


def ssh(invocation: Invocation, model: Model) -> list[Effect]:
    """`ssh host [command]`: the command runs there; options may run programs here."""
    del model
    arguments = parse_arguments(invocation.argv, _SSH)
    effects = _ssh_options(arguments)
    operands = list(arguments.operands)
    if not operands:
        return effects
    host = Field(operands[0].text.removeprefix("ssh://").rpartition("@")[2], operands[0].glob)
    effects.append(Contact(target=host, sends_input=True))
    late = parse_arguments(operands[1:], _SSH)
    effects.extend(_ssh_options(late))
    if late.operands:
        text = Field(" ".join(field.text for field in late.operands))
        effects.append(Code(language="sh", text=text, via="ssh", remote=True))
    return effects


def _ssh_options(arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = [Touch(action="read", path=path) for path in arguments.values("-F", "-i")]
    effects.extend(Touch(action="write", path=path) for path in arguments.values("-E"))
    effects.extend(
        Contact(target=Field(jump.rpartition("@")[2]))
        for value in arguments.values("-J")
        for jump in value.text.split(",")
    )
    for value in arguments.values("-o"):
        found = _PROGRAM_OPTIONS.match(value.text)
        if found and found["name"].lower() == "proxyjump":
            effects.append(Contact(target=Field(found["value"].rpartition("@")[2])))
        elif found:
            effects.append(Code(language="sh", text=Field(found["value"]), via="argument"))
            effects.append(Note(reason="program_option:ssh", dimensions=("exec",)))
        elif value.text.lower().startswith(("identityfile", "userknownhostsfile")):
            effects.append(Touch(action="read", path=Field(re.split(r"[= ]", value.text, maxsplit=1)[-1])))
    for value in arguments.values("-S", "-D") if arguments.has("-S") else ():
        if "/" in value.text:
            effects.append(Touch(action="execute", path=value, possible=True))
    return effects


def scp(invocation: Invocation, model: Model) -> list[Effect]:
    """`scp sources target`, either side remote; `sftp host`."""
    del model
    arguments = parse_arguments(invocation.argv, _SCP)
    effects = _ssh_options(arguments)
    for program in arguments.values("-S"):
        effects.extend(
            (Run(argv=(program,), via="argument"), Note(reason="program_option:scp", dimensions=("exec",)))
        )
    if invocation.name == "sftp":
        effects.extend(Touch(action="read", path=path) for path in arguments.values("-b") if path.text != "-")
        effects.extend(
            Contact(target=Field(field.text.rpartition("@")[2].partition(":")[0]), sends_input=True)
            for field in arguments.operands[:1]
        )
        return effects
    tree = arguments.has("-r", "-R")
    return [*effects, *_copies(list(arguments.operands), tree=tree)]


def _copies(operands: list[Field], *, tree: bool, delete: bool = False) -> list[Effect]:
    """Copies between this machine and another, or within this one."""
    if not operands:
        return []
    target = operands[-1] if len(operands) > 1 else None
    sources = operands[:-1] if target is not None else operands
    effects: list[Effect] = []
    away = _remote(target) if target is not None else ""
    local: list[Field] = []
    for source in sources:
        host = _remote(source)
        if host:
            effects.append(Contact(target=Field(host), fetches=True))
        else:
            effects.append(Touch(action="read", path=source, tree=tree))
            local.append(source)
    if target is None:
        return effects
    if away:
        effects.append(Contact(target=Field(away), sends=tuple(local)))
        if delete:
            effects.extend((Trait(name="remote_state"), Trait(name="destructive")))
        return effects
    for source in sources:
        text = target.text
        name = source.text.rstrip("/").rpartition("/")[2].rpartition(":")[2]
        into = text.endswith("/") or len(sources) > 1 or text in (".", "..")
        contents = source.text.endswith("/")
        path = (
            Field(f"{text.rstrip('/')}/{name}", target.glob or source.glob)
            if into and not contents and name
            else target
        )
        effects.append(Touch(action="write", path=path, tree=tree and contents))
    if delete:
        effects.append(Touch(action="delete", path=target, tree=True))
    return effects


def _remote(field: Field) -> str:
    if looks_like_url(field.text):
        return re.sub(r"^[a-z]+://(?:[^@/]*@)?([^:/]*).*", r"\1", field.text)
    if "::" in field.text and "/" not in field.text.partition("::")[0]:
        return field.text.partition("::")[0].rpartition("@")[2]
    return remote_host(field.text)


def rsync(invocation: Invocation, model: Model) -> list[Effect]:
    """`rsync [options] sources target`."""
    del model
    arguments = parse_arguments(invocation.argv, _RSYNC)
    effects: list[Effect] = []
    for program in arguments.values("-e", "--rsh"):
        effects.append(Code(language="sh", text=Field(f"{program.text} rsync-host"), via="argument"))
        if not program.text.startswith("ssh"):
            effects.append(Note(reason="program_option:rsync", dimensions=("exec",)))
    effects.extend(
        Touch(action="read", path=path)
        for path in arguments.values(
            "--exclude-from", "--include-from", "--files-from", "--password-file", "--read-batch"
        )
        if path.text != "-"
    )
    effects.extend(
        Touch(action="write", path=path)
        for path in arguments.values(
            "--log-file", "--backup-dir", "--write-batch", "--partial-dir", "--temp-dir"
        )
    )
    if arguments.has("--files-from"):
        effects.append(Note(reason="stdin_paths", dimensions=("read",)))
    dry = arguments.has("-n", "--dry-run")
    tree = arguments.has("-a", "-r", "--archive", "--recursive")
    delete = not dry and any(name.startswith("--del") for name, _ in arguments.options)
    copies = _copies(list(arguments.operands), tree=tree, delete=delete)
    if arguments.has("--remove-source-files"):
        copies.extend(Touch(action="delete", path=path, tree=True) for path in arguments.operands[:-1])
    return [
        *effects,
        *(effect for effect in copies if not (dry and isinstance(effect, Touch) and effect.action != "read")),
    ]


def copies_away(invocation: Invocation, model: Model) -> list[Effect]:
    """`rclone copy source target`: either side is a path here or `remote:path`."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    if arguments.has(*names_of(model.idle)):
        return []
    effects: list[Effect] = [*static_effects(model)]
    return [*effects, *_copies(list(arguments.operands), tree=True)]
