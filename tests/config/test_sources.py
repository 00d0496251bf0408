"""The configuration: precedence of its sources, and errors that name the place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway.config import Config
from gateway.configuration.sources import default_data_dir, load
from gateway.errors import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ostiary.yaml"
    path.write_text(text)
    return path


def test_nothing_configured_observes_on_loopback():
    config = load(None, {})
    assert config.mode == "observe"
    assert config.server.listen == "127.0.0.1:8787"
    assert config.failure_policy["pdp_unavailable"] == "deny"


def test_flags_beat_set_beats_environment_beats_file(tmp_path):
    file = write(
        tmp_path,
        "mode: enforce\nserver: {listen: '127.0.0.1:1', deadline_ms: 1, admin_listen: '127.0.0.1:2'}\n",
    )
    environment = {"OSTIARY__SERVER__LISTEN": "127.0.0.1:11", "OSTIARY__SERVER__DEADLINE_MS": "11"}
    config = load(file, environment, ["server.listen=127.0.0.1:21"], {"server.listen": "127.0.0.1:31"})
    assert config.mode == "enforce"
    assert config.server.admin_listen == "127.0.0.1:2"
    assert config.server.deadline_ms == 11
    assert config.server.listen == "127.0.0.1:31"


def test_environment_values_are_yaml():
    config = load(None, {"OSTIARY__POLICIES": "[./mine, ./theirs]", "OSTIARY__PACKS": "{baseline: false}"})
    assert config.policies == ("./mine", "./theirs")
    assert config.packs == {"baseline": False}


def test_one_failure_policy_leaves_the_others_as_they_are():
    config = load(None, {"OSTIARY__FAILURE_POLICY__PDP_UNAVAILABLE": "pass"})
    assert config.failure_policy["pdp_unavailable"] == "pass"
    assert config.failure_policy["record_failed"] == "deny"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("mode: enforce\nserver:\n  listn: x\n", 3, "server.listn"),
        ("mode: enforced\n", 1, "mode"),
        ("mode: on\n", 1, "mode"),
        ("mode: observe\nmode: enforce\n", 2, "twice"),
        ("failure_policy:\n  pdp_away: deny\n", 2, "pdp_away"),
        ("modes:\n- mode: observe\n  rle: x\n", 3, "modes[0].rle"),
        ("failure_policy:\n  opaque: pass\n  over_quota: maybe\n", 3, "failure_policy.over_quota"),
        (
            "identity:\n  tokens:\n  - {hash: x, user: u}\n  - {hash: x, user: 3}\n",
            4,
            "identity.tokens[1].user",
        ),
        ("mode: &a observe\nbackend: *a\n", 1, "alias"),
        ("mode: !!python/name:os.system\n", 1, "tag"),
        ("mode: \x00\n", 1, "YAML"),
        ("server:\n  deadline_ms: 0\n", 2, "deadline_ms"),
        ("server: [\n", 2, "YAML"),
        ("- mode\n", 1, "mapping"),
        ("identity:\n  tokens:\n  - {hash: x, user: u, class: root}\n", 3, "class"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(tmp_path, text, line, words):
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), {})
    assert f"ostiary.yaml:{line}" in str(caught.value)
    assert words in str(caught.value)
    assert caught.value.remedy


def test_a_mistake_outside_the_file_names_the_variable_or_flag():
    with pytest.raises(ConfigError, match="OSTIARY__SERVER__LISTN"):
        load(None, {"OSTIARY__SERVER__LISTN": "x"})
    with pytest.raises(ConfigError, match="--set mode"):
        load(None, {}, ["mode=nope"])
    with pytest.raises(ConfigError, match="--set"):
        load(None, {}, ["mode"])


def test_a_misspelt_key_is_told_with_the_one_that_was_meant(tmp_path):
    with pytest.raises(ConfigError, match=r"Did you mean server\.listen\?"):
        load(write(tmp_path, "server:\n  lisen: x\n"), {})


def test_more_than_one_gate_process_is_refused():
    with pytest.raises(ConfigError, match=r"server\.workers"):
        load(None, {"OSTIARY__SERVER__WORKERS": "2"})


def names(struct: type) -> list[str]:
    return list(struct.__struct_encode_fields__)


def test_no_key_of_ours_is_a_yaml_boolean():
    for key in [*names(Config), "observe", "enforce", "disabled", "deny", "pass", "ask", "local", "cerbos"]:
        assert isinstance(yaml.safe_load(key), str)


def test_data_is_never_kept_in_the_working_directory():
    assert default_data_dir({"XDG_STATE_HOME": "/state", "HOME": "/home/u"}) == Path("/state/ostiary")
    assert default_data_dir({"XDG_STATE_HOME": "relative", "HOME": "/home/u"}) == Path(
        "/home/u/.local/state/ostiary"
    )
    with pytest.raises(ConfigError):
        default_data_dir({})
