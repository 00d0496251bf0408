"""An explanation names what decided, shows what the conditions saw, and says what would have changed it; all of it true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.principal import Principal
from gateway.policy.directory import SourceFile
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.explain import Explanation, Turn, explain
from gateway.policy.explain.text import lines
from gateway.policy.settings import EngineSettings
from tests.policy_tools.commands import ostiary

POLICY = """\
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  importDerivedRoles: [own]
  variables:
    local:
      large: R.attr.size > 100
      limit: "5"
  constants: {local: {open: [public, shared]}}
  rules:
    - name: doc.secret
      actions: [read]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: R.attr.secret == true && !(P.attr.cleared == true)
      output: {when: {ruleActivated: '"it is secret"'}}
    - name: doc.large
      actions: [read]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: {match: {all: {of: [{expr: V.large}, {none: {of: [{expr: '"admin" in P.roles'}, {expr: R.attr.pinned}]}}]}}}
    - name: doc.open
      actions: [read]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {any: {of: [{expr: R.attr.kind in C.open}, {expr: R.attr.owner == P.id}]}}}
    - name: doc.owner
      actions: [write]
      effect: EFFECT_ALLOW
      derivedRoles: [owner]
    - name: doc.editors
      actions: [write]
      effect: EFFECT_ALLOW
      roles: [editor]
    - name: doc.frozen
      actions: [delete]
      effect: EFFECT_DENY
      roles: ["*"]
"""
DERIVED = """\
apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: own
  definitions:
    - name: owner
      parentRoles: [user]
      condition: {match: {expr: R.attr.owner == P.id}}
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    files = [SourceFile("pol/doc.yaml", POLICY.encode()), SourceFile("pol/own.yaml", DERIVED.encode())]
    return compile_policies(files, EngineSettings())


def ask(
    engine: Engine, action: str, attr: dict[str, Any], roles: tuple[str, ...] = ("user",), **known: Any
) -> Explanation:
    principal = Principal(id="ada", roles=roles, attr=known)
    request = CheckRequest(principal=principal, checks=(Check(Resource("doc", "d1", attr), (action,)),))
    return explain(engine, request, 0)[0]


def test_the_rule_that_denies_is_named_with_file_line_and_what_it_saw(engine: Engine) -> None:
    found = ask(engine, "read", {"secret": True, "kind": "public"}, cleared=False)
    assert found.effect == "EFFECT_DENY"
    assert found.decided_by is not None
    assert (found.decided_by.rule, found.decided_by.file) == ("doc.secret", "pol/doc.yaml")
    assert POLICY.splitlines()[found.decided_by.line - 1].strip() == "- name: doc.secret"
    condition = found.decided_by.condition
    assert condition is not None
    assert (condition.held, condition.operator) == (True, "all")
    secret, cleared = condition.members
    assert (secret.text, secret.held) == ("R.attr.secret == true", True)
    assert [(seen.path, seen.value) for seen in secret.seen] == [("R.attr.secret", True)]
    assert (cleared.operator, cleared.held) == ("not", True)


def test_a_failing_part_shows_its_error_and_what_was_missing(engine: Engine) -> None:
    found = ask(engine, "read", {"secret": True})
    rule = next(rule for rule in found.rules if rule.rule == "doc.secret")
    assert rule.condition is not None
    # `!(error)` is an error itself, so that the whole does not hold: what an absent attribute does to a denial.
    assert not rule.applied
    inner = rule.condition.members[1].members[0]
    assert inner.error == "no such key: cleared"
    assert inner.seen[0].missing


@pytest.mark.parametrize(("members", "held"), [(["D"], False), (["H", "D"], True), (["D", "H"], False)])
def test_a_constant_that_fails_shows_its_error_and_no_group_around_it_holds(
    members: list[str], held: bool
) -> None:
    texts = {"D": "{expr: \"int('abc') == 1\"}", "H": "{expr: R.attr.open}"}
    group = f"{{any: {{of: [{', '.join(texts[member] for member in members)}]}}}}"
    policy = f"""\
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - {{actions: [read], effect: EFFECT_ALLOW, roles: [user], condition: {{match: {group}}}}}
"""
    engine = compile_policies([SourceFile("doc.yaml", policy.encode())], EngineSettings())
    found = ask(engine, "read", {"open": True})
    condition = found.rules[0].condition
    assert condition is not None
    assert (found.effect == "EFFECT_ALLOW", condition.held) == (held, held)
    shown = condition.members[members.index("D")]
    assert (shown.held, shown.error) == (False, "type conversion error from 'string' to 'int'")


def test_a_denial_says_what_would_have_had_to_differ_and_doing_it_changes_the_answer(engine: Engine) -> None:
    found = ask(engine, "read", {"kind": "public", "size": 500, "pinned": False})
    assert found.decided_by is not None
    assert found.decided_by.rule == "doc.large"
    assert found.turn is not None
    assert found.turn.operator == "any"
    assert {(turn.text, turn.wanted) for turn in found.turn.members} == {
        ("R.attr.size > 100", False),
        ('"admin" in P.roles', True),
        ("R.attr.pinned", True),
    }
    for attr, roles in (({"size": 5.0}, ("user",)), ({"pinned": True}, ("user",)), ({}, ("admin", "user"))):
        changed = ask(engine, "read", {"kind": "public", "size": 500, "pinned": False, **attr}, roles)
        assert changed.effect == "EFFECT_ALLOW"


