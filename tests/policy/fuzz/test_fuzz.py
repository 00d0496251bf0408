"""Random policy sets and requests: our engine and the real PDP give the same effects, and nearly always the same answer.

One round is a PDP over a dozen policy sets of one configuration. `OSTIARY_FUZZ_SEED` repeats a run; every failure prints
the seed and the files. `make test` does a few rounds, `make soak` many.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from random import Random

import pytest

from tests.policy.fuzz.comparison import compare
from tests.policy.fuzz.oracle import OurPdp, RealPdp, start_pdp
from tests.policy.fuzz.requests import request, spoil
from tests.policy.fuzz.worlds import SCHEMA, World

SETTINGS = (
    {},
    {"engine": {"lenientScopeSearch": True}},
    {"engine": {"strictEvaluation": True}},
    {"engine": {"strictEvaluation": True, "lenientScopeSearch": True}},
    {"schema": {"enforcement": "warn"}},
    {"schema": {"enforcement": "reject"}},
    {"auxData": {"jwt": {"disableVerification": True}}},
    {
        "auxData": {"jwt": {"disableVerification": True}},
        "engine": {"lenientScopeSearch": True, "strictEvaluation": True},
        "schema": {"enforcement": "warn"},
    },
    {"engine": {"defaultScope": "w0a", "defaultPolicyVersion": "w1v2", "lenientScopeSearch": True}},
)
WORLDS = 12
REQUESTS = 40
SHORT_ROUNDS = len(SETTINGS)
LONG_ROUNDS = 200
WHOLE = 0.995


class Round:
    """One PDP, many policy sets, many requests."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.directory = directory
        self.policies = directory / "policies"
        given = SETTINGS[seed % len(SETTINGS)]
        self.worlds = [
            World(self.random, f"w{number}", tokens="auxData" in given) for number in range(WORLDS)
        ]
        globals_ = {"limit": 5, "names": ["x", "zz"], "nested": {"k": "x"}}
        self.config = {**given, "engine": {**given.get("engine", {}), "globals": globals_}}
        self.asked = self.whole = 0
        self.wrong: list[str] = []
        self.odd: list[str] = []

    def run(self) -> None:
        """Write the sets, ask both, note what differs."""
        (self.policies / "_schemas").mkdir(parents=True)
        (self.policies / "_schemas" / "fuzz.json").write_text(json.dumps(SCHEMA))
        for world in self.worlds:
            for name, text in world.files.items():
                (self.policies / name).write_text(text)
        ours = OurPdp.over(self.policies, self.config)
        with start_pdp(self.directory / "pdp", self.policies, self.config) as process:
            real = RealPdp(process)
            for world in self.worlds:
                for _ in range(REQUESTS):
                    self._ask(real, ours, world)
            real.close()

    def _ask(self, real: RealPdp, ours: OurPdp, world: World) -> None:
        given = request(self.random, world)
        body = spoil(self.random, given) if self.random.random() < 0.05 else json.dumps(given).encode()
        wanted, found = real.ask(body), ours.ask(body)
        outcome = compare(wanted, found)
        self.asked += 1
        self.whole += outcome.whole
        if not outcome.whole:
            note = f"seed {self.seed}, {self.config}\n  {body.decode()}\n  PDP   {wanted}\n  ours  {found}"
            (self.odd if outcome.effects else self.wrong).append(note)


def _fuzz(rounds: int, directory: Path) -> None:
    first = int(os.environ.get("OSTIARY_FUZZ_SEED") or secrets.randbelow(10**9))
    sys.stdout.write(f"OSTIARY_FUZZ_SEED={first}\n")
    done = []
    for seed in range(first, first + rounds):
        one = Round(seed, directory / str(seed))
        one.run()
        assert not one.wrong, "\n".join(one.wrong[:3])
        done.append(one)
    asked, whole = sum(one.asked for one in done), sum(one.whole for one in done)
    sys.stdout.write(f"{rounds} seeds, {asked} requests, {asked - whole} answers differ, no effect does\n")
    odd = [note for one in done for note in one.odd]
    assert whole >= WHOLE * asked, f"{asked - whole} of {asked} differ:\n" + "\n".join(odd[:5])


@pytest.mark.pdp
def test_the_engine_decides_as_the_real_pdp(tmp_path):
    _fuzz(SHORT_ROUNDS, tmp_path)


@pytest.mark.soak
@pytest.mark.pdp
def test_the_engine_decides_as_the_real_pdp_for_a_long_time(tmp_path):
    _fuzz(LONG_ROUNDS, tmp_path)
