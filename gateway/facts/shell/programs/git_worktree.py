"""Subcommands of git that change the work tree, branches and history.

Source: the manuals of git 2.39.
"""

from __future__ import annotations

from gateway.facts.shell.effects import Effect, Git, Note, Touch, Trait
from gateway.facts.shell.options import Arguments
from gateway.facts.shell.values import Field


def clean(name: str, arguments: Arguments) -> list[Effect]:
    """`git clean` deletes what is not tracked."""
    effects: list[Effect] = [Git(sub=name, force=arguments.has("-f", "--force"))]
    if not arguments.has("-n", "--dry-run"):
        paths = arguments.operands or (Field("."),)
        effects.extend(Touch(action="delete", path=path, tree=True) for path in paths)
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
    branch = arguments.value("-b", "-B", "-c", "-C", "--orphan")
    hard = arguments.has("-f", "--force", "--discard-changes")
    effects: list[Effect] = [
        Git(sub=name, force=hard, hard=hard, refs=(branch.text,) if branch is not None else ())
    ]
    if name == "switch" or branch is not None:
        return effects
    staged = name == "restore" and arguments.has("--staged", "-S") and not arguments.has("--worktree", "-W")
    for operand in arguments.operands:
        text = operand.text
        looks = "/" in text or "." in text or operand.glob
        if staged:
            effects.append(Touch(action="list", path=operand))
        elif name == "restore" or (looks and not text.startswith(("origin/", "upstream/", "refs/"))):
            whole = text in (".", ":/", "*", ":")
            effects.append(Touch(action="write", path=Field(".") if whole else operand, tree=whole))
            if whole:
                effects.append(Trait(name="destructive"))
    return effects


def reset(name: str, arguments: Arguments) -> list[Effect]:
    """`git reset`: with `--hard` the work tree is overwritten."""
    hard = arguments.has("--hard", "--merge", "--keep")
    effects: list[Effect] = [Git(sub=name, hard=arguments.has("--hard"))]
    if hard:
        effects.extend(
            (Touch(action="write", path=Field("."), tree=True, possible=True), Trait(name="destructive"))
        )
    return effects


def stash(name: str, arguments: Arguments) -> list[Effect]:
    """`git stash`: dropped stashes are gone."""
    verb = arguments.operands[0].text if arguments.operands else "push"
    effects: list[Effect] = [Git(sub=name, delete=verb in ("drop", "clear"))]
    if verb in ("drop", "clear"):
        effects.append(Trait(name="destructive"))
    return effects


def branch(name: str, arguments: Arguments) -> list[Effect]:
    """`git branch`: which branches are made, moved or deleted."""
    delete = arguments.has("-d", "-D", "--delete")
    force = arguments.has("-D", "-M", "-f", "--force", "-C")
    changes = delete or force or arguments.has("-m", "-c")
    refs = tuple(operand.text for operand in arguments.operands) if changes else ()
    effects: list[Effect] = [Git(sub=name, refs=refs, delete=delete, force=force)]
    if delete and force:
        effects.append(Trait(name="destructive"))
    return effects


def tag(name: str, arguments: Arguments) -> list[Effect]:
    """`git tag`."""
    delete = arguments.has("-d", "--delete")
    return [
        Git(
            sub=name,
            refs=tuple(operand.text for operand in arguments.operands),
            delete=delete,
            force=arguments.has("-f", "--force"),
        )
    ]


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
        effects.append(Note(reason="patch_target", dimensions=("write",)))
    return effects


def worktree(name: str, arguments: Arguments) -> list[Effect]:
    """`git worktree`: whole trees come and go."""
    words = list(arguments.operands)
    effects: list[Effect] = [Git(sub=name)]
    if words and words[0].text == "add" and len(words) > 1:
        effects.append(Touch(action="write", path=words[1], tree=True))
    if words and words[0].text in ("remove", "move"):
        effects.extend(Touch(action="delete", path=path, tree=True) for path in words[1:2])
    return effects


def history(name: str, arguments: Arguments) -> list[Effect]:
    """Commands that rewrite or drop history."""
    expires = name in ("gc", "reflog", "prune") and (
        arguments.has("--expire", "--prune", "--expire-unreachable") or name == "prune"
    )
    effects: list[Effect] = [Git(sub=name, force=name in ("filter-branch", "filter-repo", "update-ref"))]
    if name in ("filter-branch", "filter-repo") or expires:
        effects.append(Trait(name="irreversible"))
    return effects
