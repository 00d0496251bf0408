"""Settings for a roll-out: what each stage holds, what is refused, and that every format parses back to the same values."""

from __future__ import annotations

import ipaddress
import json
import plistlib
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.agents.claude_code_settings import ADVISORY_KEY, settings_data
from adapters.agents.settings_formats import REGISTRY_HEAD, REGISTRY_KEY
from gateway.domain.agent_settings import FORMATS, STAGES, SettingsRequest
from gateway.domain.vocabulary import HOOK_EVENTS
from gateway.errors import ConfigError
from gateway.wiring_commands import build_settings_generator
from tests.support.cli import golden, ostiary
from tests.support.processes import ROOT

URL = "http://127.0.0.1:8787/v1/hooks/claude-code"
VERIFIED = ROOT / "tests" / "fixtures" / "claude-code-settings" / "lockdown-verified.json"
GENERATOR = build_settings_generator("claude-code")


def made(**wanted: object) -> dict:
    return dict(GENERATOR.managed(SettingsRequest(**{"url": URL, **wanted})).document)


def http_hooks(document: dict) -> dict[str, dict]:
    found = {event: groups[0]["hooks"][0] for event, groups in document["hooks"].items()}
    return {event: hook for event, hook in found.items() if hook["type"] == "http"}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_a_public_surface(stage, tmp_path):
    extra = ["--token"] if stage == "lockdown" else []
    ended = ostiary("agent-settings", "claude-code", "--stage", stage, *extra, home=tmp_path)
    assert ended.returncode == 0
    golden(f"agent-settings-{stage}", json.loads(ended.stdout))


def test_observe_takes_nothing_away_and_stops_nobody():
    document = made()
    assert set(document) == {"env", "hooks"}
    assert set(document["env"]) == {"NO_PROXY", "no_proxy", "NODE_TLS_REJECT_UNAUTHORIZED"}
    assert all("onFailure" not in hook for hook in http_hooks(document).values())


def test_enforce_stops_where_the_gateway_is_away_and_drops_hooks_that_could_rewrite():
    document = made(stage="enforce")
    blocking = {event for event, hook in http_hooks(document).items() if hook.get("onFailure") == "block"}
    assert blocking == {
        "UserPromptSubmit",
        "UserPromptExpansion",
        "PreToolUse",
        "PermissionRequest",
        "ConfigChange",
    }
    assert document["requiredMinimumVersion"] == "2.1.295"
    assert document["allowManagedHooksOnly"] is True
    assert "permissions" not in document
    assert "allowedMcpServers" not in document


def test_lockdown_holds_everything_of_the_file_that_was_verified():
    verified = json.loads(VERIFIED.read_text())
    document = made(stage="lockdown", token=True)
    hooks, verified_hooks = document.pop("hooks"), verified.pop("hooks")
    assert set(verified["env"].items()) - set(document["env"].items()) == set()
    document["env"] = verified["env"]
    assert set(verified.pop("httpHookAllowedEnvVars")) < set(document.pop("httpHookAllowedEnvVars"))
    assert document == verified
    assert set(verified_hooks) - set(hooks) == set()
    for event, groups in verified_hooks.items():
        theirs, ours = groups[0]["hooks"][0], hooks[event][0]["hooks"][0]
        if theirs["type"] == "http":
            assert set(theirs["headers"].items()) < set(ours["headers"].items())
            assert {**ours, "headers": 0, "allowedEnvVars": 0} == {
                **theirs,
                "headers": 0,
                "allowedEnvVars": 0,
            }
        else:
            assert set(shlex.split(theirs["command"])) < set(shlex.split(ours["command"]))


def test_what_lockdown_keeps_is_given_by_flags():
    document = made(
        stage="lockdown",
        allow_mcp=("github", "https://mcp.example.com/*", "command:npx -y 'a b'"),
        allow_marketplace=("acme/*", "https://git.acme.com/plugins.git", "npm:@acme/plugins"),
        keep_permissions=True,
        keep_skill_shell=True,
        keep_readable=("Read(**/.env.*)",),
    )
    assert document["allowedMcpServers"] == [
        {"serverName": "github"},
        {"serverUrl": "https://mcp.example.com/*"},
        {"serverCommand": ["npx", "-y", "a b"]},
    ]
    assert document["strictKnownMarketplaces"] == [
        {"source": "github", "repo": "acme/*"},
        {"source": "git", "url": "https://git.acme.com/plugins.git"},
        {"source": "npm", "package": "@acme/plugins"},
    ]
    assert "allowManagedPermissionRulesOnly" not in document
    assert "disableSkillShellExecution" not in document
    assert "Read(**/.env.*)" not in document["permissions"]["deny"]


def test_every_event_is_one_the_client_sends_and_none_replaces_what_the_client_does():
    events = set(settings_data().events)
    assert events <= set(HOOK_EVENTS)
    assert not events & {"WorktreeCreate", "MessageDisplay"}
    assert {event for event, rule in settings_data().events.items() if rule.sent == "command"} == {
        "SessionStart",
        "Setup",
    }