def test_a_denial_by_silence_names_what_the_allowing_rules_missed(engine: Engine) -> None:
    found = ask(engine, "read", {"kind": "private", "owner": "max", "size": 1})
    assert found.decided_by is None
    assert "no rule of resource.doc.vdefault allows it" in found.reason
    assert found.turn is not None
    assert {turn.text for turn in found.turn.members} == {"R.attr.kind in C.open", "R.attr.owner == P.id"}
    values = {seen.path: seen.value for turn in found.turn.members for seen in turn.seen}
    assert values["R.attr.owner"] == "max"
    assert values["C.open"] == ["public", "shared"]


def test_a_denial_by_silence_names_rules_for_other_roles_and_derived_roles_not_given(engine: Engine) -> None:
    found = ask(engine, "write", {"owner": "max"})
    owner = next(rule for rule in found.rules if rule.rule == "doc.owner")
    assert owner.derived_role == "owner"
    assert any("doc.editors" in other and "editor" in other for other in found.others)


def test_an_unconditional_denial_has_no_way_out(engine: Engine) -> None:
    found = ask(engine, "delete", {})
    assert found.turn is None
    assert any("Nothing would have changed it" in line for line in lines(found))


def test_an_allowance_names_its_rule_too(engine: Engine) -> None:
    found = ask(engine, "read", {"kind": "shared", "size": 1, "pinned": True})
    assert found.decided_by is not None
    assert (found.decided_by.rule, found.turn) == ("doc.open", None)


def test_what_no_policy_speaks_about_says_so(engine: Engine) -> None:
    request = CheckRequest(
        principal=Principal(id="a", roles=("user",)), checks=(Check(Resource("other", "x"), ("read",)),)
    )
    assert explain(engine, request, 0)[0].reason == "No policy speaks about read on other 'x'."


def test_values_are_cut_and_made_printable(engine: Engine) -> None:
    found = ask(engine, "read", {"kind": "x" * 5000, "owner": "\x1b[31mmax\nbob", "size": 1})
    text = "\n".join(lines(found, everything=True))
    assert max(map(len, text.splitlines())) < 300
    assert "\x1b" not in text


_VALUES = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, 99, 101, 1e9])
    | st.sampled_from(["", "ada", "public", "x"])
)


@settings(max_examples=150, deadline=None)
@given(
    action=st.sampled_from(["read", "write", "delete", "other"]),
    attr=st.dictionaries(st.sampled_from(["secret", "size", "pinned", "kind", "owner"]), _VALUES),
    roles=st.sets(st.sampled_from(["user", "editor", "admin"]), min_size=1),
)
def test_an_explanation_never_tells_another_story_than_the_engine(
    action: str, attr: dict[str, Any], roles: set[str]
) -> None:
    engine = compile_policies(
        [SourceFile("pol/doc.yaml", POLICY.encode()), SourceFile("pol/own.yaml", DERIVED.encode())],
        EngineSettings(),
    )
    names = tuple(sorted(roles))
    principal = Principal(id="ada", roles=names)
    request = CheckRequest(principal=principal, checks=(Check(Resource("doc", "d1", attr), (action,)),))
    decided = engine.check(request, 0).results[0].actions[action]
    found = explain(engine, request, 0)[0]
    assert found.effect == decided.effect
    place = found.decided_by and (found.decided_by.file, found.decided_by.line)
    assert place == (decided.place and (decided.place.file, decided.place.line))
    if found.decided_by is not None and found.decided_by.condition is not None:
        assert found.decided_by.condition.held
    for rule in found.rules:
        if rule.condition is not None:
            assert rule.condition.held == rule.applied
    assert (found.turn is None) or found.effect == "EFFECT_DENY"
    json.dumps(list(lines(found, everything=True)))


def test_every_single_turn_is_a_part_of_the_condition(engine: Engine) -> None:
    found = ask(engine, "read", {"kind": "public", "size": 500, "pinned": False})

    def leaves(turn: Turn) -> list[Turn]:
        return [leaf for member in turn.members for leaf in leaves(member)] if turn.operator else [turn]

    assert found.turn is not None
    assert all(leaf.text for leaf in leaves(found.turn))


def test_the_command_explains_a_request_file(tmp_path: Path) -> None:
    (tmp_path / "doc.yaml").write_text(POLICY)
    (tmp_path / "own.yaml").write_text(DERIVED)
    request = tmp_path / "request.json"
    request.write_text(
        json.dumps(
            {
                "principal": {"id": "ada", "roles": ["user"]},
                "resources": [
                    {
                        "actions": ["read", "delete"],
                        "resource": {"kind": "doc", "id": "d", "attr": {"size": 500, "pinned": False}},
                    }
                ],
            }
        )
    )
    done = ostiary(
        "policy",
        "explain",
        request,
        "--policies",
        tmp_path / "doc.yaml",
        "--policies",
        tmp_path / "own.yaml",
        "--no-packs",
    )
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/doc.yaml:20" in done.stdout
    assert "V.large" in done.stdout
    assert "R.attr.size is 500" in done.stdout
    as_json = ostiary(
        "policy", "explain", request, "--json", "--policies", tmp_path / "doc.yaml", "--policies", tmp_path / "own.yaml", "--no-packs",
    )  # fmt: skip
    found = json.loads(as_json.stdout)
    assert found["schema"] == "ostiary.explanation/1"
    assert [item["action"] for item in found["explanations"]] == ["read", "delete"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("principal: {id: a}\nresources: []\n", "roles: value is required"),
        ("principal: {id: a, roles: [b]}\nresource: x\n", 'unknown field "resource"'),
        ("[", "2:1"),
    ],
)
def test_a_request_that_cannot_be_read_is_told_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(text)
    done = ostiary("policy", "explain", tmp_path / "r.yaml")
    assert done.returncode == 2
    assert said in done.stderr
