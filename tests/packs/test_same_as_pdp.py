"""The embedded engine and the real PDP 0.55 say the same of the shipped packs: effects, policies, outputs."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.pdp.local import LocalPdp
from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.principal import Principal
from gateway.wire.cerbos import decode_check_response, encode_check_request
from tests.packs.operations import OPERATIONS, PRINCIPALS, request
from tests.support.enforcement import shipped_engine
from tests.support.processes import CerbosProcess

pytestmark = pytest.mark.pdp
LOCAL = LocalPdp(shipped_engine(), lambda: 1_700_000_000_000_000_000)
WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3), st.lists(st.text(max_size=3))
)


def remote(pdp: CerbosProcess, question: CheckRequest) -> CheckAnswer:
    """The real PDP's answer."""
    call = urllib.request.Request(
        f"{pdp.url}/api/check/resources",
        data=encode_check_request(question),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(call, timeout=20) as reply:
        return decode_check_response(reply.read(), question)


def told(answer: CheckAnswer) -> list[Any]:
    """What both must agree on, check by check."""
    return [
        (
            {
                action: (given_action.effect, given_action.matched_policy)
                for action, given_action in result.actions.items()
            },
            sorted((output.src, output.action, repr(output.val)) for output in result.outputs),
        )
        for result in answer.results
    ]


def agree(
    pdp: CerbosProcess, principal: Principal, operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    question = request(principal, *operations)
    assert told(LOCAL.decide_now(question)) == told(remote(pdp, question))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow]
)
@given(principal=PRINCIPALS, operations=st.lists(OPERATIONS, min_size=1, max_size=40))
def test_of_operations_as_the_gateway_makes_them(cerbos, principal, operations):
    agree(cerbos, principal, operations)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow]
)
@given(principal=PRINCIPALS, operations=st.lists(OPERATIONS, min_size=1, max_size=20), data=st.data())
def test_of_attributes_with_other_types_and_missing_ones(cerbos, principal, operations, data):
    spoiled = []
    for kind, action, attr in operations:
        name = data.draw(st.sampled_from(sorted(attr)))
        value = data.draw(WRONG)
        changed = {key: item for key, item in attr.items() if key != name}
        spoiled.append((kind, action, changed if data.draw(st.booleans()) else {**changed, name: value}))
    agree(cerbos, principal, spoiled)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(principal=PRINCIPALS, operations=st.lists(OPERATIONS, min_size=1, max_size=50))
def test_of_many_operations(cerbos, principal, operations):
    agree(cerbos, principal, operations)
