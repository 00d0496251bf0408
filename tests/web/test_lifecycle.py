"""Stopping loses nothing that was answered; reloading never puts a bad policy set in force."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from pathlib import Path

from gateway.identity.tokens import hash_token
from tests.support.http import get, metric, post, records, send, wait_for_record, word
from tests.support.payloads import PROJECT, pre_tool_use
from tests.support.pdp_stub import PdpStub
from tests.support.processes import PATIENCE_SECONDS, GatewayProcess, wait_until

IN_FLIGHT = 12
READ = {"file_path": f"{PROJECT}/src/app.py"}
SITE_RULE = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  version: default
  resource: file
  scope: site
  rules:
    - name: site.no_src
      actions: ["*"]
      effect: EFFECT_DENY
      roles: ["*"]
      condition: {match: {expr: R.attr.path.contains("/src/")}}
      output: {when: {ruleActivated: '"the sources are frozen"'}}
    - {name: site.rest, actions: ["*"], effect: EFFECT_ALLOW, roles: ["*"]}
"""
LIVING_CANARY = """apiVersion: api.cerbos.dev/v1
principalPolicy:
  version: default
  principal: canary
  rules:
    - resource: ostiary_canary
      actions: [{action: "*", effect: EFFECT_ALLOW, name: site.canary}]
"""


def test_a_stop_answers_the_calls_in_flight_and_records_them_all(tmp_path):
    with PdpStub(slow_seconds=1.0) as stub:
        settings = {
            "mode": "enforce",
            "backend": "cerbos",
            "cerbos.url": stub.url,
            "cerbos.timeout_ms": 20_000,
            "server.deadline_ms": 30_000,
            "server.drain_seconds": 30,
        }
        gateway = GatewayProcess(tmp_path / "gateway", settings)
        stub.behaviour = "slow"
        answers: list[str] = []
        calls = [pre_tool_use("Read", READ) for _ in range(IN_FLIGHT)]
        threads = [
            threading.Thread(target=lambda call=call: answers.append(word(post(gateway, call))))
            for call in calls
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(stub.asked) >= IN_FLIGHT, "all calls at the backend")
        gateway.process.send_signal(signal.SIGTERM)
        wait_until(lambda: get_status(gateway, "/readyz") == 503, "the red probe while draining")
        for thread in threads:
            thread.join()
        # No second signal: the handlers are gone once the loop has ended.
        assert gateway.process.wait(PATIENCE_SECONDS) == 0
        assert answers == ["pass"] * IN_FLIGHT
        assert {record["call_id"] for record in records(gateway, event="PreToolUse")} == {
            call["tool_use_id"] for call in calls
        }
        assert [record["gate"]["action"] for record in records(gateway, type="gate")] == ["start", "stop"]
        (chain,) = (gateway.data_dir / "audit").glob("*.gate.*")
        last = json.loads(max(chain.glob("*.jsonl")).read_bytes().splitlines()[-1])
        assert last["close"] is True


def get_status(gateway: GatewayProcess, path: str) -> int:
    try:
        return get(f"{gateway.admin_url}{path}").status
    except OSError:
        return 0


def test_calls_that_were_only_counted_are_told_when_the_gate_stops(tmp_path):
    token = "ost_" + "t" * 32
    entries = json.dumps([{"hash": hash_token(token), "user": "ada", "roles": ["engineer"]}])
    settings = {
        "mode": "enforce",
        "identity.tokens": entries,
        "quota.requests": 5,
        "quota.anonymous_records": 3,
    }
    with GatewayProcess(tmp_path / "gateway", settings) as gateway:
        for _ in range(9):
            post(gateway, pre_tool_use("Read", READ), token)
            post(gateway, pre_tool_use("Read", READ))
        gateway.stop()
        told = {
            record["principal"]["id"]: record["gate"]
            for record in records(gateway, type="gate")
            if record["gate"]["action"] == "counted"
        }
        counted = sum(gate["unrecorded"] for gate in told.values())
        kept = [record for record in records(gateway) if record["type"] != "gate"]
        assert counted + len(kept) == 18
        assert told["anonymous"]["over_quota"] >= 0
        assert told["ada"]["over_quota"] >= told["ada"]["unrecorded"] > 0


def hang_up(gateway: GatewayProcess) -> None:
    gateway.process.send_signal(signal.SIGHUP)


def actions(gateway: GatewayProcess) -> list[dict]:
    return [record["gate"] for record in records(gateway, type="gate")]


def wait_for_action(gateway: GatewayProcess, action: str, count: int = 1) -> dict:
    def done() -> list[dict]:
        return [gate for gate in actions(gateway) if gate["action"] == action]

    wait_until(lambda: len(done()) >= count, f"the record of {action}")
    return done()[-1]


