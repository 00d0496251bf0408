"""Subcommands of git that change the work tree.

Source: the manuals of git 2.39.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Effect, Git, Indirect, Note, Touch, Trait
from gateway.facts.shell.options import Arguments
from gateway.facts.shell.values import Field

PATHS_FOLLOW: Final = "--"
"""Stands among the options where the command separates its paths from the rest."""
_WHOLE: Final = frozenset({".", "./", ":/", "*", ":"})
_FILE_NAME: Final = re.compile(r"(?:^|/)[^/]+\.[a-z]{1,5}$")


def clean(name: str, arguments: Arguments) -> list[Effect]:
    """`git clean` deletes what is not tracked; without `-f` git refuses to."""
    forced = arguments.has("-f", "--force")
    if arguments.has("-n", "--dry-run"):
        return [Git(sub=name, force=forced)]
    effects: list[Effect] = [Git(sub=name, force=forced, hard=forced, discards=forced)]
    paths = arguments.operands or (Field("."),)
    # What is in a directory goes, as far as it is not tracked; the directory itself stays.
    for path in paths:
        effects.append(Touch(action="delete", path=Field(f"{path.text.rstrip('/')}/*", glob=True)))
        effects.append(Touch(action="delete", path=path, tree=True, possible=True))
    effects.append(Trait(name="destructive"))
    return effects


def removing(name: str, arguments: Arguments) -> list[Effect]:
    """`git rm` deletes tracked files."""
    action = "read" if arguments.has("--cached", "-n", "--dry-run") else "delete"
    effects: list[Effect] = [Git(sub=name)]
    effects.extend(
        Touch(action="list" if action == "read" else "delete", path=path) for path in arguments.operands
    )
    return effects


def moving(name: str, arguments: Arguments) -> list[Effect]:
    """`git mv`."""
    effects: list[Effect] = [Git(sub=name)]
    if len(arguments.operands) > 1:
        effects.extend(Touch(action="delete", path=path) for path in arguments.operands[:-1])
        effects.append(Touch(action="write", path=arguments.operands[-1]))
    return effects


def restoring(name: str, arguments: Arguments) -> list[Effect]:
    """`checkout`, `restore`, `switch`: files of the work tree are overwritten."""
    branch = arguments.value("-b", "-B", "-c", "-C", "--orphan", "--create", "--force-create")
    hard = arguments.has("-f", "--force", "--discard-changes")
    if name == "switch" or branch is not None:
        refs = (branch.text,) if branch is not None else ()
        return [Git(sub=name, force=hard, hard=hard, discards=hard, refs=refs)]
    staged = name == "restore" and arguments.has("--staged", "-S") and not arguments.has("--worktree", "-W")
    effects: list[Effect] = []
    for operand in arguments.operands:
        text = operand.text
        looks = "/" in text or "." in text or operand.glob
        if staged:
            effects.append(Touch(action="list", path=operand))
        elif name == "restore" or (looks and not text.startswith(("origin/", "upstream/", "refs/"))):
            whole = text in _WHOLE
            effects.append(Touch(action="write", path=Field(".") if whole else operand, tree=whole))
            if whole:
                effects.append(Trait(name="destructive"))
    discards = hard or (not staged and _overwrites(name, arguments))
    return [Git(sub=name, force=hard, hard=hard, discards=discards), *effects]


def _overwrites(name: str, arguments: Arguments) -> bool:
    """Whether files are named whose changes would be overwritten.

    One operand of `checkout` may be a branch: it is taken for a path only where no branch is called like it. With `--ours`
    and `--theirs` the files hold a conflict, and with `-p` a person picks.
    """
    if arguments.has("--ours", "--theirs", "--ignore-skip-worktree-bits", "-p", "--patch", "-h", "--help"):
        return False
    if arguments.has("--pathspec-from-file"):
        return True
    operands = arguments.operands
    if name == "restore" or len(operands) > 1:
        return bool(operands)
    if not operands:
        return False
    text = operands[0].text
    return arguments.has(PATHS_FOLLOW) or text in _WHOLE or bool(_FILE_NAME.search(text))


def checking_out_index(name: str, arguments: Arguments) -> list[Effect]:
    """`git checkout-index`: with `-f` files are overwritten by what is staged."""
    forced = arguments.has("-f", "--force")
    effects: list[Effect] = [Git(sub=name, force=forced, discards=forced)]
    effects.extend(Touch(action="write", path=path) for path in arguments.operands)
    return effects


def reading_tree(name: str, arguments: Arguments) -> list[Effect]:
    """`git read-tree`: with `--reset -u` the work tree is overwritten."""
    hard = arguments.has("--reset") and arguments.has("-u")
    return [Git(sub=name, hard=hard, discards=hard)]


def adding(name: str, arguments: Arguments) -> list[Effect]:
    """`git add`: what is named is read into the index."""
    effects: list[Effect] = [
        Git(sub=name, all=arguments.has("-A", "--all", "-u"), force=arguments.has("-f", "--force"))
    ]
    for path in arguments.operands:
        effects.append(Touch(action="read", path=path, possible=path.text in (".", "*")))
    return effects


def applying(name: str, arguments: Arguments) -> list[Effect]:
    """`git apply` and `git am`: what they write stands in the patch."""
    effects: list[Effect] = [Git(sub=name)]
    effects.extend(Touch(action="read", path=path) for path in arguments.operands if path.text != "-")
    if not arguments.has(
        "--check", "--stat", "--numstat", "--summary", "--abort", "--quit", "--show-current-patch"
    ):
        effects.extend(_patching(arguments))
    return effects


def _patching(arguments: Arguments) -> list[Effect]:
    """What the files of a patch change: git keeps to the working directory unless it is told otherwise."""
    files = arguments.operands or (Field("-"),)
    if arguments.has("--unsafe-paths", "--directory") or not all(path.known for path in files):
        return [Note(reason="patch_target", dimensions=("write",))]
    return [
        Touch(action="write", path=Field("."), tree=True, possible=True),
        *(Indirect(kind="patch_file", name=path.text) for path in files),
    ]


def worktree(name: str, arguments: Arguments) -> list[Effect]:
    """`git worktree`: whole trees come and go."""
    words = list(arguments.operands)
    verb = words[0].text if words else ""
    forced = arguments.has("-f", "--force")
    effects: list[Effect] = [Git(sub=name, force=forced, discards=forced and verb == "remove")]
    if words and words[0].text == "add" and len(words) > 1:
        effects.append(Touch(action="write", path=words[1], tree=True, worktree=True))
    if words and words[0].text in ("remove", "move"):
        # Without `-f` git removes no work tree that holds changes.
        effects.extend(
            Touch(action="delete", path=path, tree=forced, worktree=not forced) for path in words[1:2]
        )
    return effects