def test_a_flag_that_names_the_companys_own_is_pinned_in_every_stage():
    document = made(
        proxy="http://proxy.acme.com:3128", ca_file="/etc/acme/ca.pem", model_url="https://llm.acme.com"
    )
    assert document["env"]["HTTPS_PROXY"] == "http://proxy.acme.com:3128"
    assert document["env"]["NODE_EXTRA_CA_CERTS"] == "/etc/acme/ca.pem"
    assert document["env"]["ANTHROPIC_BASE_URL"] == "https://llm.acme.com"
    assert "--cacert /etc/acme/ca.pem" in document["hooks"]["SessionStart"][0]["hooks"][0]["command"]


def test_hosts_to_keep_stand_beside_the_literal_host():
    document = made(url="http://[::1]:9000", no_proxy=("intranet.acme.com",))
    assert document["env"]["NO_PROXY"] == "::1,127.0.0.1,localhost,intranet.acme.com"
    assert document["hooks"]["Stop"][0]["hooks"][0]["url"] == "http://[::1]:9000/v1/hooks/claude-code"


def test_the_token_is_sent_when_asked_for_and_never_in_an_argument():
    document = made(token=True)
    hooks = document["hooks"]
    assert hooks["PreToolUse"][0]["hooks"][0]["headers"]["Authorization"] == "Bearer $OSTIARY_TOKEN"
    line = hooks["SessionStart"][0]["hooks"][0]["command"]
    assert "OSTIARY_TOKEN" not in line
    assert "-H @/etc/ostiary/agent-token.header" in line
    assert "OSTIARY_TOKEN" not in json.dumps(made())


def test_the_command_hook_reads_no_file_of_the_user_and_tells_that_it_is_one():
    words = shlex.split(made()["hooks"]["SessionStart"][0]["hooks"][0]["command"])
    assert words[:2] == ["/usr/bin/curl", "-q"]
    assert words[words.index("--noproxy") + 1] == "*"
    assert "X-Ostiary-Notice: session" in words
    assert words[-1] == URL
    assert ">" not in words


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8787",
        "http://gateway.localhost:8787",
        "http://gateway:8787",
        "http://10.0.0.1:8787",
        "http://0.0.0.0:8787",
        "https://0.0.0.0:8787",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://127.1:8787",
        "https://0x7f.1",
        "https://1.2.3",
        "http://user@127.0.0.1:8787",
        "http://user:secret@127.0.0.1:8787",
        "http://127.0.0.1:8787/?x=1",
        "http://127.0.0.1:8787/?",
        "http://127.0.0.1:8787/#x",
        "http://127.0.0.1:8787/v1/../x",
        "http://127.0.0.1:8787/$(id)",
        "http://127.0.0.1:8787/'x",
        "http://127.0.0.1:8787/a b",
        "http://127.0.0.1:8787/\n",
        "http://127.0.0.1\\@evil.example",
        "http://[fe80::1%25eth0]:8787",
        "https://ex ample.com",
        "https://müller.example",
        "ftp://127.0.0.1",
        "127.0.0.1:8787",
        "",
    ],
)
def test_an_address_that_could_mean_another_place_is_refused(url):
    with pytest.raises(ConfigError) as caught:
        made(url=url)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("url", "complete"),
    [
        ("http://127.0.0.1:8787", URL),
        ("http://127.0.0.1:8787/", URL),
        ("http://[0:0:0:0:0:0:0:1]:1/x", "http://[::1]:1/x"),
        ("https://10.0.0.1", "https://10.0.0.1/v1/hooks/claude-code"),
        ("https://ostiary.acme.com/v1/hooks/claude-code", "https://ostiary.acme.com/v1/hooks/claude-code"),
    ],
)
def test_an_address_is_completed_and_written_in_one_way(url, complete):
    assert made(url=url)["hooks"]["Stop"][0]["hooks"][0]["url"] == complete


@pytest.mark.parametrize(
    "wanted",
    [
        {"token_file": "relative", "token": True},
        {"token_file": "/etc/\nx", "token": True},
        {"ca_file": "ca.pem"},
        {"allow_mcp": ("git hub",)},
        {"allow_mcp": ("command:",)},
        {"allow_mcp": ("command:'x",)},
        {"allow_marketplace": ("acme",)},
        {"keep_readable": ("Read(/etc/**)",)},
        {"proxy": "http://x\r\ny"},
        {"no_proxy": ("a\x00b",)},
        {"curl": "curl"},
    ],
)
def test_what_cannot_be_written_safely_is_refused(wanted):
    with pytest.raises(ConfigError) as caught:
        made(stage="lockdown", **wanted)
    assert caught.value.remedy


def test_settings_of_a_project_say_first_that_they_are_advisory():
    document = GENERATOR.project(SettingsRequest(url=URL, stage="lockdown"))
    assert next(iter(document)) == ADVISORY_KEY
    assert document[ADVISORY_KEY].startswith("Advisory")
    assert set(document) == {ADVISORY_KEY, "hooks"}
    assert "block" not in json.dumps(document)


