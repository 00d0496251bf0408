"""Containers: what runs in one sees other paths; mounts, files of variables and build contexts are local.

Source: the command reference of Docker 28.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Agent, Contact, Effect, Indirect, Note, Run, Touch, Trait
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.options import Arguments, Grammar, parse_arguments
from gateway.facts.shell.programs.agents import agent_image
from gateway.facts.shell.values import Field

_CONTAINER: Final = Grammar(
    valued=frozenset(
        [
            "-H",
            "--host",
            "--context",
            "--config",
            "-f",
            "--file",
            "-t",
            "--tag",
            "-v",
            "--volume",
            "--mount",
            "-e",
            "--env",
            "--env-file",
            "-p",
            "--publish",
            "--name",
            "-w",
            "--workdir",
            "-u",
            "--user",
            "--network",
            "--entrypoint",
            "-h",
            "--hostname",
            "--platform",
            "--build-arg",
            "--secret",
            "--ssh",
            "-l",
            "--label",
            "--label-file",
            "-m",
            "--memory",
            "--cpus",
            "--device",
            "--gpus",
            "--add-host",
            "--cap-add",
            "--cap-drop",
            "--security-opt",
            "--restart",
            "--log-driver",
            "--volumes-from",
            "--tmpfs",
            "--ulimit",
            "-o",
            "--output",
            "--target",
            "--cidfile",
            "--iidfile",
            "--project-name",
            "--profile",
            "--filter",
            "--format",
            "-n",
            "--tail",
            "--since",
            "--until",
            "--progress",
            "--cache-from",
            "--cache-to",
            "-c",
            "--index",
            "-s",
            "--signal",
            "--pid",
            "--ipc",
            "--userns",
            "--pull",
            "--runtime",
            "--shm-size",
            "--dns",
            "--ip",
            "--mac-address",
            "--annotation",
            "--detach-keys",
            "--project-directory",
        ]
    ),
    stop=True,
)
_STARTED: Final = Grammar(
    valued=_CONTAINER.valued
    - {
        "-t",
        "--tag",
        "-f",
        "--file",
        "-o",
        "--output",
        "-n",
        "--tail",
        "-s",
        "--signal",
        "--filter",
        "--format",
    },
    stop=True,
)
"""`-t` of `run` and `exec` is a terminal, of `build` a tag."""
_DESTROYING: Final = frozenset({"rm", "rmi", "prune", "kill", "down"})


def container(invocation: Invocation, model: Model) -> list[Effect]:
    """`docker`: what runs in a container sees other paths; mounts, env files and contexts are local."""
    outer = parse_arguments(invocation.argv, _CONTAINER)
    effects: list[Effect] = [
        Contact(target=host) for host in outer.values("-H", "--host") if not host.text.startswith("unix:")
    ]
    if not outer.operands:
        return effects
    kind, verb, rest = "", outer.operands[0].text, outer.operands[1:]
    if verb == "compose":
        return [*effects, *_compose(rest)]
    if verb in ("container", "image", "system", "volume", "network", "builder", "buildx") and rest:
        kind, verb, rest = verb, rest[0].text, rest[1:]
        if kind == "volume" and verb in ("rm", "remove", "prune"):
            effects.append(Trait(name="irreversible"))
        elif kind == "system" and verb == "prune":
            effects.extend((Trait(name="destructive"), Trait(name="irreversible")))
    del model
    if verb in ("run", "create", "exec"):
        return [*effects, *_started(verb, parse_arguments(rest, _STARTED))]
    arguments = parse_arguments(rest, _CONTAINER)
    if verb in ("build", "bake"):
        late = parse_arguments(arguments.operands[1:], _CONTAINER)
        context = [*arguments.operands[:1], *late.operands]
        effects.extend(
            Touch(action="read", path=path, tree=True)
            for path in context
            if path.text != "-" and "://" not in path.text
        )
        effects.extend(
            Touch(action="read", path=path) for path in arguments.values("-f", "--file") if path.text != "-"
        )
        effects.extend(Touch(action="read", path=path) for path in _sources(arguments.values("--secret")))
        return [*effects, Indirect(kind="container", name="build")]
    if verb in ("cp", "copy"):
        return [*effects, *copied(arguments)]
    if verb in ("save", "export"):
        effects.extend(Touch(action="write", path=path) for path in arguments.values("-o", "--output"))
    if verb in ("load", "import"):
        effects.extend(
            Touch(action="read", path=path)
            for path in [*arguments.values("-i", "--input"), *arguments.operands[:1]]
            if "://" not in path.text
        )
    if verb == "push":
        effects.extend((Trait(name="publishes"), Trait(name="remote_state")))
    if verb in _DESTROYING and not _made_again(kind, verb, arguments):
        effects.append(Trait(name="destructive"))
    return effects


def _made_again(kind: str, verb: str, arguments: Arguments) -> bool:
    """Whether only caches and images without a name go, which the next build makes again."""
    if verb != "prune" or kind not in ("image", "builder", "buildx"):
        return False
    return kind != "image" or not arguments.has("-a", "--all")


def _started(verb: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = []
    for mount in arguments.values("-v", "--volume"):
        source, separator, rest = mount.text.partition(":")
        if separator and source.startswith(("/", ".", "~")):
            path = Field(source, mount.glob)
            effects.append(Touch(action="read", path=path, tree=True, possible=True))
            if not rest.endswith(":ro"):
                effects.append(Touch(action="write", path=path, tree=True, possible=True))
    for path in _sources(arguments.values("--mount")):
        effects.append(Touch(action="read", path=path, tree=True, possible=True))
        effects.append(Touch(action="write", path=path, tree=True, possible=True))
    effects.extend(Touch(action="read", path=path) for path in arguments.values("--env-file", "--label-file"))
    effects.extend(Touch(action="write", path=path) for path in arguments.values("--cidfile"))
    if arguments.has("--privileged") or any(
        value.text == "host" for value in arguments.values("--pid", "--userns", "--ipc")
    ):
        effects.append(Note(reason="privileged_ns", dimensions=("read", "write")))
    inner = arguments.operands[1:]
    agent = agent_image(arguments.operands[0].text) if arguments.operands else ""
    if agent:
        effects.append(Agent(type=agent))
    entry = arguments.value("--entrypoint")
    if entry is not None:
        inner = (entry, *inner)
    if verb != "create" and inner:
        effects.append(Run(argv=inner, via="container", remote=True))
    if verb == "run":
        effects.append(
            Indirect(kind="container", name=arguments.operands[0].text if arguments.operands else "")
        )
    return effects


def _sources(specs: list[Field]) -> list[Field]:
    found: list[Field] = []
    for spec in specs:
        match = re.search(r"(?:^|,)(?:source|src)=([^,]+)", spec.text)
        if match and match.group(1).startswith(("/", ".", "~")):
            found.append(Field(match.group(1), spec.glob))
    return found


def copied(arguments: Arguments) -> list[Effect]:
    """A copy between this machine and a container, which a colon tells."""
    effects: list[Effect] = []
    for position, path in enumerate(arguments.operands[:2]):
        local = ":" not in path.text or path.text.startswith(("/", "./", "../"))
        if local and path.text != "-":
            effects.append(Touch(action="write" if position else "read", path=path, tree=True))
    return effects


def compose(invocation: Invocation, model: Model) -> list[Effect]:
    """`docker-compose`: what `docker compose` does."""
    del model
    return _compose(invocation.argv)


def _compose(rest: tuple[Field, ...]) -> list[Effect]:
    arguments = parse_arguments(rest, _CONTAINER)
    effects: list[Effect] = [
        Touch(action="read", path=path) for path in arguments.values("-f", "--file", "--env-file")
    ]
    effects.append(Indirect(kind="container", name="compose"))
    words = arguments.operands
    if (
        words
        and words[0].text in ("down", "rm")
        and any(field.text in ("--volumes", "-v") or re.match(r"-[a-z]*v", field.text) for field in words)
    ):
        effects.extend((Trait(name="destructive"), Trait(name="irreversible")))
    if words and words[0].text in ("exec", "run"):
        inner = parse_arguments(words[1:], _CONTAINER)
        if len(inner.operands) > 1:
            effects.append(Run(argv=inner.operands[1:], via="container", remote=True))
    return effects
