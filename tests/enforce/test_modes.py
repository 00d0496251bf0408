"""Modes: first match wins, the strictest of several roles holds, and what is not proven only tightens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.modes import ModeRule, Modes
from gateway.domain.principal import ANONYMOUS, Principal, sorted_roles
from gateway.domain.vocabulary import HOOK_EVENTS, MODES


def mode(modes: Modes, *roles: str, proven=True, agent="claude-code", event="PreToolUse", bound=True) -> str:
    principal = Principal(id="ada", roles=sorted_roles(roles or ("engineer",)))
    return modes.resolve(principal, proven=proven, agent=agent, event=event, agent_bound=bound)


def test_the_first_line_that_matches_role_agent_and_event_wins():
    modes = Modes(
        default="observe",
        rules=(
            ModeRule(mode="disabled", event="PreCompact"),
            ModeRule(mode="enforce", role="eng*", agent="claude-*", event="Pre*"),
            ModeRule(mode="observe", role="engineer"),
        ),
    )
    assert mode(modes) == "enforce"
    assert mode(modes, agent="codex") == "observe"
    assert mode(modes, event="PreCompact") == "disabled"
    assert mode(modes, event="Stop") == "observe"


def test_of_several_roles_the_strictest_match_holds():
    modes = Modes(default="disabled", rules=(ModeRule(mode="enforce", role="contractor"),))
    assert mode(modes, "engineer", "contractor") == "enforce"


def test_without_proof_the_strictest_mode_configured_anywhere_holds():
    modes = Modes(default="observe", rules=(ModeRule(mode="enforce", role="contractor", agent="codex"),))
    assert modes.resolve(ANONYMOUS, proven=False, agent="x", event="Stop") == "enforce"


def test_a_looser_mode_for_an_agent_needs_a_credential_bound_to_that_agent():
    modes = Modes(default="enforce", rules=(ModeRule(mode="observe", agent="claude-code"),))
    assert mode(modes, bound=True) == "observe"
    assert mode(modes, bound=False) == "enforce"


def test_a_stricter_mode_for_an_agent_needs_no_proof():
    modes = Modes(default="observe", rules=(ModeRule(mode="enforce", agent="claude-code"),))
    assert mode(modes, bound=False) == "enforce"


def test_an_event_that_cannot_be_read_may_have_been_any():
    modes = Modes(default="observe", rules=(ModeRule(mode="enforce", event="PreToolUse"),))
    assert mode(modes, event="") == "enforce"
    looser = Modes(default="enforce", rules=(ModeRule(mode="disabled", event="PreToolUse"),))
    assert mode(looser, event="") == "enforce"


RULES = st.lists(
    st.builds(
        ModeRule,
        mode=st.sampled_from(MODES),
        role=st.sampled_from(["*", "engineer", "mark*"]),
        agent=st.sampled_from(["*", "claude-code", "c*", "codex"]),
        event=st.sampled_from(["*", "PreToolUse", "P*", "Stop"]),
    ),
    max_size=5,
)
ROLES = st.lists(st.sampled_from(["engineer", "marketing", "product"]), min_size=1, max_size=3)


@given(st.sampled_from(MODES), RULES, ROLES, st.sampled_from(HOOK_EVENTS), st.booleans(), st.booleans())
def test_losing_a_proof_never_loosens(default, rules, roles, event, knows_event, bound):
    modes = Modes(default=default, rules=tuple(rules))
    full = MODES.index(mode(modes, *roles, event=event))
    less = MODES.index(mode(modes, *roles, event=event if knows_event else "", bound=bound))
    none = MODES.index(mode(modes, *roles, event=event, proven=False))
    assert full <= less <= none


@pytest.mark.parametrize("roles", [("engineer", "marketing"), ("marketing", "engineer")])
def test_the_order_of_roles_makes_no_difference(roles):
    modes = Modes(default="observe", rules=(ModeRule(mode="enforce", role="marketing"),))
    assert mode(modes, *roles) == "enforce"
