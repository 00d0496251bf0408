"""Builds what tells what a call would do: the gate's analyser, and the clerk's for what the gate leaves to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from gateway import clock
from gateway.config import Config, IdentitySection
from gateway.configuration.rules import facts_settings
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.domain.remembered import Remembered
from gateway.facts.analyser import CallAnalyser, FactsData, facts_data
from gateway.processes.analyst import ClerkLink, GateAnalyst
from gateway.processes.disk_links import DiskLinks


class FactsSetup(Struct, frozen=True, kw_only=True):
    """All that an analyser is built from beside the shipped tables. It holds no credential, not even its hash."""

    config: Config
    places: tuple[str, ...]
    listeners: tuple[str, ...]


def facts_setup(config: Config, places: Sequence[Path], *listeners: str) -> FactsSetup:
    """The setup of a gate with its own places and the addresses it listens on."""
    return FactsSetup(config=config, places=tuple(map(str, places)), listeners=listeners)


class GateFacts(Struct, kw_only=True):
    """The gate's parts: what it analyses itself, and whom it asks for the rest."""

    analyser: CallAnalyser
    analyst: GateAnalyst
    link: ClerkLink
    disk: DiskLinks | None

    async def close(self) -> None:
        """Release connections and threads."""
        await self.link.close()
        if self.disk is not None:
            self.disk.close()


def build_gate_facts(setup: FactsSetup, data: FactsData, socket: Path) -> GateFacts:
    """The gate's analysis. `socket` is the clerk's. Raises ConfigError for facts that can mean nothing."""
    analyser = build_analyser(setup, data)
    bare = structs.replace(setup, config=structs.replace(setup.config, identity=IdentitySection()))
    encoded = msgspec.msgpack.encode(bare)
    link = ClerkLink(socket, lambda: encoded, clock.stopwatch)
    disk = DiskLinks() if setup.config.facts.resolve_symlinks else None
    analyst = GateAnalyst(analyser, link.analyse, disk.look_up if disk is not None else None)
    return GateFacts(analyser=analyser, analyst=analyst, link=link, disk=disk)


def build_analyser(setup: FactsSetup, data: FactsData) -> CallAnalyser:
    """An analyser. Equal setups give analysers that say the same of every call."""
    places = [Path(place) for place in setup.places]
    return CallAnalyser(facts_settings(setup.config, places, setup.listeners, data), data)


def build_clerk_analysis() -> Callable[[bytes, HookEvent, Remembered], Analysis]:
    """Analyses for a gate: with its own setup, which comes with every call; the analyser of the last one is kept."""
    kept: dict[bytes, CallAnalyser] = {}
    data: list[FactsData] = []

    def analyse(setup: bytes, event: HookEvent, remembered: Remembered) -> Analysis:
        analyser = kept.get(setup)
        if analyser is None:
            data[:] = data or [facts_data()]
            kept.clear()
            analyser = kept[setup] = build_analyser(msgspec.msgpack.decode(setup, type=FactsSetup), data[0])
        return analyser.analyse(event, remembered)

    return analyse
