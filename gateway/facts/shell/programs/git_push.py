"""`git push`: which refs of which remote change, by force or by deletion.

Source: git-push(1) 2.39, refspecs.
"""

from __future__ import annotations

from gateway.facts.shell.effects import Effect, Git, Note, Trait
from gateway.facts.shell.options import Arguments
from gateway.facts.shell.values import Field

_LEASED = ("--force-with-lease", "--force-if-includes")
_FORCED = ("-f", "--force", "--mirror")


def push(arguments: Arguments) -> list[Effect]:
    """The operation of a push, refs as destination branch names."""
    remote = arguments.value("--repo") or (arguments.operands[0] if arguments.operands else Field(""))
    forced = arguments.has(*_FORCED)
    leased = arguments.has(*_LEASED)
    deleted = arguments.has("-d", "--delete", "--prune", "--mirror")
    refs: list[str] = []
    effects: list[Effect] = []
    for spec in arguments.operands[1:]:
        if not spec.known:
            effects.append(Note(reason="unknown_ref", dimensions=("git",)))
            continue
        text = spec.text
        if text == "tag":
            continue
        forced = forced or text.startswith("+")
        source, separator, target = text.removeprefix("+").partition(":")
        deleted = deleted or (bool(separator) and not source)
        refs.append(branch_of(target if separator and target else source))
    every = arguments.has("--all", "--mirror", "--branches")
    effects.append(
        Git(
            sub="push",
            remote=remote.text,
            refs=tuple(refs),
            default_ref=not refs and not every and not arguments.has("--tags"),
            force=forced or leased,
            delete=deleted,
            all=every,
            # A lease holds back what the caller has not seen; without one the work of others goes.
            discards=(forced or deleted) and not arguments.has("-n", "--dry-run"),
        )
    )
    if not arguments.has("-n", "--dry-run"):
        effects.append(Trait(name="remote_state"))
    return effects


def branch_of(ref: str) -> str:
    """A ref as people name it."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("heads/")
