"""The whole lint of a policy set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.policy.lint.checks_form import check_consent, check_form, check_shadows
from gateway.policy.lint.checks_names import check_names
from gateway.policy.lint.checks_trust import check_command_text, check_trust
from gateway.policy.lint.findings import Finding, Findings, Rule
from gateway.policy.lint.subjects import subjects
from gateway.policy.lint.words import Words
from gateway.policy.model import Document, ResourcePolicy
from gateway.policy.problems import Place
from gateway.policy.report import inside


def lint(
    documents: Sequence[Document],
    words: Words,
    shipped: frozenset[str] = frozenset(),
    covered: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Every finding of a set that compiles, by place.

    `shipped` names the files that belong to packs, `covered` the kinds that policies beside this set speak about.
    """
    findings = Findings(shipped)
    everything = subjects(documents)
    for subject in everything:
        check_names(subject, words, findings)
        check_trust(subject, words, findings)
        check_command_text(subject, words, findings)
        check_form(subject, words, findings, shipped=subject.rule.place.file in shipped)
    check_shadows(everything, findings)
    for document in documents:
        check_consent(document, words, findings)
    _check_coverage(documents, covered, words, findings)
    return findings.found


def kinds_of(documents: Iterable[Document]) -> frozenset[str]:
    """The kinds that a set has rules about."""
    return frozenset(
        document.name for document in documents if isinstance(document, ResourcePolicy) and document.rules
    )


def _check_coverage(
    documents: Sequence[Document], covered: frozenset[str], words: Words, findings: Findings
) -> None:
    kinds = kinds_of(documents) | covered
    for event in words.decided_events:
        if event not in kinds:
            findings.add(
                Rule.EVENT_UNCOVERED,
                Place(),
                f"No policy speaks about the event {event}: it is decided by its operations alone.",
                "Nothing to do, unless whole calls should be decided.",
            )
    for kind in words.operations:
        if kind not in kinds:
            findings.add(
                Rule.KIND_UNCOVERED,
                Place(),
                f"No policy speaks about operations of the kind {kind}: no_policy.operation decides them.",
                f"Write a resourcePolicy for {kind}.",
            )


def to_json(findings: Sequence[Finding], roots: Sequence[str]) -> dict[str, Any]:
    """`{lintErrors: {errors: [{file, error, description, position, code, severity, remedy}]}}`, {} for none."""
    errors: list[dict[str, Any]] = []
    for finding in findings:
        error: dict[str, Any] = {
            "file": inside(finding.place.file, roots),
            "error": finding.rule.title,
            "description": finding.message,
            "code": finding.rule.code,
            "severity": finding.severity,
            "remedy": finding.remedy,
        }
        if finding.place.line:
            error["position"] = {"line": finding.place.line, "column": finding.place.column}
        errors.append(error)
    return {"lintErrors": {"errors": errors}} if errors else {}
