"""AuthZEN evaluations: merged with their defaults, asked together where they may be, answered in order."""

from __future__ import annotations

import json

import pytest

from gateway.wire.authzen import read_evaluation, read_evaluations, write_evaluations
from gateway.wire.cerbos_errors import CerbosError
from gateway.wire.cerbos_server import RequestLimits
from tests.policy.writing import NOON, engine, resource_policy, rule

POLICIES = engine(
    resource_policy(
        "doc", rule("view"), rule("edit", when="P.attr.level > 2"), rule("own", when="R.attr.owner == P.id")
    )
)
SUBJECT = {"type": "user", "id": "john"}
DOC = {"type": "doc", "id": "1"}


def decisions(limits=None, **fields):
    """The decisions of a batch."""
    evaluations = read_evaluations(json.dumps(fields).encode(), limits or RequestLimits())
    answers = [POLICIES.check(asked.request, NOON) for asked in evaluations.asked]
    return [one["decision"] for one in write_evaluations(evaluations, answers)]


def test_a_subject_without_roles_has_its_type_as_one():
    (asked,) = read_evaluation(
        json.dumps({"subject": SUBJECT, "resource": DOC, "action": {"name": "view"}}).encode()
    ).asked
    assert asked.request.principal.roles == ("user",)


def test_what_authzen_has_no_field_for_rides_in_properties():
    body = {
        "subject": {
            **SUBJECT,
            "properties": {
                "cerbos.roles": ["a", 5, ""],
                "cerbos.policyVersion": "v",
                "cerbos.scope": "s",
                "x": 1,
            },
        },
        "resource": {**DOC, "properties": {"cerbos.scope": "r"}},
        "action": {"name": "view"},
        "context": {"cerbos.requestId": "q", "cerbos.auxData": {"jwt": {"token": "t", "keySetId": "k"}}},
    }
    (asked,) = read_evaluation(json.dumps(body).encode()).asked
    principal, resource = asked.request.principal, asked.request.checks[0].resource
    assert (principal.roles, principal.policy_version, principal.scope, principal.attr["x"]) == (
        ("a",),
        "v",
        "s",
        1.0,
    )
    assert (resource.scope, asked.request.request_id, asked.token.text, asked.token.key_set) == (
        "r",
        "q",
        "t",
        "k",
    )


def test_each_evaluation_takes_what_it_lacks_from_the_request():
    assert decisions(
        subject=SUBJECT, resource=DOC, action={"name": "view"},
        evaluations=[{}, {"action": {"name": "zap"}}, {"resource": {"type": "other", "id": "2"}}],
    ) == [True, False, False]  # fmt: skip


def test_subjects_and_resources_of_one_id_and_other_properties_are_not_mixed_up():
    def subject(level):
        return {**SUBJECT, "properties": {"level": level}}

    def doc(owner):
        return {**DOC, "properties": {"owner": owner}}

    edit, own = {"action": {"name": "edit"}}, {"action": {"name": "own"}}
    assert decisions(
        subject=SUBJECT, resource=DOC,
        evaluations=[
            {**edit, "subject": subject(1)}, {**edit, "subject": subject(3)},
            {**own, "resource": doc("mary")}, {**own, "resource": doc("john")},
        ],
    ) == [False, True, False, True]  # fmt: skip


@pytest.mark.parametrize(
    ("semantic", "expected"),
    [
        ("", [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_a_semantic_says_when_to_stop(semantic, expected):
    evaluations = [{"action": {"name": name}} for name in ("view", "zap", "view")]
    assert (
        decisions(
            subject=SUBJECT, resource=DOC, evaluations=evaluations, options={"evaluations_semantic": semantic}
        )
        == expected
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subject": SUBJECT, "resource": DOC, "evaluations": [{}]}, "validation error: either the default action must be set or all evaluations must have an action"),
        ({"subject": SUBJECT, "resource": DOC, "evaluations": []}, "validation error: evaluations: must contain at least 1 item(s)"),
        (
            {"subject": SUBJECT, "resource": DOC, "action": {"name": "a"}, "evaluations": [{}], "options": {"evaluations_semantic": "x"}},
            "validation error: options.evaluations_semantic: must be in list [, execute_all, deny_on_first_deny, permit_on_first_permit]",
        ),
        ({"subject": SUBJECT, "resource": DOC, "action": {"name": "a"}, "evaluations": [{}], "context": {"cerbos.auxData": 5}}, "invalid auxData"),
    ],
)  # fmt: skip
def test_an_incomplete_batch_is_refused_in_the_pdps_words(fields, message):
    with pytest.raises(CerbosError) as caught:
        decisions(**fields)
    assert caught.value.message == message


def test_limits_hold_for_the_whole_batch():
    with pytest.raises(CerbosError, match="exceeds configured limit"):
        decisions(
            RequestLimits(actions_per_resource=1, resources_per_request=2),
            subject=SUBJECT, resource=DOC, action={"name": "view"}, evaluations=[{}] * 3,
        )  # fmt: skip


def test_the_response_context_holds_the_check_where_it_is_asked_for():
    body = {
        "subject": SUBJECT,
        "resource": DOC,
        "action": {"name": "view"},
        "context": {"cerbos.includeMeta": True},
    }
    evaluations = read_evaluation(json.dumps(body).encode())
    (decision,) = write_evaluations(evaluations, [POLICIES.check(evaluations.asked[0].request, NOON)])
    assert decision["context"]["cerbos.response"]["results"][0]["actions"] == {"view": "EFFECT_ALLOW"}
