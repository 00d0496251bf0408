"""Observing takes nothing away: with the gateway, without it and with none of our hooks a session ends the same."""

from __future__ import annotations

import pytest

from tests.client.account import account_with
from tests.client.conftest import StartGateway
from tests.client.settings import hooks
from tests.support.processes import free_port

pytestmark = pytest.mark.client


def test_no_outcome_of_a_session_changes_while_we_observe(start_gateway: StartGateway) -> None:
    gateway = start_gateway({"mode": "observe"})
    alone = account_with({})

    observed = account_with(hooks(gateway.hooks_url))
    gateway_away = account_with(hooks(f"http://127.0.0.1:{free_port()}/v1/hooks/claude-code"))

    assert alone["verdicts"]["write-never"] == "denied"
    assert {"ran", "failed", "denied"} <= set(alone["verdicts"].values())
    assert observed == alone
    assert gateway_away == alone
