"""Subcommands of git that talk to other repositories.

Source: the manuals of git 2.39, gitremote-helpers(7).
"""

from __future__ import annotations

import re

from gateway.facts.shell.effects import Code, Contact, Effect, Git, Note, Touch
from gateway.facts.shell.network import looks_like_url, remote_host
from gateway.facts.shell.options import Arguments
from gateway.facts.shell.programs.git_config import executing_setting
from gateway.facts.shell.programs.git_push import push
from gateway.facts.shell.values import Field


def remote_effects(target: Field) -> list[Effect]:
    """A remote given as a URL is contacted; `ext::` runs a command."""
    text = target.text
    if text.startswith("ext::"):
        return [
            Code(language="sh", text=Field(text.removeprefix("ext::")), via="git_alias"),
            Note(reason="git_ext_transport", dimensions=("exec",)),
        ]
    host = remote_host(text)
    if looks_like_url(text) or host:
        return [Contact(target=target if not host or looks_like_url(text) else Field(host), fetches=True)]
    if text.startswith(("/", "./", "../", "~")):
        return [Touch(action="read", path=target, tree=True)]
    return []


def pushing(name: str, arguments: Arguments) -> list[Effect]:
    """`git push`."""
    del name
    effects = push(arguments)
    for target in arguments.operands[:1]:
        effects.extend(remote_effects(target))
    return effects


def fetching(name: str, arguments: Arguments) -> list[Effect]:
    """`git fetch`, `pull`, `clone` and `ls-remote`."""
    effects: list[Effect] = [Git(sub=name, remote=arguments.operands[0].text if arguments.operands else "")]
    for target in arguments.operands[:1]:
        effects.extend(remote_effects(target))
    if name == "clone" and arguments.operands:
        text = arguments.operands[0].text.rstrip("/")
        default = Field(re.sub(r"\.git$", "", re.split(r"[/:]", text)[-1]) or ".", arguments.operands[0].glob)
        target = arguments.operands[1] if len(arguments.operands) > 1 else default
        effects.append(Touch(action="write", path=target, tree=True))
        effects.extend(
            Touch(action="execute", path=path, tree=True, possible=True)
            for path in arguments.values("--template")
        )
        for setting in arguments.values("-c", "--config"):
            key, _, value = setting.text.partition("=")
            effects.extend(executing_setting(key, Field(value)))
    return effects


def remotes(name: str, arguments: Arguments) -> list[Effect]:
    """`git remote`: changes stand in git's configuration."""
    words = list(arguments.operands)
    effects: list[Effect] = [Git(sub=name)]
    if words and words[0].text in ("add", "set-url", "remove", "rm", "rename", "set-head", "set-branches"):
        effects.append(Touch(action="write", path=Field(".git/config")))
    return effects


def submodules(name: str, arguments: Arguments) -> list[Effect]:
    """`git submodule`: its `foreach` runs shell text."""
    words = list(arguments.operands)
    effects: list[Effect] = [Git(sub=name)]
    if words and words[0].text == "foreach":
        effects.append(
            Code(
                language="sh",
                text=Field(" ".join(word.text for word in words[1:] if word.text != "--recursive")),
                via="git_alias",
            )
        )
    if words and words[0].text == "add" and len(words) > 1:
        effects.extend(remote_effects(words[1]))
    return effects