def test_a_good_policy_set_replaces_the_old_one_and_the_change_is_a_record(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    with GatewayProcess(tmp_path / "gateway", {"mode": "enforce", "policies": f"[{site}]"}) as gateway:
        assert word(post(gateway, pre_tool_use("Read", READ))) == "pass"
        (site / "file.yaml").write_text(SITE_RULE)
        hang_up(gateway)
        change = wait_for_action(gateway, "reload")
        reply = post(gateway, pre_tool_use("Read", READ))
        assert word(reply) == "deny"
        assert "the sources are frozen" in str(reply.json)
        record = wait_for_record(gateway, decision="deny")
        assert (change["before"] != change["after"], change["after"]) == (True, record["revision"])
        assert metric(gateway, "ostiary_rule_hits_total", rule="site.no_src") == 1
        assert metric(gateway, "ostiary_policy_info", revision=change["after"]) == 1


def test_a_bad_policy_set_leaves_the_last_good_one_in_force_and_says_so_everywhere(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "file.yaml").write_text(SITE_RULE)
    viewer = "ost_" + "v" * 32
    config = tmp_path / "config.yaml"
    config.write_text(
        f"identity:\n  tokens:\n    - {{hash: '{hash_token(viewer)}', user: eve, class: viewer}}\n"
        f"    - {{hash: '{hash_token('ost_' + 'a' * 32)}', user: ada, roles: [engineer]}}\n"
    )
    settings = {"mode": "enforce", "policies": f"[{site}]"}
    with GatewayProcess(tmp_path / "gateway", settings, config=config) as gateway:
        (site / "file.yaml").write_text(SITE_RULE.replace("contains(", "contains("[:-1]))
        hang_up(gateway)
        refused = wait_for_action(gateway, "reload_refused")
        assert "file.yaml" in refused["problem"]
        assert word(post(gateway, pre_tool_use("Read", READ), "ost_" + "a" * 32)) == "deny"
        assert metric(gateway, "ostiary_policy_last_reload_successful") == 0
        detail = send(
            f"{gateway.admin_url}/readyz?verbose", method="GET", headers={"Authorization": f"Bearer {viewer}"}
        )
        assert (detail.status, "file.yaml" in detail.json["degraded"]["policies"]) == (200, True)
        assert '"policies_refused"' in gateway.output
        shutil.rmtree(site)
        hang_up(gateway)
        wait_for_action(gateway, "reload_refused", 2)
        site.mkdir()
        hang_up(gateway)
        wait_for_action(gateway, "reload")
        wait_until(lambda: metric(gateway, "ostiary_policy_last_reload_successful") == 1, "a good reload")
        assert word(post(gateway, pre_tool_use("Read", READ), "ost_" + "a" * 32)) == "pass"


def test_a_policy_set_that_lets_the_canary_live_is_refused(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    with GatewayProcess(tmp_path / "gateway", {"mode": "enforce", "policies": f"[{site}]"}) as gateway:
        (site / "canary.yaml").write_text(LIVING_CANARY)
        hang_up(gateway)
        assert "canary" in wait_for_action(gateway, "reload_refused")["problem"]
        assert word(post(gateway, pre_tool_use("Read", READ))) == "pass"


def test_a_gate_that_cannot_stop_calls_in_time_still_ends_and_keeps_a_whole_record(tmp_path):
    with PdpStub(slow_seconds=20.0) as stub:
        settings = {
            "mode": "enforce",
            "backend": "cerbos",
            "cerbos.url": stub.url,
            "server.drain_seconds": 0.2,
        }
        gateway = GatewayProcess(tmp_path / "gateway", settings)
        stub.behaviour = "slow"
        thread = threading.Thread(target=lambda: ignore(gateway))
        thread.start()
        wait_until(lambda: len(stub.asked) > 2, "the call at the backend")
        assert gateway.stop() == 0
        thread.join()
        assert actions(gateway)[-1]["action"] == "stop"


def ignore(gateway: GatewayProcess) -> None:
    try:
        post(gateway, pre_tool_use("Read", READ))
    except OSError:
        return


def test_everything_a_gateway_under_test_leaves_is_its_directorys(tmp_path):
    with GatewayProcess(tmp_path / "gateway", {"mode": "observe"}) as gateway:
        post(gateway, pre_tool_use("Read", READ))
        pid = gateway.process.pid
        assert Path(f"/proc/{pid}").exists()
    assert not (gateway.data_dir / "admin.sock").exists()


def test_watched_policies_are_loaded_anew_once_their_files_rest(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    settings = {"mode": "enforce", "policies": f"[{site}]", "watch_policies": True}
    with GatewayProcess(tmp_path / "gateway", settings) as gateway:
        assert word(post(gateway, pre_tool_use("Read", READ))) == "pass"
        (site / "file.yaml").write_text(SITE_RULE)
        wait_for_action(gateway, "reload")
        assert word(post(gateway, pre_tool_use("Read", READ))) == "deny"


def test_reloads_come_one_after_the_other(tmp_path):
    with GatewayProcess(tmp_path / "gateway", {"mode": "enforce"}) as gateway:
        for _ in range(4):
            hang_up(gateway)
        wait_for_action(gateway, "reload")
        hang_up(gateway)
        assert word(post(gateway, pre_tool_use("Read", READ))) == "pass"
        assert gateway.stop() == 0