def test_stderr_says_where_it_goes_what_each_key_does_and_what_comes_next(tmp_path):
    ended = ostiary("agent-settings", "claude-code", "--stage", "lockdown", "--token", home=tmp_path)
    document = json.loads(ended.stdout)
    for target in settings_data().targets:
        assert target.path in ended.stderr
        assert target.drop_in in ended.stderr
    named = [*(key for key in document if key not in {"env", "permissions"}), *document["env"]]
    named += [f"permissions.{key}" for key in document["permissions"]]
    for key in named:
        assert key in ended.stderr
    assert "--stage lockdown --token | sudo install" in ended.stderr
    assert "token new" in ended.stderr
    assert "doctor" in ended.stderr


def test_every_key_says_what_it_closes_and_what_it_costs():
    data = settings_data()
    for rule in (*data.keys, *data.pins):
        assert rule.closes
        assert rule.costs


def test_the_configuration_gives_address_deadline_and_whether_a_token_is_needed(tmp_path):
    file = tmp_path / "ostiary.yaml"
    file.write_text(
        "server: {listen: '0.0.0.0:9000', deadline_ms: 9000}\n"
        f"identity: {{tokens: [{{hash: 'sha256:{'0' * 64}', user: alice}}]}}\n"
    )
    ended = ostiary("agent-settings", "claude-code", f"--config={file}", home=tmp_path)
    hook = json.loads(ended.stdout)["hooks"]["PreToolUse"][0]["hooks"][0]
    assert hook["url"] == "http://127.0.0.1:9000/v1/hooks/claude-code"
    assert hook["timeout"] == 10
    assert "Authorization" in hook["headers"]


def test_a_refused_address_ends_with_two_and_prints_no_settings(tmp_path):
    ended = ostiary("agent-settings", "claude-code", "--url", "http://localhost:1", home=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "OST-CFG-050" in ended.stderr


# A text that settings may hold: anything but control characters and halves of characters.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
WORDS = st.lists(TEXT, min_size=1, max_size=3)
ADDRESSES = st.builds(
    lambda address, port, path: f"http://{address}:{port}/{'/'.join(path)}",
    st.sampled_from(["127.0.0.1", "127.8.9.10", "[::1]"]),
    st.integers(1, 65535),
    st.lists(st.from_regex(r"[A-Za-z0-9_~-]{1,8}", fullmatch=True), max_size=3),
)
REQUESTS = st.builds(
    SettingsRequest,
    stage=st.sampled_from(STAGES),
    format=st.sampled_from(FORMATS),
    url=ADDRESSES,
    token=st.booleans(),
    token_file=TEXT.map(lambda text: f"/{text}"),
    ca_file=TEXT.map(lambda text: f"/{text}"),
    proxy=TEXT,
    no_proxy=WORDS.map(tuple),
    allow_mcp=WORDS.map(lambda words: (f"command:{shlex.join(words)}", f"https://{words[0]}")),
    allow_marketplace=TEXT.map(lambda text: (f"npm:{text}",)),
)


def parsed(text: str, form: str) -> object:
    if form == "json":
        return json.loads(text)
    if form == "plist":
        return plistlib.loads(text.encode())
    head, blank, key, value, end = text.split("\r\n")
    assert (head, blank, key, end) == (REGISTRY_HEAD, "", f"[{REGISTRY_KEY}]", "")
    quoted = re.fullmatch(r'"Settings"="((?:[^"\\]|\\["\\])*)"', value)
    assert quoted
    assert value.isascii()
    return json.loads(re.sub(r"\\(.)", r"\1", quoted.group(1)))


@settings(max_examples=60, deadline=None)
@given(REQUESTS)
def test_every_format_parses_back_to_the_same_values(request):
    document = GENERATOR.managed(request).document
    assert parsed(GENERATOR.encode(document, request.format), request.format) == document


@settings(max_examples=60, deadline=None)
@given(REQUESTS)
def test_the_shell_sees_the_same_words(request):
    hook = GENERATOR.managed(request).document["hooks"]["SessionStart"][0]["hooks"][0]
    words = shlex.split(hook["command"])
    assert words[words.index("--cacert") + 1] == request.ca_file
    assert f"@{request.token_file}" in words
    address = words[-1].removeprefix("http://").rpartition(":")[0].strip("[]")
    assert ipaddress.ip_address(address).is_loopback


def test_the_line_is_one_command_for_a_real_shell(tmp_path: Path):
    hook = made(token=True, token_file="/tmp/a'b $(touch pwned) `id`.header")["hooks"]["SessionStart"][0][
        "hooks"
    ][0]
    line = hook["command"].replace("/usr/bin/curl", "printf '%s\\n'", 1)
    ended = subprocess.run(
        ["sh", "-c", line],
        cwd=tmp_path,
        env={"HOME": "/home/$(touch pwned)", "SHELL": '/bin/"x', "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    words = ended.stdout.splitlines()
    assert "@/tmp/a'b $(touch pwned) `id`.header" in words
    assert "X-Ostiary-Home: /home/$(touch pwned)" in words
    assert 'X-Ostiary-Shell: /bin/"x' in words
    assert list(tmp_path.iterdir()) == []
