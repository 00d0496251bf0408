"""Every text of a stop, against one golden file: what the model is told, and what the person is told."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.decision import Decision, Reason
from gateway.domain.vocabulary import CAUSES
from gateway.enforcement.messages import MODEL_TEXT_LIMIT, Messages, MessageSettings

GOLDEN = Path(__file__).parent / "golden" / "messages.yaml"
ID = "0190f3c8-7b5e-7c3a-9d52-4be1d6ad61e5"
MESSAGES = Messages(MessageSettings(contact="#ask-security"))
SECRETS = Reason(
    rule="secrets.files",
    decision="deny",
    policy="resource.file.vdefault",
    text="Files with secrets stay closed to agents: ask for the one value you need",
)


def decisions() -> dict[str, tuple[str, Decision]]:
    named = {
        "deny by a rule": ("deny", Decision(word="deny", reasons=(SECRETS,))),
        "deny by a rule without words": ("deny", Decision(word="deny", reasons=(Reason(rule="site.x"),))),
        "deny without a rule": ("deny", Decision(word="deny")),
        "ask by a rule": (
            "ask",
            Decision(word="ask", reasons=(Reason(rule="baseline.ci", decision="ask", text="It changes CI"),)),
        ),
        "ask without words": ("ask", Decision(word="ask")),
        "allow": ("allow", Decision(word="allow", skip_prompt=True)),
        "pass": ("pass", Decision(word="allow")),
    }
    for cause in CAUSES:
        for word in ("deny", "ask"):
            named[f"{word} because of {cause}"] = (
                word,
                Decision(word="error", cause=cause, detail="internals", error_id="E-7KQ2-M4XD"),
            )
    return named


def texts(word: str, decision: Decision, would: str = "read .env, which holds secrets") -> dict[str, str]:
    answer = MESSAGES.answer(word, decision, tool="Read", would=would, decision_id=ID)
    return {"model": answer.model_text, "person": answer.person_text}


def notices() -> dict[str, dict[str, str]]:
    told = Messages(MessageSettings(recorded="https://intranet.example/ostiary"))
    return {
        "the start of a session in observe": {"person": told.notice("observe", "41ab09c27d11").person_text},
        "the start of a session in enforce": {"person": told.notice("enforce", "41ab09c27d11").person_text},
        "the start of a session, remote and silent": {
            "person": Messages(MessageSettings()).notice("enforce", "remote:unknown").person_text
        },
    }


def test_every_text_is_the_one_in_the_golden_file():
    found = {name: texts(word, decision) for name, (word, decision) in decisions().items()} | notices()
    assert found == yaml.safe_load(GOLDEN.read_text())


def test_the_model_is_never_told_the_rule_the_policy_or_internals():
    for word, decision in decisions().values():
        model = texts(word, decision)["model"]
        assert "baseline." not in model
        assert "vdefault" not in model
        assert "internals" not in model


def test_a_stop_tells_the_person_the_rule_the_command_and_whom_to_ask():
    person = texts("deny", Decision(word="deny", reasons=(SECRETS,)))["person"]
    assert "secrets.files" in person
    assert "ostiary why" in person
    assert "#ask-security" in person


def test_a_failure_of_the_gateway_gives_model_and_person_the_error_id():
    given_texts = texts("deny", Decision(word="error", cause="internal_error", error_id="E-7KQ2-M4XD"))
    assert all("E-7KQ2-M4XD" in text for text in given_texts.values())


def test_a_policys_word_to_the_person_comes_beside_ours_and_also_when_nothing_is_stopped():
    stop = MESSAGES.answer(
        "deny", Decision(word="deny", notice="ask #platform"), tool="Read", would="", decision_id=ID
    )
    assert stop.person_text.startswith("Ostiary stopped Read")
    assert stop.person_text.endswith("ask #platform")
    passes = MESSAGES.answer(
        "pass", Decision(word="allow", notice="ask #platform"), tool="Read", would="", decision_id=ID
    )
    assert (passes.model_text, passes.person_text) == ("", "ask #platform")


def test_a_tools_name_cannot_reach_a_terminal_as_an_escape_sequence():
    answer = MESSAGES.answer("deny", Decision(word="deny"), tool="R\x1b]52;\u202ed", would="", decision_id=ID)
    assert answer.person_text.isprintable()


@given(st.text(max_size=3000), st.text(max_size=3000), st.sampled_from(["", "E-7KQ2-M4XD"]))
def test_the_models_text_is_short_and_keeps_its_ids_whatever_the_call_is_called(would, text, error_id):
    reason = Reason(rule="p.r", text=text)
    model = texts("deny", Decision(word="deny", reasons=(reason,), error_id=error_id), would)["model"]
    assert len(model) <= MODEL_TEXT_LIMIT
    assert model.endswith(f"{error_id}]")
