"""An engine as the checker of suites: every test may bring settings and a time of its own."""

from __future__ import annotations

import msgspec
from msgspec import structs

from gateway.domain.check import CheckRequest, ResourceDecision
from gateway.policy.cel import Activation
from gateway.policy.engine import Engine
from gateway.policy.settings import EngineSettings
from gateway.policy.suites.model import Options


class WatchedClock(Activation):
    """An activation without a time, that notes when an expression asks for it."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = False
        super().__init__()

    @property
    def now(self) -> int:
        """The beginning of time."""
        self.asked = True
        return 0

    @now.setter
    def now(self, value: int) -> None:
        """Without effect: there is no time."""


class EngineChecker:
    """Answers the checks of suites. Engines are made once for each set of options."""

    def __init__(self, engine: Engine, settings: EngineSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._engines: dict[bytes, Engine] = {}

    def __call__(self, request: CheckRequest, options: Options) -> tuple[ResourceDecision, bool]:
        """The decision of the one resource, and whether a time was asked for that the options do not hold."""
        engine = self._with(options)
        if options.now is not None:
            return engine.check(request, options.now).results[0], False
        clock = WatchedClock()
        return engine.check_with(request, clock).results[0], clock.asked

    def _with(self, options: Options) -> Engine:
        key = msgspec.json.encode(structs.replace(options, now=None), order="deterministic")
        engine = self._engines.get(key)
        if engine is None:
            settings = structs.replace(
                self._settings,
                globals=options.globals or self._settings.globals,
                default_version=options.default_version or self._settings.default_version,
                default_scope=options.default_scope or self._settings.default_scope,
                lenient_scope_search=options.lenient_scope_search or self._settings.lenient_scope_search,
                strict_evaluation=options.strict_evaluation or self._settings.strict_evaluation,
            )
            engine = self._engines[key] = self._engine.with_settings(settings)
        return engine
