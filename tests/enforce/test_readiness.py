"""Readiness: every check must hold, notes only degrade, and a watched check is asked when readiness is asked for."""

from __future__ import annotations

import pytest

from gateway.assurance.readiness import CHECKS, Readiness


def made() -> Readiness:
    readiness = Readiness()
    for check in CHECKS:
        readiness.set(check, "")
    return readiness


def test_nothing_is_ready_before_every_check_was_made():
    readiness = Readiness()
    for check in CHECKS:
        assert not readiness.ready
        readiness.set(check, "")
    assert readiness.ready


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_alone_makes_it_red(check):
    readiness = made()
    readiness.set(check, "broken")
    assert not readiness.ready
    assert readiness.detail()["checks"][check] == "broken"


def test_a_note_degrades_and_is_taken_back():
    readiness = made()
    readiness.note("away", "The PDP is away.")
    assert (readiness.ready, readiness.degraded) == (True, True)
    assert readiness.detail()["degraded"] == {"away": "The PDP is away."}
    readiness.note("away", "")
    assert not readiness.degraded


def test_a_watched_check_tells_what_holds_now():
    problem = [""]
    readiness = made()
    readiness.watch("journal", lambda: problem[0])
    assert readiness.ready
    problem[0] = "The journal cannot be written."
    assert not readiness.ready
    assert readiness.detail()["checks"]["journal"] == problem[0]


def test_a_check_nobody_knows_is_a_mistake():
    with pytest.raises(KeyError):
        made().set("weather", "")
