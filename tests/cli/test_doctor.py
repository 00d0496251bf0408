"""The doctor: green where an installation holds, red with a remedy where it does not, end to end and fact by fact."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gateway.assurance.doctor import Canary, Client, Facts, Finding, examine
from gateway.cli.doctor import body_of
from gateway.domain.agent_settings import InForce, SettingsFile, SettingsRequest
from gateway.domain.record import Record, RecordedReason
from gateway.wiring_commands import build_settings_generator
from tests.support.cli import golden, ostiary
from tests.support.processes import CerbosProcess, GatewayProcess, free_port

URL = "http://127.0.0.1:8787/v1/hooks/claude-code"
GENERATOR = build_settings_generator("claude-code")
STATUS: dict[str, Any] = {
    "version": "1.2.3",
    "pid": 4242,
    "posture": "held",
    "posture_reasons": [],
    "backend": "local",
    "revision": "0123456789ab",
    "policies": 26,
    "rules_off": [],
    "listeners": {"hooks": "127.0.0.1:8787", "admin": "127.0.0.1:8788"},
    "data_dir": "/var/lib/ostiary",
    "journal": {"chain": "x", "problem": "", "failures": 0},
    "clerk": {"running": True, "restarts": 0},
    "readiness": {"ready": True, "checks": {"policies": "ok", "journal": "ok"}, "degraded": {}},
    "mode": "enforce",
    "modes": [],
}


def record(mode: str = "enforce", decision: str = "deny") -> Record:
    return Record(
        schema="ostiary.record/1",
        type="call",
        decision_id="01890a5d-ac96-774b-bcce-b302099a8057",
        mode=mode,
        decision=decision,
        reasons=(RecordedReason(rule="secrets.files"),),
    )


def in_force(stage: str = "enforce", tier: str = "managed", **changed: Any) -> InForce:
    document = dict(GENERATOR.managed(SettingsRequest(url=URL, stage=stage)).document)
    content = json.dumps({**document, **changed}).encode()
    return GENERATOR.in_force([SettingsFile(tier=tier, path=f"/{tier}.json", content=content)], URL)


def facts(**changed: Any) -> Facts:
    whole = Facts(
        own_version="1.2.3",
        program="ostiary",
        hooks_url=URL,
        deadline_seconds=4.0,
        status=STATUS,
        canary=Canary(status=200, stopped=True, record=record()),
        settings=in_force(),
        settings_places=("/managed.json",),
        client=Client(path="/usr/bin/claude", version="2.1.330 (Claude Code)"),
        minimum_version=GENERATOR.minimum_version,
    )
    return structs.replace(whole, **changed)


def red(found: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in found if finding.state == "red"]


def test_a_held_enforcing_installation_is_green():
    found = examine(facts())
    assert red(found) == []
    golden("doctor-green", body_of(found))


def test_without_a_gateway_the_rest_is_still_judged():
    gone = facts(
        status=None, canary=None, problem="No gateway runs.", remedy="Start it.", settings=in_force()
    )
    found = examine(gone)
    assert [finding.check for finding in red(found)] == ["gateway"]
    golden("doctor-red", body_of(found))


STATUS_PROBLEMS = [
    ("version", {"version": "1.0.0"}, "Restart"),
    ("ready", {"readiness": {"ready": False, "checks": {"canary": "It lived."}, "degraded": {}}}, "log"),
    ("record", {"journal": {"chain": "", "problem": "No space left.", "failures": 3}}, "room"),
    ("record", {"clerk": {"running": False, "restarts": 9}}, "log"),
    ("address", {"listeners": {"hooks": "0.0.0.0:8787", "admin": ""}}, "loopback"),
    ("address", {"listeners": {"hooks": "10.1.2.3:8787", "admin": ""}}, "loopback"),
    ("policy", {"policies": 0}, "policies"),
    (
        "policy",
        {
            "backend": "cerbos",
            "readiness": {"checks": {}, "degraded": {"ungoverned_kinds": "No policy for: file."}},
        },
        "policy export",
    ),
    ("policy", {"readiness": {"checks": {}, "degraded": {"away": "The PDP is away."}}}, "PDP"),
]


@pytest.mark.parametrize(("check", "changed", "remedy"), STATUS_PROBLEMS)
def test_what_is_wrong_with_the_gateway_is_red_and_says_what_to_do(check, changed, remedy):
    found = red(examine(facts(status={**STATUS, **changed})))
    assert [finding.check for finding in found] == [check]
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    ("mode", "decision", "stopped", "state"),
    [
        ("enforce", "deny", True, "ok"),
        ("observe", "deny", False, "ok"),
        ("enforce", "deny", False, "red"),
        ("enforce", "allow", False, "red"),
        ("observe", "allow", False, "red"),
        ("observe", "deny", True, "red"),
        ("enforce", "error", True, "red"),
        ("disabled", "", False, "note"),
    ],
)
def test_the_canary_is_judged_by_the_mode_it_was_decided_in(mode, decision, stopped, state):
    canary = Canary(status=200, stopped=stopped, record=record(mode, decision))
    found = [finding for finding in examine(facts(canary=canary)) if finding.check == "canary"]
    assert [finding.state for finding in found] == [state]
    assert found[0].remedy or state == "ok"


def test_a_call_that_this_user_may_not_mark_is_no_fault():
    canary = Canary(tried=False, problem="Not tried: another user's key.", remedy="Ask as that user.")
    assert red(examine(facts(canary=canary))) == []


def test_a_call_without_a_record_is_red():
    found = red(examine(facts(canary=Canary(status=200, stopped=True, record=None))))
    assert "no record" in found[0].says


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            InForce(hooks=(), missing=(), problems=(), minimum_version="", managed=False),
            "nothing is governed",
        ),
        (in_force("observe"), "every call runs, although"),
        (in_force(disableAllHooks=True), "disableAllHooks"),
        (in_force(allowedHttpHookUrls=["https://elsewhere/*"]), "every hook fails"),
        (in_force(httpHookAllowedEnvVars=["PWD"]), "drops HOME, SHELL"),
        (
            GENERATOR.in_force([SettingsFile(tier="managed", path="/m.json", content=b"{")], URL),
            "is no JSON",
        ),
        (
            GENERATOR.in_force([SettingsFile(tier="managed", path="/m.json", content=None)], URL),
            "cannot be read",
        ),
    ],
)
def test_what_is_wrong_with_the_settings_is_red_and_says_what_to_do(settings, says):
    found = red(examine(facts(settings=settings)))
    assert any(says in finding.says for finding in found)
    assert all(finding.remedy for finding in found)


def test_settings_that_stop_everything_while_only_observing_are_red():
    observing = {**STATUS, "mode": "observe"}
    canary = Canary(status=200, record=record("observe"))
    found = red(examine(facts(status=observing, canary=canary)))
    assert [finding.check for finding in found] == ["failure"]
    assert "only observes" in found[0].says
    assert red(examine(facts(status=observing, canary=canary, settings=in_force("observe")))) == []


def test_an_exception_that_enforces_makes_enforce_of_it():
    some = {
        **STATUS,
        "mode": "observe",
        "modes": [{"mode": "enforce", "role": "x", "agent": "*", "event": "*"}],
    }
    found = red(examine(facts(status=some, settings=in_force("observe"))))
    assert [finding.check for finding in found] == ["failure"]


def test_settings_of_a_project_are_told_to_be_advisory():
    found = examine(facts(settings=in_force("enforce", "project")))
    told = [finding for finding in found if "advisory" in finding.says]
    assert [finding.state for finding in told] == ["note"]


def test_a_hook_that_is_missing_or_only_for_some_calls_is_red():
    document = json.loads(json.dumps(GENERATOR.managed(SettingsRequest(url=URL)).document))
    document["hooks"]["PreToolUse"][0]["matcher"] = "Bash"
    document["hooks"]["Stop"][0]["hooks"][0]["timeout"] = 0
    del document["hooks"]["PostToolUse"]
    content = json.dumps(document).encode()
    settings = GENERATOR.in_force([SettingsFile(tier="managed", path="/m.json", content=content)], URL)
    told = " ".join(finding.says for finding in red(examine(facts(settings=settings))))
    assert "PreToolUse is only for some calls" in told
    assert "Stop has timeout 0" in told
    assert "Not posted: PostToolUse, Stop" in told


def test_a_user_may_not_drop_managed_hooks_but_drops_all_others():
    ours = json.dumps(GENERATOR.managed(SettingsRequest(url=URL)).document).encode()
    user = SettingsFile(tier="user", path="/user.json", content=b'{"disableAllHooks": true}')
    managed = GENERATOR.in_force([SettingsFile(tier="managed", path="/m.json", content=ours), user], URL)
    assert len(managed.hooks) > 10
    project = GENERATOR.in_force([SettingsFile(tier="project", path="/p.json", content=ours), user], URL)
    assert project.hooks == ()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8787", "http://[::1]:8787", "https://10.0.0.1/x.y"])
def test_what_lockdown_writes_restricts_no_hook_of_its_own(url):
    document = GENERATOR.managed(SettingsRequest(url=url, stage="lockdown")).document
    file = SettingsFile(tier="managed", path="/m.json", content=json.dumps(document).encode())
    posted = document["hooks"]["Stop"][0]["hooks"][0]["url"]
    assert GENERATOR.in_force([file], posted).problems == ()


def test_a_list_of_the_user_restricts_hooks_of_a_project_and_not_managed_ones():
    ours = json.dumps(GENERATOR.managed(SettingsRequest(url=URL)).document).encode()
    user = SettingsFile(
        tier="user", path="/u.json", content=b'{"allowedHttpHookUrls": ["https://elsewhere/*"]}'
    )
    managed = GENERATOR.in_force([SettingsFile(tier="managed", path="/m.json", content=ours), user], URL)
    assert managed.problems == ()
    project = GENERATOR.in_force([SettingsFile(tier="project", path="/p.json", content=ours), user], URL)
    assert "every hook fails" in project.problems[0][0]


def test_allow_managed_hooks_only_leaves_no_other():
    ours = json.dumps(GENERATOR.managed(SettingsRequest(url=URL)).document).encode()
    only = SettingsFile(tier="managed", path="/m.json", content=b'{"allowManagedHooksOnly": true}')
    found = GENERATOR.in_force([only, SettingsFile(tier="project", path="/p.json", content=ours)], URL)
    assert found.hooks == ()


@pytest.mark.parametrize(
    ("version", "state"),
    [("2.1.294 (Claude Code)", "red"), ("2.1.295", "ok"), ("2.2.0", "ok"), ("1.9.999", "red"), ("?", "note")],
)
def test_a_client_that_ignores_failures_is_red(version, state):
    found = examine(facts(client=Client(path="/x/claude", version=version)))
    assert [finding.state for finding in found if finding.check == "client"] == [state]


def test_a_client_that_gives_up_before_the_gateway_is_red():
    found = red(examine(facts(deadline_seconds=5.0)))
    assert [finding.check for finding in found] == ["settings"]
    assert "deadline" in found[0].remedy


def test_server_managed_settings_are_told():
    found = examine(facts(server_managed="/home/x/.claude/remote-settings.json"))
    assert any("win over files" in finding.says for finding in found)


# End to end: real gateways, real settings files, the command's own exit code.


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A home with a client that tells its version; its PATH holds nothing else."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    client = home / "bin" / "claude"
    client.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "2.1.330 (Claude Code)"\n')
    client.chmod(0o755)
    return home


def doctor(machine: Path, gateway: GatewayProcess, *arguments: object):
    path = f"{machine / 'bin'}:{os.environ['PATH']}"
    return ostiary(
        "doctor",
        "--data-dir",
        gateway.data_dir,
        "--managed-dir",
        machine / "managed",
        *arguments,
        home=machine,
        environment={"PATH": path},
    )


def test_a_trial_is_green(machine, gateway):
    began = ostiary("try", "--data-dir", gateway.data_dir, home=machine)
    assert began.returncode == 0, began.stderr
    ended = doctor(machine, gateway)
    assert ended.returncode == 0, ended.stdout
    assert "Reading a secret would be denied (secrets.files)" in ended.stdout
    assert "While the gateway is away every call runs." in ended.stdout
    assert "Claude Code 2.1.330." in ended.stdout
    assert "advisory" in ended.stdout


def test_a_managed_installation_that_enforces_is_green(machine, enforcing):
    made = ostiary(
        "agent-settings", "claude-code", "--stage", "enforce", "--url", enforcing.hooks_url, home=machine
    )
    (machine / "managed" / "managed-settings.d").mkdir(parents=True)
    (machine / "managed" / "managed-settings.d" / "50-ostiary.json").write_text(made.stdout)
    ended = doctor(machine, enforcing)
    assert ended.returncode == 0, ended.stdout
    assert "Reading a secret is denied (secrets.files), and recorded." in ended.stdout
    assert "50-ostiary.json" in ended.stdout


def test_an_installation_that_governs_nothing_is_red_and_ends_with_one(machine, gateway):
    ended = doctor(machine, gateway)
    assert ended.returncode == 1
    assert "nothing is governed" in ended.stdout
    assert "try DIR" in ended.stdout


def test_the_json_output_says_the_same(machine, gateway):
    ended = doctor(machine, gateway, "--json")
    document = json.loads(ended.stdout)
    assert document["schema"] == "ostiary.doctor/1"
    assert document["ok"] is False
    assert ended.returncode == 1
    reds = [finding for finding in document["findings"] if finding["state"] == "red"]
    assert [finding["check"] for finding in reds] == ["settings"]


def test_no_gateway_is_red_with_how_to_start_one(machine, tmp_path):
    ended = ostiary(
        "doctor", "--data-dir", tmp_path / "none", "--managed-dir", machine / "managed", home=machine
    )
    assert ended.returncode == 1
    assert "No gateway runs" in ended.stdout
    assert "ostiary serve" in ended.stdout


def test_its_call_stays_out_of_searches(machine, gateway):
    doctor(machine, gateway)
    plain = ostiary("audit", "search", "--json", "--data-dir", gateway.data_dir, home=machine)
    assert json.loads(plain.stdout)["rows"] == []
    every = ostiary("audit", "search", "--json", "--synthetic", "--data-dir", gateway.data_dir, home=machine)
    rows = json.loads(every.stdout)["rows"]
    assert [row["record"]["tool"] for row in rows] == ["Read"]
    assert rows[0]["record"]["synthetic"] is True


def test_an_address_where_somebody_else_answers_is_red(machine, gateway):
    ended = doctor(machine, gateway, "--url", f"http://127.0.0.1:{free_port()}/v1/hooks/claude-code")
    assert ended.returncode == 1
    assert "Nothing answers" in ended.stdout


APPLICATION = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: album
  version: default
  rules:
  - {actions: ['*'], effect: EFFECT_ALLOW, roles: [user]}
"""


@pytest.mark.pdp
def test_a_pdp_without_our_packs_is_red_with_how_to_load_them(machine, tmp_path):
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "album.yaml").write_text(APPLICATION)
    with CerbosProcess(tmp_path / "cerbos", policies) as pdp:
        settings = {"backend": "cerbos", "cerbos.url": pdp.url}
        with GatewayProcess(tmp_path / "gateway", settings) as gateway:
            ended = doctor(machine, gateway)
    assert ended.returncode == 1
    assert "ostiary_canary" in ended.stdout or "no policy for" in ended.stdout
    assert "policy export --for cerbos DIR" in ended.stdout
