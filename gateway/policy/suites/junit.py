"""Test results as JUnit XML, with the elements and attributes that `cerbos compile --test-output=junit` writes."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gateway.policy.suites.results import Outcome, SuiteResult, all_outcomes, counts
from gateway.policy.suites.text import shown


def junit(suites: Sequence[SuiteResult]) -> str:
    """The XML document."""
    tallies = counts(all_outcomes(suites))
    root = Element(
        "testsuites",
        {
            "errors": str(tallies.get("RESULT_ERRORED", 0) + sum(bool(suite.error) for suite in suites)),
            "failures": str(tallies.get("RESULT_FAILED", 0)),
            "skipped": str(tallies.get("RESULT_SKIPPED", 0) + sum(suite.skipped for suite in suites)),
            "tests": str(sum(tallies.values())),
        },
    )
    for suite in suites:
        _suite(root, suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _suite(root: Element, suite: SuiteResult) -> None:
    tallies = counts(suite.outcomes)
    attributes = {"description": suite.description} if suite.description else {}
    attributes |= {
        "name": suite.name,
        "file": suite.file,
        "errors": str(tallies.get("RESULT_ERRORED", 0) + bool(suite.error)),
        "failures": str(tallies.get("RESULT_FAILED", 0)),
        "skipped": str(tallies.get("RESULT_SKIPPED", 0) + suite.skipped),
        "tests": str(sum(tallies.values())),
    }
    element = SubElement(root, "testsuite", attributes)
    if suite.error:
        SubElement(element, "error", {"type": "RESULT_ERRORED"}).text = suite.error
    SubElement(element, "properties")
    for outcome in suite.outcomes:
        if not outcome.filtered:
            _case(element, suite.file, outcome)


def _case(parent: Element, file: str, outcome: Outcome) -> None:
    case = SubElement(
        parent,
        "testcase",
        {
            "file": file,
            "classname": f"{outcome.principal}.{outcome.resource}.{outcome.action}",
            "name": outcome.table,
        },
    )
    if outcome.result == "RESULT_SKIPPED":
        SubElement(case, "skipped", {"message": outcome.skip_reason or "This test was skipped"})
    elif outcome.result == "RESULT_ERRORED":
        SubElement(case, "error", {"type": outcome.result}).text = outcome.error
    elif outcome.result == "RESULT_FAILED":
        _failure(case, outcome)
    properties = SubElement(case, "properties")
    for name, value in (
        ("principal", outcome.principal),
        ("resource", outcome.resource),
        ("action", outcome.action),
    ):
        SubElement(properties, "property", {"name": name}).text = value


def _failure(case: Element, outcome: Outcome) -> None:
    what = "Output" if outcome.failures else "Effect"
    failure = SubElement(
        case, "failure", {"type": outcome.result, "message": f"{what} expectation unsatisfied"}
    )
    if outcome.failures:
        outputs = SubElement(failure, "outputs")
        for wrong in outcome.failures:
            output = SubElement(outputs, "output", {"src": wrong.src})
            SubElement(output, "expected").text = shown(wrong.expected)
            actual = SubElement(output, "actual")
            if not wrong.missing:
                actual.text = wrong.error or shown(wrong.actual)
    SubElement(failure, "actual").text = str(outcome.actual)
    SubElement(failure, "expected").text = str(outcome.expected)
