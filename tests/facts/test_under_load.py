"""Hiding behind the limits: the budget counts steps, so that no load and no padding takes a fact away."""

from __future__ import annotations

import threading

import msgspec
import pytest

from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from tests.facts.test_memo import event

DATA = facts_data()
FILES = 500
HARD = [
    "for a in 1 2 3; do for b in 1 2 3; do f() { cat $a/$b/.env; }; f; done; done",
    "cat " + " ".join(f"f{number}" for number in range(400)) + " .env",
    "x=(); " + "; ".join(f"x+=({number}); rm ${{x[{number}]}}" for number in range(60)),
    "; ".join("cat a | sh" for _ in range(2_500)),
]


@pytest.mark.parametrize("command", HARD, ids=range(len(HARD)))
def test_facts_are_equal_idle_and_beside_burning_threads(command: str):
    idle = msgspec.json.encode(CallAnalyser(FactsSettings(), DATA).analyse(event(command)))
    stop = threading.Event()

    def burn() -> None:
        while not stop.is_set():
            sum(range(500))

    threads = [threading.Thread(target=burn) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        loaded = msgspec.json.encode(CallAnalyser(FactsSettings(), DATA).analyse(event(command)))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert loaded == idle


@pytest.mark.parametrize("position", [0, 1, 199, 200, 201, 350, FILES - 1])
def test_a_protected_file_among_many_is_found_at_every_position(position: str):
    names = [f"f{number}" for number in range(FILES)]
    names[position] = "/etc/shadow"
    found = CallAnalyser(FactsSettings(), DATA).analyse(event("cat " + " ".join(names)))
    assert found.truncated
    assert found.operations[0].id == "/etc/shadow"
    assert "secrets" in found.groups
