"""Results of suites, and the JSON that `cerbos compile --output=json` prints for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from gateway.domain.check import Effect, Output
from gateway.policy.suites.model import RESULTS, Result
from gateway.policy.suites.values import plain_numbers

_ABSENT = object()


class OutputFailure(Struct, frozen=True, kw_only=True):
    """One expected output that did not come as expected: missing, another value, or an error."""

    src: str
    expected: Any
    actual: Any = _ABSENT
    error: str = ""

    @property
    def missing(self) -> bool:
        """Whether no output of that source came at all."""
        return self.actual is _ABSENT and not self.error


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of one action of one case."""

    table: str
    principal: str
    resource: str
    action: str
    result: Result
    expected: Effect | None = None
    actual: Effect | None = None
    outputs: tuple[Output, ...] = ()
    failures: tuple[OutputFailure, ...] = ()
    error: str = ""
    skip_reason: str = ""
    filtered: bool = False
    """Skipped by the caller's filter: shown, not counted."""


class SuiteResult(Struct, frozen=True, kw_only=True):
    """The results of one file; `error` is set when it could not be run."""

    file: str
    name: str
    description: str = ""
    outcomes: tuple[Outcome, ...] = ()
    error: str = ""
    skipped: bool = False
    skip_reason: str = ""

    @property
    def result(self) -> Result | None:
        """The worst result; None for a suite in which nothing was run."""
        if self.error:
            return "RESULT_ERRORED"
        return worst([*(outcome.result for outcome in self.outcomes), *(["RESULT_SKIPPED"] * self.skipped)])  # type: ignore[list-item]  # a Result


def worst(results: Iterable[Result]) -> Result | None:
    """The worst of some results, None of none."""
    found = set(results)
    return next((result for result in reversed(RESULTS) if result in found), None)


def counts(outcomes: Iterable[Outcome]) -> dict[Result, int]:
    """How many outcomes there are of each result, from best to worst, none left at zero; filtered ones do not count."""
    found: dict[Result, int] = dict.fromkeys(RESULTS, 0)
    for outcome in outcomes:
        found[outcome.result] += not outcome.filtered
    return {result: number for result, number in found.items() if number}


def all_outcomes(suites: Iterable[SuiteResult]) -> Iterator[Outcome]:
    """The outcomes of all suites."""
    for suite in suites:
        yield from suite.outcomes


def succeeded(suites: Sequence[SuiteResult]) -> bool:
    """Whether nothing failed and nothing was in error."""
    return worst(result for suite in suites if (result := suite.result)) not in {
        "RESULT_FAILED",
        "RESULT_ERRORED",
    }


def to_json(suites: Sequence[SuiteResult]) -> dict[str, Any]:
    """Cerbos' `TestResults` message."""
    found: dict[str, Any] = {}
    if suites:
        found["suites"] = [_suite(suite) for suite in suites]
    overall = worst(result for suite in suites if (result := suite.result))
    found["summary"] = _summary(list(all_outcomes(suites)), overall)
    return found


def _summary(outcomes: Sequence[Outcome], overall: Result | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if overall:
        found["overallResult"] = overall
    tallies = counts(outcomes)
    if tallies:
        found["testsCount"] = sum(tallies.values())
        found["resultCounts"] = [{"result": result, "count": number} for result, number in tallies.items()]
    return found


def _suite(suite: SuiteResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "file": suite.file,
        "name": suite.name,
        "summary": _summary(suite.outcomes, suite.result),
    }
    if suite.error:
        found["error"] = suite.error
    tree = grouped(suite.outcomes)
    if tree:
        found["testCases"] = [
            {
                "name": table,
                "principals": [
                    {
                        "name": principal,
                        "resources": [
                            {
                                "name": resource,
                                "actions": [
                                    {"name": outcome.action, "details": _details(outcome)}
                                    for outcome in outcomes
                                ],
                            }
                            for resource, outcomes in resources.items()
                        ],
                    }
                    for principal, resources in principals.items()
                ],
            }
            for table, principals in tree.items()
        ]
    if suite.description:
        found["description"] = suite.description
    if suite.skip_reason:
        found["skipReason"] = suite.skip_reason
    return found


def grouped(outcomes: Iterable[Outcome]) -> dict[str, dict[str, dict[str, list[Outcome]]]]:
    """Outcomes by table, principal and resource, in the order they were run."""
    tree: dict[str, dict[str, dict[str, list[Outcome]]]] = {}
    for outcome in outcomes:
        resources = tree.setdefault(outcome.table, {}).setdefault(outcome.principal, {})
        resources.setdefault(outcome.resource, []).append(outcome)
    return tree


def _details(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"result": outcome.result}
    if outcome.result == "RESULT_SKIPPED":
        found["skipReason"] = outcome.skip_reason
    elif outcome.result == "RESULT_ERRORED":
        found["error"] = outcome.error
    elif outcome.result == "RESULT_PASSED":
        found["success"] = {"effect": outcome.actual}
        if outcome.outputs:
            found["success"]["outputs"] = [_output(output) for output in outcome.outputs]
    else:
        found["failure"] = {"expected": outcome.expected, "actual": outcome.actual}
        if outcome.failures:
            found["failure"]["outputs"] = [_output_failure(failure) for failure in outcome.failures]
    return found


def _output(output: Output) -> dict[str, Any]:
    found: dict[str, Any] = {"src": output.src}
    if output.error:
        found["action"] = output.action
        found["error"] = output.error
        return found
    found["val"] = plain_numbers(output.val)
    found["action"] = output.action
    return found


def _output_failure(failure: OutputFailure) -> dict[str, Any]:
    found: dict[str, Any] = {"src": failure.src} if failure.src else {}
    expected = plain_numbers(failure.expected)
    if failure.error:
        found["errored"] = {"expected": expected, "error": failure.error}
    elif failure.missing:
        found["missing"] = {"expected": expected}
    else:
        found["mismatched"] = {"expected": expected, "actual": plain_numbers(failure.actual)}
    return found
