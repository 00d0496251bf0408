"""Test results for people: a tree with lines or an indented list, as `cerbos compile` prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct

from gateway.policy.suites.model import Result
from gateway.policy.suites.results import Outcome, OutputFailure, SuiteResult, all_outcomes, counts, grouped
from gateway.policy.suites.values import plain_numbers

Paint = Callable[[str, Result], str]
"""Gives a word the colour of a result."""

_WORDS: dict[Result, str] = {
    "RESULT_SKIPPED": "SKIPPED",
    "RESULT_PASSED": "OK",
    "RESULT_FAILED": "FAILED",
    "RESULT_ERRORED": "ERROR",
}


class Branch(Struct, frozen=True):
    """A line and the lines below it."""

    label: str
    below: tuple[Branch, ...] = ()


def uncoloured(text: str, _result: Result) -> str:
    """The paint of a pipe."""
    return text


def report(
    suites: Sequence[SuiteResult], *, tree: bool, verbose: bool = False, paint: Paint = uncoloured
) -> str:
    """The whole report. What passed is left out unless `verbose`."""
    branches = [
        branch for suite in suites if (branch := _suite(suite, verbose=verbose, paint=paint)) is not None
    ]
    lines = ["Test results"]
    lines += _tree(branches, "") if tree else _list(branches, "")
    tallies = counts(all_outcomes(suites))
    words = _tally(tallies, paint)
    lines += ["", f"{sum(tallies.values())} tests executed{f' {words}' if words else ''}"]
    return "\n".join(lines)


def _suite(suite: SuiteResult, *, verbose: bool, paint: Paint) -> Branch | None:
    title = f"{suite.name} ({suite.file})"
    if suite.error:
        return Branch(f"{title} {_word('RESULT_ERRORED', paint)}", (Branch(suite.error),))
    if suite.skipped:
        reason = f": {suite.skip_reason}" if suite.skip_reason else ""
        return Branch(f"{title} {_word('RESULT_SKIPPED', paint)}{reason}") if verbose else None
    shown = [
        outcome
        for outcome in suite.outcomes
        if verbose or not (outcome.filtered or outcome.result == "RESULT_PASSED")
    ]
    if not shown:
        return None
    below = tuple(
        Branch(
            table,
            tuple(
                Branch(
                    principal,
                    tuple(
                        Branch(resource, tuple(_action(outcome, paint) for outcome in outcomes))
                        for resource, outcomes in resources.items()
                    ),
                )
                for principal, resources in principals.items()
            ),
        )
        for table, principals in grouped(shown).items()
    )
    return Branch(f"{title} {_tally(counts(suite.outcomes), paint)}", below)


def _action(outcome: Outcome, paint: Paint) -> Branch:
    label = f"{outcome.action} {_word(outcome.result, paint)}"
    if outcome.result == "RESULT_SKIPPED":
        return Branch(label)
    if outcome.result == "RESULT_ERRORED":
        return Branch(label, (Branch(f"ERROR: {outcome.error}"),))
    if outcome.failures:
        below = tuple(map(_output_failure, outcome.failures))
        return Branch(label, (Branch("OUTCOME: output expectation unsatisfied", below),))
    if outcome.result == "RESULT_FAILED":
        return Branch(label, (Branch(f"OUTCOME: expected: {outcome.expected}, actual: {outcome.actual}"),))
    below = (Branch(f"RESULT: {outcome.actual}"),)
    if outcome.outputs:
        outputs = tuple(
            Branch(output.src, (Branch(f"ERROR: {output.error}" if output.error else shown(output.val)),))
            for output in outcome.outputs
        )
        below += (Branch("OUTPUTS:", outputs),)
    return Branch(label, below)


def _output_failure(failure: OutputFailure) -> Branch:
    actual = (
        "MISSING"
        if failure.missing
        else f"ERROR: {failure.error}"
        if failure.error
        else shown(failure.actual)
    )
    return Branch(failure.src, (Branch(f"EXPECTED: {shown(failure.expected)}"), Branch(f"ACTUAL: {actual}")))


def shown(value: object) -> str:
    """A JSON value on one line."""
    return msgspec.json.encode(plain_numbers(value), order="sorted").decode()


def _word(result: Result, paint: Paint) -> str:
    return paint(f"[{_WORDS[result]}]", result)


def _tally(tallies: dict[Result, int], paint: Paint) -> str:
    return " ".join(paint(f"[{number} {_WORDS[result]}]", result) for result, number in tallies.items())


def _tree(branches: Sequence[Branch], margin: str) -> Iterator[str]:
    for number, branch in enumerate(branches, 1):
        last = number == len(branches)
        label = branch.label.replace("\n", f"\n{margin}{'  ' if last else '│ '}   ")
        yield f"{margin}{'└' if last else '├'}─{'┬' if branch.below else '─'}{label}"
        yield from _tree(branch.below, margin + ("  " if last else "│ "))


def _list(branches: Sequence[Branch], margin: str) -> Iterator[str]:
    for branch in branches:
        yield margin + branch.label.replace("\n", f"\n{margin}")
        yield from _list(branch.below, f"{margin}  ")
