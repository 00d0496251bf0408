"""Builds the embedded policy engine: the shipped packs and the configured policies, compiled and proven by the canary."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from adapters.pdp.local import LocalPdp
from gateway import clock
from gateway.assurance.canary import canary_problem, canary_request
from gateway.config import Config
from gateway.configuration.rules import pack_switches, rules_off
from gateway.errors import PolicyError, StoreError
from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import Engine, compile_policies, compile_steps
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.history import PolicyHistory
from gateway.policy_sets.packs import shipped_packs
from gateway.policy_sets.switches import known_packs, pack_of
from gateway.processes.file_watch import FileWatch
from gateway.processes.slices import in_slices, let_go


class LoadedPolicies(Struct, frozen=True, kw_only=True):
    """A compiled policy set, the files it was made of, and the full names of the rules that are switched off."""

    engine: Engine
    sources: tuple[SourceFile, ...]
    rules_off: tuple[str, ...]
    loosened: tuple[str, ...] = ()
    """Those of them that ship switched on."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its rules."""
        return tuple(rule.name for rule in self.engine.rules())


class PackInForce(Struct, frozen=True, kw_only=True):
    """A shipped pack as the configuration leaves it: the names of its rules, without its own."""

    name: str
    about: str
    on: tuple[str, ...]
    off: tuple[str, ...]

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.on and self.off:
            return f"{len(self.on)} of {len(self.on) + len(self.off)} on"
        return "on" if self.on else "off"


def packs_in_force(config: Config) -> tuple[PackInForce, ...]:
    """Every shipped pack as configured. Raises ConfigError for a switch that no rule has."""
    every = tuple(rule.name for rule in build_engine(config).rules())
    off = frozenset(rules_off(config, every))
    return tuple(
        PackInForce(
            name=pack.name,
            about=pack.about,
            on=tuple(rule.partition(".")[2] for rule in rules if rule not in off),
            off=tuple(rule.partition(".")[2] for rule in rules if rule in off),
        )
        for pack in known_packs()
        for rules in [[rule for rule in every if pack_of(rule) == pack.name]]
    )


def policy_roots(config: Config) -> tuple[Path, ...]:
    """Where policies lie: the shipped packs and the configured directories and archives."""
    return (shipped_packs(), *(Path(path) for path in config.policies))


def policy_sources(config: Config) -> tuple[SourceFile, ...]:
    """The files of the shipped packs and of the configured policies. Raises PolicyError when one cannot be read."""
    return read_roots(policy_roots(config))


def build_engine(config: Config, sources: Sequence[SourceFile] | None = None) -> Engine:
    """The local engine over the shipped packs and the configured policies. Raises PolicyError with every place."""
    return compile_policies(policy_sources(config) if sources is None else sources, _settings(config))


def _settings(config: Config) -> EngineSettings:
    return EngineSettings(pack_switches=pack_switches(config))


def load_policies(config: Config) -> LoadedPolicies:
    """The policy set as configured now. Raises ConfigError or PolicyError; a set that lets the canary live is refused."""
    sources = policy_sources(config)
    return _proven(config, sources, build_engine(config, sources))


async def reload_policies(config: Config, data_dir: Path, allowed: Callable[[], object]) -> LoadedPolicies:
    """As `load_policies`, between the calls that are being answered; kept for comparisons.

    `allowed` raises OstiaryError where nothing may be loaded.
    """
    await asyncio.to_thread(allowed)
    sources = await asyncio.to_thread(policy_sources, config)
    engine = await in_slices(compile_steps(sources, _settings(config)), clock.stopwatch)
    loaded = _proven(config, sources, engine)
    await asyncio.to_thread(keep_policies, data_dir, loaded)
    return loaded


def retirement(policies: LoadedPolicies) -> Callable[[], Awaitable[None]]:
    """Frees a policy set between calls, once it is not in force any more."""
    parts = policies.engine.parts()
    return lambda: let_go(parts, clock.stopwatch)


def policy_watch(
    config: Config,
) -> Callable[[Callable[[], Awaitable[None]]], Coroutine[Any, Any, None]] | None:
    """What awaits a reload whenever policy files changed; None where that is not wanted."""
    return FileWatch(policy_roots(config)).run if config.watch_policies else None


def _proven(config: Config, sources: tuple[SourceFile, ...], engine: Engine) -> LoadedPolicies:
    problem = canary_problem(LocalPdp(engine, clock.now).decide_now(canary_request()))
    if problem:
        raise PolicyError(
            problem, number=40, remedy="Leave policies for the canary's kind to the shipped packs."
        )
    names = tuple(rule.name for rule in engine.rules())
    switched_off = rules_off(config, names)
    as_shipped = rules_off(Config(), names)
    return LoadedPolicies(
        engine=engine,
        sources=sources,
        rules_off=switched_off,
        loosened=tuple(sorted({*switched_off}.difference(as_shipped))),
    )


def keep_policies(data_dir: Path, policies: LoadedPolicies) -> None:
    """Keep a policy set for comparisons; without it the next reload tells less, and nothing else is lost."""
    with contextlib.suppress(StoreError):
        PolicyHistory(data_dir).keep(policies.engine.revision, policies.sources, policies.rules_off)
