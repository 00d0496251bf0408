"""What holds for every rule of every shipped pack, whatever is asked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from adapters.pdp.local import LocalPdp
from gateway.domain.check import ALLOW, NO_MATCH, CheckAnswer
from gateway.domain.principal import Principal
from gateway.domain.vocabulary import OPERATION_ACTIONS
from gateway.enforcement.obligations import parse_obligation
from tests.packs.operations import GOVERNED, OPERATIONS, PRINCIPALS, attributes, request
from tests.support.enforcement import PACKS, shipped_engine

PDP = LocalPdp(shipped_engine(), lambda: 1_700_000_000_000_000_000)
STRICTNESS = {"allow": 0, "ask": 1, "deny": 2}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)


def word(answer: CheckAnswer, at: int = 0) -> str:
    """What one check's answer says."""
    result = answer.results[at]
    (given_action,) = result.actions.values()
    if given_action.effect != ALLOW:
        return "deny"
    asks = [output for output in result.outputs if parse_obligation(output.val).word == "ask"]
    return "ask" if asks else "allow"


@given(OPERATIONS, PRINCIPALS, st.randoms(use_true_random=False))
def test_the_order_of_roles_changes_nothing(operation, principal, random):
    shuffled = list(principal.roles)
    random.shuffle(shuffled)
    other = structs.replace(principal, roles=tuple(shuffled))
    assert word(PDP.decide_now(request(principal, operation))) == word(
        PDP.decide_now(request(other, operation))
    )


@given(OPERATIONS, PRINCIPALS)
def test_every_operation_is_spoken_about(operation, principal):
    for result in PDP.decide_now(request(principal, operation)).results:
        for given_action in result.actions.values():
            assert given_action.matched_policy != NO_MATCH


@given(OPERATIONS, PRINCIPALS)
def test_no_rule_fails_on_what_the_gateway_sends(operation, principal):
    for result in PDP.decide_now(request(principal, operation)).results:
        assert result.absorbed == ()
        assert all(output.error == "" for output in result.outputs)


def attributes_read(kind: str) -> set[str]:
    """The attributes that the shipped rules for a kind read."""
    text = (PACKS / "baseline" / f"{kind}.yaml").read_text(encoding="utf-8")
    return set(re.findall(r"R\.attr\.(\w+)", text))


def same_type(left: Any, right: Any) -> bool:
    """Whether two values are of one JSON type; every number is one."""
    kinds = [bool, (int, float), str, list, dict, type(None)]
    return next(kind for kind in kinds if isinstance(left, kind)) == next(
        kind for kind in kinds if isinstance(right, kind)
    )


READ = [(kind, name) for kind in GOVERNED for name in sorted(attributes_read(kind))]


@pytest.mark.parametrize(("kind", "name"), READ)
@settings(max_examples=100)
@given(principal=PRINCIPALS, data=st.data())
def test_an_attribute_of_another_type_or_none_makes_no_decision_looser(kind, name, principal, data):
    attr = data.draw(attributes(kind))
    action = data.draw(st.sampled_from(OPERATION_ACTIONS[kind]))
    before = word(PDP.decide_now(request(principal, (kind, action, attr))))
    changed = {key: value for key, value in attr.items() if key != name}
    if data.draw(st.booleans()):
        changed[name] = data.draw(VALUES.filter(lambda value: not same_type(value, attr[name])))
    after = word(PDP.decide_now(request(principal, (kind, action, changed))))
    assert STRICTNESS[after] >= STRICTNESS[before]


@given(OPERATIONS, PRINCIPALS, st.data())
def test_an_attribute_that_no_rule_reads_changes_nothing(operation, principal, data):
    kind, action, attr = operation
    before = word(PDP.decide_now(request(principal, operation)))
    name = data.draw(st.sampled_from(sorted(set(attr) - attributes_read(kind))))
    after = word(PDP.decide_now(request(principal, (kind, action, {**attr, name: data.draw(VALUES)}))))
    assert after == before


def test_large_values_end_in_a_decision_that_is_no_looser():
    engineer = Principal(id="ada", roles=("engineer",))
    attr = {"rules_off": [], "groups": ["secrets"], "path": "/p/.env", "in_project": True}
    for name, value in [
        ("path", "x" * (2 << 20)),
        ("rules_off", [f"r{number}" for number in range(100_000)]),
        ("groups", ["secrets", *(f"g{number}" for number in range(100_000))]),
        ("groups", {f"g{number}": number for number in range(100_000)}),
    ]:
        assert word(PDP.decide_now(request(engineer, ("file", "read", {**attr, name: value})))) == "deny"


@given(OPERATIONS, PRINCIPALS, st.sampled_from(["engineer", "marketing", "product", "analyst", "contractor"]))
def test_a_further_role_that_is_not_engineer_loosens_nothing(operation, principal, role):
    if role == "engineer":
        return
    more = structs.replace(principal, roles=tuple(sorted({*principal.roles, role})))
    before, after = (word(PDP.decide_now(request(who, operation))) for who in (principal, more))
    assert STRICTNESS[after] >= STRICTNESS[before]


@given(OPERATIONS, PRINCIPALS)
def test_a_rule_that_is_off_only_loosens_and_one_that_is_on_only_tightens(operation, principal):
    kind, action, attr = operation
    every = [rule.name for rule in shipped_engine().rules()]
    off = word(PDP.decide_now(request(principal, (kind, action, {**attr, "rules_off": every}))))
    on = word(PDP.decide_now(request(principal, (kind, action, {**attr, "rules_off": []}))))
    here = word(PDP.decide_now(request(principal, operation)))
    assert STRICTNESS[off] <= STRICTNESS[here] <= STRICTNESS[on]


@pytest.mark.parametrize("kind", GOVERNED)
@given(data=st.data())
def test_with_every_rule_off_nothing_is_stopped_but_what_cannot_be_told(kind, data):
    attr = data.draw(attributes(kind))
    attr["rules_off"] = [rule.name for rule in shipped_engine().rules()]
    if kind == "host":
        attr["host"] = "a.example"
    action = "read" if kind == "file" else {"host": "send", "mcp_tool": "call", "subagent": "spawn"}[kind]
    engineer = Principal(id="ada", roles=("marketing",))
    assert word(PDP.decide_now(request(engineer, (kind, action, attr)))) == "allow"
