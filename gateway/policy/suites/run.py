"""Runs suites against an engine and compares what it decides with what they expect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec import structs

from gateway.domain.check import DENY, Check, CheckRequest, Effect, Output, ResourceDecision
from gateway.policy.suites.discover import SuiteFile, load_fixtures
from gateway.policy.suites.filters import Filter
from gateway.policy.suites.matrix import cases_of
from gateway.policy.suites.model import Case, Options, Suite, SuiteFault
from gateway.policy.suites.parse import parse_suite
from gateway.policy.suites.results import Outcome, OutputFailure, SuiteResult
from gateway.policy.suites.values import same

UNKNOWN = "Unknown"
NO_CLOCK = "a policy used a time-based condition, but `now` was not provided in the test options"


class Checker(Protocol):
    """Answers one check with the options of a test."""

    def __call__(self, request: CheckRequest, options: Options) -> tuple[ResourceDecision, bool]:
        """The decision of the one resource, and whether the time was asked for though `options` holds none."""
        ...


def run_suites(
    files: Sequence[SuiteFile], check: Checker, chosen: Filter, *, strict: bool = False
) -> tuple[SuiteResult, ...]:
    """The results of every file. `strict`: every test is evaluated strictly, whatever its options say."""
    return tuple(_run_file(file, check, chosen, strict=strict) for file in files)


def _run_file(file: SuiteFile, check: Checker, chosen: Filter, *, strict: bool) -> SuiteResult:
    try:
        suite = parse_suite(file.data, file.name)
    except SuiteFault as fault:
        return SuiteResult(file=file.name, name=UNKNOWN, error=f"failed to load test suite:{fault}")
    result = SuiteResult(file=file.name, name=suite.name, description=suite.description)
    try:
        cases = cases_of(suite, load_fixtures(file))
    except SuiteFault as fault:
        return structs.replace(result, error=str(fault))
    if suite.skip:
        return structs.replace(result, skipped=True, skip_reason=suite.skip_reason)
    outcomes = [outcome for case in cases for outcome in _run_case(suite, case, check, chosen, strict=strict)]
    return structs.replace(result, outcomes=tuple(outcomes))


def _run_case(suite: Suite, case: Case, check: Checker, chosen: Filter, *, strict: bool) -> Iterable[Outcome]:
    refusal = chosen.refusal(suite.name, case.table, case.principal_name, case.resource_name, case.actions)
    if refusal:
        return [_skipped(case, action, refusal, filtered=True) for action in case.actions]
    if case.skip:
        return [_skipped(case, action, case.skip_reason) for action in case.actions]
    wanted = tuple(filter(chosen.wants_action, case.actions))
    options = structs.replace(case.options, strict_evaluation=True) if strict else case.options
    request = CheckRequest(
        principal=case.principal, checks=(Check(case.resource, wanted),), aux_data=case.aux_data
    )
    decision, clockless = check(request, options)
    found = [
        _outcome(case, action, "RESULT_ERRORED", error=NO_CLOCK)
        if clockless
        else _judge(case, action, decision)
        for action in wanted
    ]
    found += [
        _skipped(case, action, chosen.no_action, filtered=True)
        for action in case.actions
        if action not in wanted
    ]
    return found


def _outcome(case: Case, action: str, result: Any, **fields: Any) -> Outcome:
    return Outcome(
        table=case.table,
        principal=case.principal_name,
        resource=case.resource_name,
        action=action,
        result=result,
        **fields,
    )


def _skipped(case: Case, action: str, reason: str, *, filtered: bool = False) -> Outcome:
    return _outcome(case, action, "RESULT_SKIPPED", skip_reason=reason, filtered=filtered)


def _judge(case: Case, action: str, decision: ResourceDecision) -> Outcome:
    """One action: the effect first, and only when it is right the outputs."""
    outputs = tuple(output for output in decision.outputs if output.action == action)
    expected: Effect = case.effects.get(action, DENY)
    actual = decision.actions[action].effect
    failures = () if expected != actual else _output_failures(case, action, outputs)
    if expected != actual or failures:
        return _outcome(
            case,
            action,
            "RESULT_FAILED",
            expected=expected,
            actual=actual,
            outputs=outputs,
            failures=failures,
        )
    return _outcome(case, action, "RESULT_PASSED", expected=expected, actual=actual, outputs=outputs)


def _output_failures(case: Case, action: str, outputs: Sequence[Output]) -> tuple[OutputFailure, ...]:
    given = {output.src: output for output in outputs}
    failures: list[OutputFailure] = []
    for src, expected in case.outputs.get(action, {}).items():
        output = given.get(src)
        if output is None:
            failures.append(OutputFailure(src=src, expected=expected))
        elif output.error:
            failures.append(OutputFailure(src=src, expected=expected, error=output.error))
        elif not same(expected, output.val):
            failures.append(OutputFailure(src=src, expected=expected, actual=output.val))
    return tuple(failures)
