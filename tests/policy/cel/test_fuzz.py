"""Differential fuzz: random expressions over random requests, by the real PDP and by this compiler."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.policy.cel.answers import ours
from tests.policy.cel.generate import Generator, request
from tests.policy.cel.pdp import ask
from tests.policy.cel.record import refused

SHORT_ROUND = 500
LONG_ROUND = 1500
LONG_SEEDS = range(1000, 1040)
REQUESTS = 4


def differences(directory: Path, seed: int, count: int) -> list[str]:
    """What the PDP answers otherwise: a value instead of an error or the reverse, or another value."""
    random = Random(seed)
    generator = Generator(random)
    requests = [request(random) for _ in range(REQUESTS)]
    written = [generator.expression() for _ in range(count)]
    wrong = refused(written)
    texts = [text for at, text in enumerate(written) if at not in wrong]
    return [
        f"{text} for request {number}: PDP {wanted}, ours {given}"
        for text, answers in zip(texts, ask(directory, texts, requests), strict=True)
        for number, wanted in enumerate(answers)
        if not (given := ours(text, requests[number])).same(wanted)
    ]


@pytest.mark.pdp
def test_random_expressions_come_to_what_the_pdp_says(tmp_path):
    assert differences(tmp_path, seed=1, count=SHORT_ROUND) == []


@pytest.mark.pdp
@pytest.mark.soak
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_random_expressions_come_to_what_the_pdp_says_for_long(tmp_path, seed):
    assert differences(tmp_path, seed, LONG_ROUND) == []


@pytest.mark.pdp
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_what_this_compiler_refuses_the_pdp_refuses_too(tmp_path, seed):
    random = Random(seed)
    generator = Generator(random)
    written = [generator.expression() for _ in range(LONG_ROUND)]
    texts = [written[at] for at in sorted(refused(written))]
    found = ask(tmp_path, texts, [request(random)], refused=frozenset(range(len(texts))))
    accepted = [
        (text, answers[0]) for text, answers in zip(texts, found, strict=True) if answers[0].kind != "static"
    ]
    assert accepted == []
