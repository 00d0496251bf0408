"""The embedded backend against the contract of every backend, and what only it promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.pdp.local import LocalPdp
from tests.pdp import contract
from tests.pdp.contract import asked, request
from tests.support.enforcement import engine_of

POLICIES = Path(__file__).parent / "policies"


@pytest.fixture(scope="module")
def engine():
    return engine_of(POLICIES)


@pytest.fixture
def pdp(engine):
    return LocalPdp(engine, lambda: 0)


class TestLocal(
    contract.Core,
    contract.MatchedPolicy,
    contract.Outputs,
    contract.AbsorbedErrors,
    contract.Revision,
):
    """The local engine claims every capability."""


def test_it_answers_without_waiting(pdp):
    assert pdp.decide_now(request(asked())) is not None


def test_it_knows_which_layers_hold_a_policy_of_a_kind(pdp):
    assert pdp.layers == ("site",)
    assert pdp.holds("note", "site")
    assert pdp.holds("note", "")
    assert not pdp.holds("ostiary_canary", "site")


def test_a_replaced_policy_set_answers_the_next_check(pdp, tmp_path):
    before = pdp.revision
    pdp.replace(engine_of(tmp_path))
    assert pdp.revision != before
    assert pdp.decide_now(request(asked())).results[0].actions["read"].matched_policy == "NO_MATCH"
