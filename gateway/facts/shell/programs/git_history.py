"""Subcommands of git that move or drop branches, tags, stashes and history.

Source: the manuals of git 2.39.
"""

from __future__ import annotations

from gateway.facts.shell.effects import Effect, Git, Touch, Trait
from gateway.facts.shell.options import Arguments
from gateway.facts.shell.values import Field

_LATER = ("never", "false")
"""Values of `--prune` and `--expire` that drop nothing."""


def reset(name: str, arguments: Arguments) -> list[Effect]:
    """`git reset`: with `--hard` the work tree is overwritten."""
    hard = arguments.has("--hard", "--merge", "--keep")
    lost = arguments.has("--hard", "--merge")
    effects: list[Effect] = [Git(sub=name, hard=arguments.has("--hard"), discards=lost)]
    if hard:
        effects.extend(
            (Touch(action="write", path=Field("."), tree=True, possible=True), Trait(name="destructive"))
        )
    return effects


def stash(name: str, arguments: Arguments) -> list[Effect]:
    """`git stash`: dropped stashes are gone."""
    verb = arguments.operands[0].text if arguments.operands else "push"
    effects: list[Effect] = [
        Git(sub=name, delete=verb in ("drop", "clear"), discards=verb in ("drop", "clear"))
    ]
    if verb in ("drop", "clear"):
        effects.append(Trait(name="destructive"))
    return effects


def branch(name: str, arguments: Arguments) -> list[Effect]:
    """`git branch`: which branches are made, moved or deleted."""
    delete = arguments.has("-d", "-D", "--delete")
    force = arguments.has("-D", "-M", "-f", "--force", "-C")
    changes = delete or force or arguments.has("-m", "-c")
    refs = tuple(operand.text for operand in arguments.operands) if changes else ()
    effects: list[Effect] = [Git(sub=name, refs=refs, delete=delete, force=force, discards=delete and force)]
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


def history(name: str, arguments: Arguments) -> list[Effect]:
    """Commands that rewrite history, or drop what no ref holds any more and only the reflog knew."""
    rewrites = name in ("filter-branch", "filter-repo")
    drops = rewrites or (name == "prune" and not arguments.has("-n", "--dry-run"))
    if name in ("gc", "reflog"):
        verb = arguments.operands[0].text if arguments.operands else ""
        expiry = [
            option
            for option in ("--expire", "--expire-unreachable", "--prune")
            if arguments.has(option) and not _keeps(arguments.value(option))
        ]
        drops = verb == "delete" or (bool(expiry) and not arguments.has("-n", "--dry-run"))
    effects: list[Effect] = [Git(sub=name, force=rewrites, discards=drops)]
    if drops:
        effects.append(Trait(name="irreversible"))
    return effects


def update_ref(name: str, arguments: Arguments) -> list[Effect]:
    """`git update-ref` moves or deletes a ref without any check."""
    delete = arguments.has("-d", "--delete")
    refs = tuple(operand.text for operand in arguments.operands[:1])
    return [Git(sub=name, refs=refs, force=True, delete=delete, discards=delete)]


def _keeps(value: Field | None) -> bool:
    return value is None or value.text in _LATER
