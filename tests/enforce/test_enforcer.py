"""The enforcement point with the real adapter, analyser and packs: what it denies, what it records, what it never lets in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.pdp.local import LocalPdp
from gateway.domain.check import ALLOW, DENY, NO_MATCH, ActionDecision, CheckAnswer, Output, ResourceDecision
from gateway.domain.modes import ModeRule
from gateway.domain.ports import Identified
from gateway.domain.principal import ANONYMOUS
from gateway.domain.vocabulary import RESERVED_ATTRIBUTES
from gateway.enforce import Answered
from gateway.enforcement.lookback import RAN_ANYWAY, REUSED, REWRITTEN
from gateway.enforcement.quota import HOUR, MINUTE, Quota
from gateway.errors import PdpInvalid, PdpUnavailable, PdpUnproven
from tests.support.enforcement import Pep, ScriptedPdp, engine_of, packs_off, person
from tests.support.payloads import PROJECT, pre_tool_use

SECRET = {"file_path": f"{PROJECT}/.env"}
SOURCE = {"file_path": f"{PROJECT}/src/app.py"}
NOBODY = Identified(principal=ANONYMOUS, proven=False, problem="missing")
STRICTNESS = ["pass", "allow", "ask", "deny"]


def after(payload: dict, **fields) -> dict:
    return {**payload, "hook_event_name": "PostToolUse", "tool_response": {}, **fields}


def all_answer(effect: str, policy: str = "p", outputs: tuple = ()) -> ScriptedPdp:
    return ScriptedPdp(
        lambda request: CheckAnswer(
            results=tuple(
                ResourceDecision(
                    kind=check.resource.kind,
                    id=check.resource.id,
                    actions={action: ActionDecision(effect, policy) for action in check.actions},
                    outputs=outputs,
                )
                for check in request.checks
            )
        )
    )


def test_the_shipped_packs_stop_a_secret_and_let_work_go_on():
    pep = Pep()
    assert pep.word(pre_tool_use("Read", SECRET)) == "deny"
    assert pep.word(pre_tool_use("Read", SOURCE)) == "pass"


def test_in_observe_the_record_holds_the_would_be_denial_and_the_answer_is_pass():
    answered = Pep(mode="observe").ask(pre_tool_use("Read", SECRET))
    assert (answered.record.decision, answered.record.answer) == ("deny", "pass")
    assert answered.answer.person_text == ""


def test_a_policys_context_reaches_the_model_in_enforce_and_never_in_observe():
    said = Output(src="p#p.r", val={"context": "mind the gap"})
    assert "mind the gap" in str(
        Pep(pdp=all_answer(ALLOW, outputs=(said,))).body(pre_tool_use("Read", SOURCE))
    )
    observe = Pep(mode="observe", pdp=all_answer(ALLOW, outputs=(said,)))
    assert observe.body(pre_tool_use("Read", SOURCE)) == {}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (PdpUnavailable("away"), "pdp_unavailable"),
        (PdpInvalid("nonsense"), "pdp_invalid"),
        (PdpUnproven("canary"), "no_policy_loaded"),
    ],
)
def test_a_backend_that_gives_no_answer_is_the_failure_it_is(error, cause):
    def fail(_request):
        raise error

    answered = Pep(pdp=ScriptedPdp(fail)).ask(pre_tool_use("Read", SOURCE))
    assert (answered.answer.word, answered.record.cause, answered.causes) == ("deny", cause, (cause,))


@pytest.mark.parametrize("cause", ["pdp_unavailable", "no_policy_loaded", "payload_invalid"])
def test_a_failure_the_operator_lets_pass_opens_nothing_that_is_doubtful_besides(cause):
    def away(_request):
        raise PdpUnavailable("away")

    pep = Pep(
        failure_policy={cause: "pass", "unauthenticated": "ask"},
        pdp=ScriptedPdp(away),
        ready=lambda: "the canary lives" if cause == "no_policy_loaded" else "",
    )
    payload = pre_tool_use("Read", {} if cause == "payload_invalid" else SOURCE)
    assert pep.word(payload) == "pass"
    answered = pep.ask(payload, NOBODY)
    assert (answered.answer.word, set(answered.causes)) == ("ask", {cause, "unauthenticated"})


# --- repeats and reused ids ---------------------------------------------------------------------------------------------


def test_an_equal_repeat_within_a_minute_is_a_short_record_that_points_to_the_first():
    pep = Pep()
    call = pre_tool_use("Read", SOURCE)
    first, again = pep.ask(call), pep.ask(call)
    assert (again.record.type, again.record.first) == ("repeat", first.record.decision_id)
    pep.now += 2 * MINUTE
    assert pep.ask(call).record.type == "call"


def test_a_call_id_that_returns_with_another_input_or_tool_is_denied_and_flagged():
    for other in (pre_tool_use("Read", {"file_path": f"{PROJECT}/b"}), pre_tool_use("Write", SOURCE)):
        pep = Pep()
        call = pre_tool_use("Read", SOURCE)
        assert pep.word(call) == "pass"
        other["tool_input"] = {"content": "", **other["tool_input"]}
        answered = pep.ask({**other, "tool_use_id": call["tool_use_id"]})
        assert answered.answer.word == "deny"
        assert REUSED in answered.record.flags
        assert pep.word(call) == "pass"


def test_a_call_id_that_returns_for_another_tool_with_the_same_input_is_denied():
    pep = Pep(pdp=all_answer(ALLOW))
    call = pre_tool_use("mcp__files__read", {"path": f"{PROJECT}/a"})
    pep.ask(call)
    answered = pep.ask({**call, "tool_name": "mcp__files__delete"})
    assert (answered.answer.word, REUSED in answered.record.flags) == ("deny", True)


def test_another_principals_session_and_event_do_not_collide_with_an_id():
    pep = Pep()
    call = pre_tool_use("Read", SOURCE)
    pep.ask(call, person("ada"))
    other = {**call, "tool_input": {"file_path": f"{PROJECT}/b"}}
    assert pep.word(other, person("bob")) == "pass"
    assert pep.word({**other, "session_id": "s2"}) == "pass"


def test_what_comes_after_a_call_is_no_reuse_of_it():
    pep = Pep()
    call = pre_tool_use("Read", SOURCE)
    answered = [pep.ask(call), pep.ask(call), pep.ask(after(call))]
    assert [found.record.flags for found in answered] == [(), (), ()]
    assert [found.record.type for found in answered] == ["call", "repeat", "call"]


def test_an_input_that_ran_otherwise_than_it_was_approved_is_flagged():
    pep = Pep()
    call = pre_tool_use("Edit", {"file_path": f"{PROJECT}/a", "old_string": "a", "new_string": "b"})
    pep.ask(call)
    rewritten = {**call["tool_input"], "file_path": "/etc/passwd"}
    assert REWRITTEN in pep.ask(after(call, tool_input=rewritten)).record.flags
    defaults = {**call["tool_input"], "replace_all": False}
    assert pep.ask(after(call, tool_input=defaults)).record.flags == ()


def test_a_call_that_ran_although_it_was_denied_is_flagged():
    pep = Pep()
    call = pre_tool_use("Read", SECRET)
    assert pep.word(call) == "deny"
    assert RAN_ANYWAY in pep.ask(after(call)).record.flags


@pytest.mark.parametrize("change", ["policy", "mode", "readiness"])
def test_what_changes_between_two_equal_requests_changes_the_second(change, tmp_path):
    pep = Pep()
    call = pre_tool_use("Read", SECRET)
    first = pep.ask(call)
    assert first.answer.word == "deny"
    if change == "policy":
        pep.pdp = all_answer(ALLOW)
        expected = ("pass", "call")
    elif change == "mode":
        pep.modes = Pep(mode="observe").modes
        expected = ("pass", "call")
    else:
        pep.ready = lambda: "the canary lives"
        expected = ("deny", "call")
    second = pep.ask(call)
    assert (second.answer.word, second.record.type) == expected
    assert second.record.flags == ()


IDS = st.sampled_from(["toolu_1", "toolu_2"])
PATHS = st.sampled_from(
    [f"{PROJECT}/src/a", f"{PROJECT}/.env", "/etc/passwd", f"{PROJECT}/.github/workflows/ci.yml"]
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "max"]),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["PreToolUse", "PermissionRequest", "PostToolUse"]),
        IDS,
        st.sampled_from(["Read", "Write"]),
        PATHS,
    ),
    min_size=1,
    max_size=12,
)
ROLE = {"ada": "engineer", "max": "marketing"}


def ask_one(pep: Pep, call: tuple) -> Answered:
    user, session, event, identifier, tool, path = call
    payload = pre_tool_use(tool, {"file_path": path, **({"content": "x"} if tool == "Write" else {})})
    payload.update(session_id=session, tool_use_id=identifier, hook_event_name=event)
    if event == "PermissionRequest":
        del payload["tool_use_id"]
    return pep.ask(payload, person(user, ROLE[user]))


@settings(max_examples=30)
@given(CALLS)
def test_no_answer_depends_on_an_earlier_answer(calls):
    pep = Pep()
    seen: dict[tuple, tuple] = {}
    for call in calls:
        answered = ask_one(pep, call)
        alone = ask_one(Pep(), call)
        user, session, event, identifier, *what = call
        key = (user, session, event, identifier)
        if event == "PreToolUse" and seen.setdefault(key, tuple(what)) != tuple(what):
            assert (answered.answer.word, REUSED in answered.record.flags) == ("deny", True)
        else:
            assert answered.answer.word == alone.answer.word
            assert answered.record.decision == alone.record.decision


# --- reserved attributes ------------------------------------------------------------------------------------------------

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
FLAT = SCALARS | st.lists(SCALARS, max_size=2)
JSON = FLAT | st.dictionaries(st.text(max_size=3), FLAT, max_size=2)


def call_attributes_sent(payload: dict) -> tuple[dict, Answered]:
    pdp = all_answer(ALLOW)
    answered = Pep(pdp=pdp).ask(payload)
    return dict(pdp.requests[-1].checks[0].resource.attr), answered


@settings(max_examples=60)
@given(st.sampled_from(RESERVED_ATTRIBUTES), JSON)
def test_a_name_the_gateway_sets_always_holds_the_gateways_value(name, value):
    plain, _ = call_attributes_sent(pre_tool_use("Read", SOURCE))
    forged, answered = call_attributes_sent(pre_tool_use("Read", SOURCE, **{name: value}))
    assert forged[name] == plain[name]
    assert set(forged) == set(plain)
    assert "reserved_attribute" in answered.record.flags


def test_every_reserved_name_is_always_there():
    sent, _ = call_attributes_sent(pre_tool_use("ToolSearch", {}))
    assert set(RESERVED_ATTRIBUTES) <= set(sent)


def test_an_operation_carries_the_gateways_names_whatever_the_input_says():
    pdp = all_answer(ALLOW)
    Pep(pdp=pdp).ask(pre_tool_use("mcp__x__read", {"path": "/a", "rules_off": ["secrets.files"], "v": 7}))
    for check in pdp.requests[-1].checks[1:]:
        assert check.resource.attr["rules_off"] == list(packs_off({}))
        assert check.resource.attr["v"] == 1


def test_contents_do_not_leave_for_the_backend_unless_configured_or_on_the_legacy_route():
    write = pre_tool_use("Write", {"file_path": f"{PROJECT}/a", "content": "the text"})
    pdp = all_answer(ALLOW)
    Pep(pdp=pdp).ask(write)
    assert "the text" not in str(pdp.requests)
    Pep(pdp=pdp).ask(write, legacy_route=True)
    assert "the text" in str(pdp.requests[-1])


# --- who asks -----------------------------------------------------------------------------------------------------------


def test_nobody_is_denied_in_enforce_without_asking_the_backend():
    pdp = all_answer(ALLOW)
    answered = Pep(pdp=pdp).ask(pre_tool_use("Read", SOURCE), NOBODY)
    assert (answered.answer.word, answered.causes) == ("deny", ("unauthenticated",))
    assert pdp.requests == []


def test_where_the_operator_lets_nobody_pass_policy_still_decides_and_the_failure_is_counted():
    pep = Pep(failure_policy={"unauthenticated": "pass"})
    assert pep.word(pre_tool_use("Read", SECRET), NOBODY) == "deny"
    answered = pep.ask(pre_tool_use("Read", SOURCE), NOBODY)
    assert (answered.answer.word, answered.causes) == ("pass", ("unauthenticated",))
    assert "unauthenticated" in answered.record.flags


def test_over_quota_is_denied_for_that_principal_only_and_recorded_once():
    pep = Pep(quota=Quota(requests=2))
    answered = [pep.ask(pre_tool_use("Read", SOURCE), person("mallory")) for _ in range(5)]
    assert [found.answer.word for found in answered] == ["pass", "pass", "deny", "deny", "deny"]
    assert [found.recorded for found in answered] == [True, True, True, False, False]
    assert answered[-1].record.cause == "over_quota"
    assert "slow down" in answered[-1].answer.model_text
    assert pep.word(pre_tool_use("Read", SOURCE), person("ada")) == "pass"


def test_a_quota_the_operator_lets_pass_opens_no_policy():
    pep = Pep(quota=Quota(requests=1), failure_policy={"over_quota": "pass"})
    pep.ask(pre_tool_use("Read", SOURCE))
    assert pep.word(pre_tool_use("Read", SECRET)) == "deny"


def test_mode_disabled_decides_nothing_and_is_recorded_once_an_hour():
    pep = Pep(mode="disabled")
    answered = [pep.ask(pre_tool_use("Read", SECRET)) for _ in range(3)]
    assert [found.recorded for found in answered] == [True, False, False]
    assert {found.record.decision for found in answered} == {""}
    pep.now += HOUR
    assert pep.ask(pre_tool_use("Read", SECRET)).recorded


def test_modes_go_by_role_agent_and_event():
    rules = (ModeRule(mode="observe", role="marketing"), ModeRule(mode="observe", event="UserPrompt*"))
    pep = Pep(modes=rules)
    assert pep.word(pre_tool_use("Read", SECRET), person("ada", "engineer")) == "deny"
    assert pep.word(pre_tool_use("Read", SECRET), person("max", "marketing")) == "pass"
    assert pep.word(pre_tool_use("Read", SECRET), person("bea", "marketing", "engineer")) == "deny"


# --- prompts ------------------------------------------------------------------------------------------------------------

SKIP = (Output(src="p#p.skip", val={"decision": "skip_prompt"}),)


def test_a_prompt_is_skipped_where_that_is_switched_on_and_everything_is_certain():
    assert (
        Pep(pdp=all_answer(ALLOW, outputs=SKIP), skip_prompt=True).word(pre_tool_use("Read", SOURCE))
        == "allow"
    )
    assert Pep(pdp=all_answer(ALLOW, outputs=SKIP)).word(pre_tool_use("Read", SOURCE)) == "pass"


def test_a_permission_request_is_never_answered_with_an_allowance():
    request = pre_tool_use("Read", SOURCE, hook_event_name="PermissionRequest")
    assert Pep(pdp=all_answer(ALLOW, outputs=SKIP), skip_prompt=True).body(request) == {}


def test_an_ask_is_sent_before_the_tool_and_left_to_the_prompt_that_is_already_there():
    asks = all_answer(ALLOW, outputs=(Output(src="p#p.ask", val={"decision": "ask"}),))
    assert Pep(pdp=asks).word(pre_tool_use("Read", SOURCE)) == "ask"
    assert Pep(pdp=asks).word(pre_tool_use("Read", SOURCE, hook_event_name="PermissionRequest")) == "pass"


# --- nothing is open because nobody wrote a policy ------------------------------------------------------------------------


def test_a_backend_that_cannot_tell_what_matched_counts_as_matched():
    assert Pep(pdp=all_answer(DENY, policy="")).word(pre_tool_use("Read", SOURCE)) == "deny"


@pytest.mark.parametrize("tool", ["Frobnicate", "mcp__x__y"])
def test_a_tool_nobody_knows_and_no_policy_matches_is_asked_and_what_it_touches_still_decides(tool):
    unmatched = all_answer(DENY, policy=NO_MATCH)
    payload = pre_tool_use(tool, {"path": "/etc/x"})
    assert Pep(pdp=unmatched, no_policy_operation="pass").word(payload) == "ask"


def test_an_engine_without_policies_is_not_ready_and_denies(tmp_path):
    pep = Pep(pdp=LocalPdp(engine_of(tmp_path), lambda: 0), ready=lambda: "The backend holds no policy.")
    answered = pep.ask(pre_tool_use("Write", {"file_path": "/etc/x", "content": ""}))
    assert (answered.answer.word, answered.record.cause) == ("deny", "no_policy_loaded")


# --- what is recorded ---------------------------------------------------------------------------------------------------


def test_a_hook_body_of_a_synapse_policy_is_translated_and_what_is_lost_is_named_in_the_record():
    body = {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "ask",
            "permissionDecisionReason": "a person looks",
        },
        "systemMessage": "see #platform",
        "suppressOutput": True,
    }
    pdp = all_answer(ALLOW, outputs=(Output(src="p#acme.rule", val=body),))
    pep = Pep(pdp=pdp)
    answered = pep.ask(pre_tool_use("Read", SOURCE), legacy_route=True)
    assert answered.answer.word == "ask"
    assert "a person looks" in answered.answer.model_text
    assert "see #platform" in answered.answer.person_text
    assert "untranslated_output" in answered.record.flags
    assert "acme.rule: suppressOutput" in answered.record.detail


def test_a_rewritten_input_is_refused():
    body = {
        "hookSpecificOutput": {"permissionDecision": "allow", "updatedInput": {"file_path": "/etc/passwd"}}
    }
    pdp = all_answer(ALLOW, outputs=(Output(src="p#acme.rule", val=body),))
    answered = Pep(pdp=pdp).ask(pre_tool_use("Read", SOURCE), legacy_route=True)
    assert (answered.answer.word, answered.record.cause) == ("deny", "evaluation_error")
    assert "updatedInput" in answered.record.detail


@pytest.mark.parametrize("wanted", ["deny", "ask", "pass"])
def test_a_call_whose_record_cannot_be_written_follows_its_failure_policy(wanted):
    pep = Pep(failure_policy={"record_failed": wanted})
    allowed = pep.ask(pre_tool_use("Read", SOURCE))
    assert pep.enforcer.unrecorded(allowed, "full").word == wanted
    denied = pep.ask(pre_tool_use("Read", SECRET))
    assert pep.enforcer.unrecorded(denied, "full").word == "deny"


def test_an_unrecorded_call_passes_in_observe():
    pep = Pep(mode="observe")
    assert pep.enforcer.unrecorded(pep.ask(pre_tool_use("Read", SECRET)), "full").word == "pass"
