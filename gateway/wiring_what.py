"""Builds what tells a command's operations and what the policies of a configuration say of them, without a gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from adapters.pdp.local import LocalPdp
from gateway import clock
from gateway.config import Config
from gateway.configuration.rules import check_settings, stance
from gateway.configuration.sources import data_dir_of
from gateway.domain.decision import Decision
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.principal import Principal, Proof, sorted_roles
from gateway.enforcement.checks import Questions
from gateway.enforcement.combine import combine
from gateway.enforcement.verdict import judge
from gateway.facts.analyser import facts_data
from gateway.policy_sets.packs import shipped_packs
from gateway.wiring_facts import build_analyser, facts_setup
from gateway.wiring_policies import load_policies


class Forecast(Struct, frozen=True, kw_only=True):
    """What a call would do, and what policy would decide about it in `enforce`."""

    analysis: Analysis
    decision: Decision


def build_forecast(
    config: Config, environment: Mapping[str, str], roles: tuple[str, ...]
) -> Callable[[HookEvent], Forecast]:
    """Forecasts for somebody with these roles. Raises ConfigError or PolicyError."""
    data = facts_data()
    places = [Path(__file__).resolve().parent, shipped_packs(), *map(Path, config.policies)]
    setup = facts_setup(
        config, [data_dir_of(config, environment), *places], config.server.listen, config.server.admin_listen
    )
    analyser = build_analyser(setup, data)
    policies = load_policies(config)
    pdp = LocalPdp(policies.engine, clock.now)
    questions = Questions(check_settings(config, policies.rules_off), pdp)
    principal = Principal(
        id="local", roles=sorted_roles(roles), proof=Proof(provider="what", subject="local", at=clock.now())
    )
    how = stance(config)

    def forecast(event: HookEvent) -> Forecast:
        analysis = analyser.analyse(event)
        question = questions.ask(event, analysis, principal, "what")
        verdict = judge(combine(question, pdp.decide_now(question.request)), analysis, (), how)
        return Forecast(analysis=analysis, decision=verdict.decision)

    return forecast
