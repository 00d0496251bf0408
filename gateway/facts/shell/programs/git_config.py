"""`git config`: settings that name programs, and those that change nothing but how git shows and merges.

Source: git-config(1) 2.39.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Effect, Git, Note, Touch, Trait
from gateway.facts.shell.options import Arguments
from gateway.facts.shell.values import Field

_EXECUTING: Final = re.compile(
    r"(?:core\.(?:sshcommand|editor|pager|fsmonitor|hookspath|askpass|gitproxy|alternaterefscommand)|alias\..*|diff\.(?:external|.*\.(?:command|textconv))"
    r"|merge\..*\.driver|filter\..*\.(?:clean|smudge|process)|sequence\.editor|gpg\..*program|credential\..*helper|credential\.helper|pager\..*"
    r"|protocol\..*|interactive\.difffilter|remote\..*\.(?:uploadpack|receivepack|proxy|vcs)|uploadpack\.packobjectshook|web\.browser|browser\..*|difftool\..*\.cmd|mergetool\..*\.cmd|sendemail\..*cmd|init\.templatedir|include\.path|includeif\..*|http\.proxy|url\..*)",
    re.IGNORECASE,
)


_SHELLED: Final = re.compile(
    r"(?:core\.(?:sshcommand|editor|pager|fsmonitor|askpass)|alias\..*|diff\..*|sequence\.editor|pager\..*|gpg\..*program|credential\..*|.*\.cmd)",
    re.IGNORECASE,
)


_HARMLESS: Final = re.compile(
    r"(?:user\.(?:name|email|signingkey)|color\..*|push\.(?:default|autosetupremote|followtags)|pull\.(?:rebase|ff)|fetch\.prune.*|branch\..*|init\.defaultbranch"
    r"|core\.(?:autocrlf|eol|filemode|ignorecase|quotepath|longpaths|abbrev|symlinks|precomposeunicode)|merge\.(?:ff|conflictstyle|renames)|rebase\..*"
    r"|advice\..*|commit\.(?:gpgsign|verbose)|tag\.(?:sort|gpgsign)|status\..*|log\..*|diff\.(?:renames|algorithm|colormoved)|rerere\..*|column\..*)",
    re.IGNORECASE,
)
"""Settings that change how git shows or merges and can run nothing: git keeps them in its own file."""


def executing_setting(name: str, value: Field) -> list[Effect]:
    """A setting that names a program git will run."""
    if not _EXECUTING.fullmatch(name):
        return []
    effects: list[Effect] = (
        [Note(reason="program_option:git", dimensions=("exec",))] if not value.known else []
    )
    if _SHELLED.fullmatch(name) and value.text:
        text = (
            value.text.removeprefix("!") if name.lower().startswith(("alias", "credential")) else value.text
        )
        if not name.lower().startswith(("alias.", "credential.")) or value.text.startswith("!"):
            effects.append(Code(language="sh", text=Field(text, value.glob), via="git_alias"))
    elif value.text:
        effects.append(Touch(action="execute", path=value, possible=True))
    return effects


def config(name: str, arguments: Arguments) -> list[Effect]:
    """`git config`: a setting that is read, or written into one of git's files."""
    path = next(iter(arguments.values("-f", "--file")), None)
    if path is None:
        path = Field(
            "~/.gitconfig"
            if arguments.has("--global")
            else "/etc/gitconfig"
            if arguments.has("--system")
            else ".git/config"
        )
    operands = list(arguments.operands)
    if operands and operands[0].text in (
        "set",
        "get",
        "unset",
        "list",
        "edit",
        "rename-section",
        "remove-section",
    ):
        verb = operands.pop(0).text
    else:
        verb = ""
    changes = (
        len(operands) > 1
        or verb in ("set", "unset", "edit", "rename-section", "remove-section")
        or arguments.has(
            "--unset",
            "--unset-all",
            "--add",
            "--replace-all",
            "--remove-section",
            "--rename-section",
            "-e",
            "--edit",
        )
    )
    if arguments.has("--get", "--get-all", "--get-regexp", "-l", "--list", "--get-urlmatch"):
        changes = False
    effects: list[Effect] = [Git(sub=name)]
    if changes and operands and _HARMLESS.fullmatch(operands[0].text):
        return effects
    if changes:
        effects.append(Touch(action="write", path=path))
        if len(operands) > 1:
            effects.extend(_setting_written(operands[0].text, operands[1]))
    elif arguments.has("-f", "--file"):
        effects.append(Touch(action="read", path=path))
    return effects


def _setting_written(name: str, value: Field) -> list[Effect]:
    effects: list[Effect] = [
        effect for effect in executing_setting(name, value) if not isinstance(effect, Code)
    ]
    if _EXECUTING.fullmatch(name):
        effects.append(Trait(name="persistence"))
    return effects
