"""`git`: what a subcommand does to refs, remotes, the work tree and the configuration.

Source: git 2.39 manuals, gitrevisions(7), git-config(1). Blobs of protected paths count as reads of the path, since
`git show HEAD:.env` prints it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import structs

from gateway.facts.shell.effects import Code, Effect, Git, Note, Output, Touch
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.network import looks_like_url
from gateway.facts.shell.options import Arguments, parse_arguments
from gateway.facts.shell.programs.git_config import config, executing_setting
from gateway.facts.shell.programs.git_grammar import OUTER, grammar_of
from gateway.facts.shell.programs.git_history import branch, history, reset, stash, tag, update_ref
from gateway.facts.shell.programs.git_remotes import fetching, pushing, remotes, submodules
from gateway.facts.shell.programs.git_worktree import (
    PATHS_FOLLOW,
    adding,
    applying,
    checking_out_index,
    clean,
    moving,
    reading_tree,
    removing,
    restoring,
    worktree,
)
from gateway.facts.shell.values import Field

_CODE_OPTIONS: Final = (
    "--exec",
    "-x",
    "--index-filter",
    "--tree-filter",
    "--env-filter",
    "--msg-filter",
    "--commit-filter",
    "--parent-filter",
    "--tag-name-filter",
    "--setup",
    "--upload-pack",
    "--receive-pack",
)
_LISTING: Final = frozenset({"ls-files", "ls-tree", "diff-tree", "diff-index"})
_BLOBS: Final = frozenset(
    {
        "show",
        "cat-file",
        "archive",
        "checkout",
        "restore",
        "diff",
        "log",
        "blame",
        "annotate",
        "grep",
        "difftool",
    }
)


def git(invocation: Invocation, model: Model) -> list[Effect]:
    """`git [options] subcommand …`."""
    del model
    outer = parse_arguments(invocation.argv, OUTER)
    effects = _configured(outer)
    directory = outer.value("-C")
    if not outer.operands:
        return effects
    name = outer.operands[0]
    if not name.known:
        return [*effects, Note(reason="dynamic_command")]
    arguments = parse_arguments(outer.operands[1:], grammar_of(name.text))
    if any(field.text == PATHS_FOLLOW and field.known for field in outer.operands[1:]):
        arguments = structs.replace(arguments, options=(*arguments.options, (PATHS_FOLLOW, None)))
    inner = _subcommand(name.text, arguments)
    for option in _CODE_OPTIONS:
        for text in arguments.values(option) if name.text not in ("clean", "log", "cherry-pick") else ():
            inner.append(Code(language="sh", text=text, via="git_alias"))
    return [*effects, *(_moved(effect, directory) for effect in inner)]


def _configured(outer: Arguments) -> list[Effect]:
    """`-c name=value` and other places that make git run programs."""
    effects: list[Effect] = []
    for setting in outer.values("-c"):
        name, _, value = setting.text.partition("=")
        effects.extend(executing_setting(name, Field(value, setting.glob)))
    if outer.has("--exec-path") and outer.value("--exec-path") is not None:
        effects.append(Note(reason="program_option:git", dimensions=("exec",)))
    return effects


def _moved(effect: Effect, directory: Field | None) -> Effect:
    """An effect of git run in another directory (`-C`)."""
    if directory is None or not isinstance(effect, Touch) or effect.path.text.startswith(("/", "~")):
        return effect
    path = Field(f"{directory.text.rstrip('/')}/{effect.path.text}", effect.path.glob or directory.glob)
    return Touch(action=effect.action, path=path, tree=effect.tree, possible=effect.possible)


def _subcommand(name: str, arguments: Arguments) -> list[Effect]:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(name, arguments)
    effects: list[Effect] = [Git(sub=name)]
    if name in _BLOBS:
        effects.extend(_blobs(arguments))
    if name in _LISTING or (
        name in ("diff", "show", "log", "status")
        and arguments.has("--name-only", "--name-status", "-s", "--short", "--porcelain")
    ):
        effects.append(Output(names=(Field("**", glob=True),)))
    if name == "rev-parse" and arguments.has("--show-toplevel"):
        effects.append(Output(names=(Field("."),)))
    output = arguments.value("-o", "--output")
    if output is not None and name in ("diff", "log", "show", "format-patch", "archive"):
        effects.append(Touch(action="write", path=output))
    message = arguments.value("-F", "--file")
    if message is not None and message.text != "-":
        effects.append(Touch(action="read", path=message))
    if name == "diff" and arguments.has("--no-index"):
        effects.extend(Touch(action="read", path=path) for path in arguments.operands)
    return effects


def _blobs(arguments: Arguments) -> list[Effect]:
    """`REV:path`, and pathspecs whose content is printed."""
    effects: list[Effect] = []
    for operand in arguments.operands:
        revision, separator, path = operand.text.partition(":")
        if separator and path and not looks_like_url(operand.text) and not revision.startswith("/"):
            effects.append(Touch(action="read", path=Field(path.removeprefix("./") or ".", operand.glob)))
        elif (
            not separator
            and ("/" in operand.text or operand.text.startswith("."))
            and not operand.text.startswith(("origin/", "upstream/", "refs/", "feature/"))
        ):
            effects.append(Touch(action="read", path=operand, possible=True))
    return effects


def _bisect(name: str, arguments: Arguments) -> list[Effect]:
    words = list(arguments.operands)
    if words and words[0].text == "run":
        return [
            Git(sub=name),
            Code(language="sh", text=Field(" ".join(word.text for word in words[1:])), via="git_alias"),
        ]
    return [Git(sub=name)]


_SPECIAL: Final[dict[str, Callable[[str, Arguments], list[Effect]]]] = {
    "push": pushing,
    "pull": fetching,
    "fetch": fetching,
    "clone": fetching,
    "ls-remote": fetching,
    "config": config,
    "clean": clean,
    "rm": removing,
    "mv": moving,
    "checkout": restoring,
    "restore": restoring,
    "switch": restoring,
    "reset": reset,
    "stash": stash,
    "branch": branch,
    "tag": tag,
    "add": adding,
    "stage": adding,
    "apply": applying,
    "am": applying,
    "worktree": worktree,
    "remote": remotes,
    "bisect": _bisect,
    "submodule": submodules,
    "filter-branch": history,
    "filter-repo": history,
    "gc": history,
    "reflog": history,
    "prune": history,
    "update-ref": update_ref,
    "checkout-index": checking_out_index,
    "read-tree": reading_tree,
}
