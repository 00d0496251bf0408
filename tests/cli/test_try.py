"""A trial in one project: our hooks beside what was there, and everything back, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.agent_settings import SettingsRequest
from gateway.errors import ConfigError
from gateway.trial import Changed, Trial
from gateway.wiring_commands import build_settings_generator
from tests.support.cli import ostiary
from tests.support.processes import GatewayProcess, free_port

URL = "http://127.0.0.1:8787/v1/hooks/claude-code"
ODD = b'\xef\xbb\xbf{ "permissions": {"allow":["Bash(ls)"]},\r\n\t"env":{"A":"\\u00e9"}, "hooks":{"Stop":[]}}  \n\n'
GENERATOR = build_settings_generator("claude-code")
ADDED = GENERATOR.project(SettingsRequest(url=URL))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "work" / "project"
    made.mkdir(parents=True)
    return made


def local(project: Path) -> Path:
    return project / ".claude" / "settings.local.json"


def run(project: Path, *arguments: str, **environment: str):
    return ostiary("try", project, *arguments, home=project.parents[1], environment=environment)


@pytest.mark.parametrize("there", [None, b"", b"{}", ODD], ids=["none", "empty", "object", "odd"])
def test_undo_restores_every_byte_and_the_mode(project, there):
    if there is not None:
        local(project).parent.mkdir()
        local(project).write_bytes(there)
        local(project).chmod(0o640)
    assert run(project).returncode == 0
    assert "PreToolUse" in json.loads(local(project).read_text())["hooks"]
    ended = run(project, "--undo")
    assert ended.returncode == 0, ended.stderr
    if there is None:
        assert list(project.iterdir()) == []
    else:
        assert local(project).read_bytes() == there
        assert local(project).stat().st_mode & 0o777 == 0o640
        assert list(local(project).parent.iterdir()) == [local(project)]


def test_a_folder_that_was_there_stays(project):
    local(project).parent.mkdir()
    (local(project).parent / "commands").mkdir()
    run(project)
    run(project, "--undo")
    assert [path.name for path in local(project).parent.iterdir()] == ["commands"]


def test_what_was_there_keeps_working_and_ours_says_first_that_it_is_advisory(project):
    local(project).parent.mkdir()
    own = {"hooks": [{"type": "command", "command": "true"}]}
    local(project).write_text(json.dumps({"model": "opus", "hooks": {"Stop": [own]}}))
    ended = run(project)
    document = json.loads(local(project).read_text())
    assert next(iter(document)) == "_ostiary"
    assert document["_ostiary"].startswith("Advisory")
    assert document["model"] == "opus"
    assert document["hooks"]["Stop"][0] == own
    assert document["hooks"]["Stop"][1]["hooks"][0]["url"] == URL
    assert "onFailure" not in local(project).read_text()
    for part in ('+  "_ostiary"', '-{"model"', "--undo", "kept in"):
        assert part in ended.stdout


def test_the_backup_is_private_and_not_in_the_project(project):
    local(project).parent.mkdir()
    local(project).write_text("{}")
    run(project)
    backups = list((project.parents[1] / ".local/state/ostiary/try").rglob("original"))
    assert [backup.read_text() for backup in backups] == ["{}"]
    assert backups[0].parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in project.rglob("*")) == [".claude", "settings.local.json"]


def test_undo_refuses_to_drop_changes_that_came_after(project):
    run(project)
    changed = local(project).read_text().replace('"Setup"', '"Mine"')
    local(project).write_text(changed)
    ended = run(project, "--undo")
    assert ended.returncode == 2
    assert "--force" in ended.stderr
    assert "Mine" in ended.stdout
    assert local(project).read_text() == changed
    assert run(project, "--undo", "--force").returncode == 0
    assert list(project.iterdir()) == []


def test_undo_refuses_where_the_file_was_removed_after(project):
    local(project).parent.mkdir()
    local(project).write_text("{}")
    run(project)
    local(project).unlink()
    assert run(project, "--undo").returncode == 2
    assert run(project, "--undo", "--force").returncode == 0
    assert local(project).read_text() == "{}"


def test_a_second_try_changes_nothing_and_one_with_another_address_moves_the_hooks(project):
    run(project)
    first = local(project).read_bytes()
    again = run(project)
    assert again.returncode == 0
    assert local(project).read_bytes() == first
    moved = run(project, "--url", "http://127.0.0.1:9999")
    assert moved.returncode == 0
    assert b"9999" in local(project).read_bytes()
    assert b"8787" not in local(project).read_bytes()
    assert run(project, "--undo").returncode == 0
    assert list(project.iterdir()) == []


def test_nothing_to_undo_is_told(project):
    ended = run(project, "--undo")
    assert ended.returncode == 2
    assert "nothing to undo" in ended.stderr


def test_a_dry_run_shows_and_writes_nothing(project):
    ended = run(project, "--dry-run")
    assert "PreToolUse" in ended.stdout
    assert list(project.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a":1,"a":2}', '{"hooks":[]}', '{"hooks":{"Stop":{}}}', "[" * 100_000]
)
def test_settings_of_another_shape_are_left_alone(project, text):
    local(project).parent.mkdir()
    local(project).write_text(text)
    ended = run(project)
    assert ended.returncode == 2
    assert "OST-CFG-055" in ended.stderr
    assert local(project).read_text() == text


def test_a_directory_that_is_none_is_told(tmp_path):
    ended = ostiary("try", tmp_path / "nowhere", home=tmp_path)
    assert ended.returncode == 2
    assert "no directory" in ended.stderr


def test_a_linked_settings_file_stays_a_link(project, tmp_path):
    local(project).parent.mkdir()
    elsewhere = tmp_path / "dotfiles.json"
    elsewhere.write_text("{}")
    local(project).symlink_to(elsewhere)
    run(project)
    assert "PreToolUse" in elsewhere.read_text()
    run(project, "--undo")
    assert local(project).is_symlink()
    assert elsewhere.read_text() == "{}"


def test_hooks_go_round_the_proxies_of_the_shell(project):
    local(project).parent.mkdir()
    local(project).write_text('{"env": {"A": "1"}}')
    run(project, HTTPS_PROXY="http://proxy:3128", NO_PROXY="intranet")
    assert json.loads(local(project).read_text())["env"] == {
        "A": "1",
        "NO_PROXY": "intranet,127.0.0.1",
        "no_proxy": "intranet,127.0.0.1",
    }


def test_without_a_proxy_no_variable_is_set(project):
    run(project)
    assert "env" not in json.loads(local(project).read_text())


def test_the_gateway_that_runs_is_found_by_its_data_directory(project, tmp_path):
    with GatewayProcess(tmp_path / "gateway") as gateway:
        ended = run(project, "--data-dir", str(gateway.data_dir))
        hook = json.loads(local(project).read_text())["hooks"]["Stop"][0]["hooks"][0]
        assert hook["url"] == gateway.hooks_url
        assert "No gateway answers" not in ended.stdout
    elsewhere = f"server.listen=127.0.0.1:{free_port()}"
    assert "No gateway answers" in run(project.parent, "--set", elsewhere).stdout


def test_a_crash_between_backup_and_write_leaves_nothing_to_repair(project, tmp_path, monkeypatch):
    local(project).parent.mkdir()
    local(project).write_text("{}")
    trial = Trial(local(project), tmp_path / "data")

    def crash(*_: object) -> None:
        raise OSError(28, "No space left on device", str(local(project)))

    monkeypatch.setattr(Path, "replace", lambda self, to: crash() if to == trial.file else self.rename(to))
    with pytest.raises(ConfigError, match="No space"):
        trial.begin("{...}")
    monkeypatch.undo()
    assert local(project).read_text() == "{}"
    assert [path.name for path in local(project).parent.iterdir()] == ["settings.local.json"]
    trial.undo()
    assert local(project).read_text() == "{}"
    assert not trial.running


def test_a_changed_file_is_never_taken_for_the_original(project, tmp_path):
    trial = Trial(local(project), tmp_path / "data")
    trial.begin("one")
    local(project).write_text("two")
    with pytest.raises(Changed):
        trial.begin("three")
    assert local(project).read_text() == "two"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "hooks": st.dictionaries(st.sampled_from(["Stop", "PreToolUse", "Mine"]), st.lists(JSON, max_size=2)),
        "env": st.dictionaries(st.text(), st.text(), max_size=2),
        "permissions": JSON,
        "ostiary-group-0": JSON,
    },
)


@settings(max_examples=80, deadline=None)
@given(SETTINGS)
def test_merging_loses_nothing_and_adds_each_hook_once(existing):
    merged = json.loads(GENERATOR.merge(json.dumps(existing).encode(), ADDED))
    for name, value in existing.items():
        if name != "hooks":
            assert merged[name] == value
    for event, groups in existing.get("hooks", {}).items():
        assert merged["hooks"][event][: len(groups)] == groups
    for event, groups in ADDED["hooks"].items():
        before = len(existing.get("hooks", {}).get(event, []))
        assert merged["hooks"][event][before:] == groups
