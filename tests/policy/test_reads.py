"""What the engine says that a check reads is all that can change its answer: the cache's keys rest on it."""

from __future__ import annotations

import secrets
from random import Random

import pytest
from msgspec import structs

from gateway.domain.check import AuxData, Check, CheckRequest, Resource, ResourceDecision
from gateway.domain.principal import Principal
from gateway.policy.directory import SourceFile
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.reads import Reads
from gateway.policy.settings import EngineSettings
from tests.policy.fuzz.requests import attributes, request
from tests.policy.fuzz.worlds import World

WORLDS = 40
REQUESTS = 12
NOW = 1_700_000_000_000_000_000
FAR = 4_000_000_000_000_000_000

HEAD = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  variables:
    local:
      mine: R.attr.owner == P.id
      unused: P.attr.never == now()
  rules:
"""


def engine(*rules: str, more: str = "") -> Engine:
    text = HEAD + "".join(f"    - {rule}\n" for rule in rules)
    return compile_policies(
        [SourceFile("doc.yaml", text.encode()), SourceFile("more.yaml", more.encode())], EngineSettings()
    )


def rule(condition: str) -> str:
    return f"{{actions: ['*'], effect: EFFECT_ALLOW, roles: ['*'], condition: {{match: {{expr: \"{condition}\"}}}}}}"


def reads(made: Engine, principal: str = "ada", kind: str = "doc") -> Reads:
    return made.reads(Principal(id=principal, roles=("user",)), Resource(kind, "x"))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("true", Reads()),
        (
            "R.attr.a == 1 && P.attr['b'] == 2",
            Reads(resource_attributes=frozenset({"a"}), principal_attributes=frozenset({"b"})),
        ),
        ("V.mine", Reads(resource_attributes=frozenset({"owner"}), principal_id=True)),
        ("R.id == 'x'", Reads(resource_id=True)),
        ("R.kind == 'x' && 'user' in P.roles", Reads()),
        ("now() > timestamp(R.attr.t)", Reads(resource_attributes=frozenset({"t"}), now=True)),
        ("size(R.attr) > 0", Reads(resource_attributes=None, resource_id=True)),
        ("request.auxData.jwt.iss == 'i'", Reads(aux_data=True)),
        ("has(P.attr.dept)", Reads(principal_attributes=frozenset({"dept"}))),
    ],
)
def test_reads_are_told_by_name(condition, expected):
    assert reads(engine(rule(condition))) == expected


def test_what_no_policy_is_about_reads_nothing():
    assert reads(engine(rule("R.attr.a == 1")), kind="other") == Reads()


def test_a_policy_for_single_principals_makes_the_id_count():
    more = """apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: ada
  version: default
  rules:
    - {resource: doc, actions: [{action: view, effect: EFFECT_DENY, condition: {match: {expr: R.attr.p}}}]}
"""
    made = engine(rule("true"), more=more)
    assert reads(made) == Reads(resource_attributes=frozenset({"p"}), principal_id=True)
    assert reads(made, "bob") == Reads(principal_id=True)


def _without(answer: ResourceDecision) -> ResourceDecision:
    return structs.replace(answer, id="", kind="")


def _changed(random: Random, given: dict[str, object], kept: frozenset[str] | None) -> dict[str, object]:
    """Attributes that agree with others in what is kept."""
    if kept is None:
        return dict(given)
    found = attributes(random) | {"more": random.random()}
    return {name: value for name, value in found.items() if name not in kept} | {
        name: value for name, value in given.items() if name in kept
    }


def _vary(
    random: Random, principal: Principal, check: Check, found: Reads
) -> tuple[Principal, Check, AuxData, int]:
    """Another check that agrees in everything that is read."""
    return (
        structs.replace(
            principal,
            id=principal.id if found.principal_id else f"other{random.random()}",
            attr=_changed(random, principal.attr, found.principal_attributes),
        ),
        structs.replace(
            check,
            resource=structs.replace(
                check.resource,
                id=check.resource.id if found.resource_id else f"other{random.random()}",
                attr=_changed(random, check.resource.attr, found.resource_attributes),
            ),
        ),
        AuxData() if found.aux_data else AuxData(jwt={"iss": "someone"}),
        NOW if found.now else FAR,
    )


@pytest.mark.parametrize(
    "settings",
    [
        EngineSettings(),
        EngineSettings(strict_evaluation=True),
        EngineSettings(lenient_scope_search=True, schema_enforcement="warn"),
    ],
    ids=["plain", "strict", "lenient"],
)
def test_two_checks_that_agree_in_what_is_read_are_answered_alike(settings):
    seed = secrets.randbelow(10**9)
    random = Random(seed)
    for number in range(WORLDS):
        world = World(random, f"w{number}")
        files = [SourceFile(name, text.encode()) for name, text in world.files.items()]
        made = compile_policies(files, settings, check_schemas=False)
        for _ in range(REQUESTS):
            body = request(random, world)
            given = body["principal"]
            principal = Principal(
                id=given["id"], roles=tuple(given["roles"]), attr=given["attr"], scope=given.get("scope", "")
            )
            for entry in body["resources"]:
                asked = entry["resource"]
                resource = Resource(
                    asked["kind"],
                    asked["id"],
                    asked["attr"],
                    asked.get("policyVersion", ""),
                    asked.get("scope", ""),
                )
                check = Check(resource, tuple(entry["actions"]))
                found = made.reads(principal, resource)
                first = made.check(CheckRequest(principal=principal, checks=(check,)), NOW).results[0]
                who, what, aux, when = _vary(random, principal, check, found)
                again = made.check(CheckRequest(principal=who, checks=(what,), aux_data=aux), when).results[0]
                assert _without(again) == _without(first), (seed, found, principal, check, who, what)
