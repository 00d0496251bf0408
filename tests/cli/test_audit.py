"""`ostiary audit`: searches find what they name, a terminal shows text only, verification ends with its verdict."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from gateway.cli.times import parse_time
from tests.cli.recorded_gateway import attacker_strings, fill, obeyed, on_terminal, run
from tests.support.processes import GatewayProcess


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("g") / "gateway") as running:
        fill(running)
        yield running


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a gateway that ended."""
    with GatewayProcess(tmp_path_factory.mktemp("s") / "gateway") as running:
        fill(running)
    return running.data_dir


def search(data_dir: Path, *arguments: str) -> list[dict[str, Any]]:
    page = json.loads(run("audit", "search", "--data-dir", str(data_dir), "--json", *arguments).stdout)
    assert page["schema"] == "ostiary.audit_search/1"
    rows: list[dict[str, Any]] = page["rows"]
    return rows


def ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["record"]["call_id"] for row in rows}


def test_filters_of_the_command_line_reach_the_index(gateway: GatewayProcess) -> None:
    data_dir = gateway.data_dir
    assert ids(search(data_dir, "--rule", "baseline.shell_startup")) == {"startup"}
    assert ids(search(data_dir, "--tool", "Write")) == {"startup"}
    assert ids(search(data_dir, "--event", "PostToolUse")) == {"secret"}
    assert ids(search(data_dir, "bash_profile")) == {"startup"}
    assert ids(search(data_dir, "--id", "free")) == {"free"}
    assert ids(search(data_dir, "--user", "nobody")) == set()
    assert ids(search(data_dir, "--agent", "codex")) == set()
    assert {"secret", "startup"} <= ids(search(data_dir, "--would-deny"))
    assert "free" not in ids(search(data_dir, "--would-deny"))
    assert ids(search(data_dir, "--denied")) == set()
    ungoverned = search(data_dir, "--ungoverned")
    assert "free" not in ids(ungoverned)
    assert {row["record"]["decision"] for row in ungoverned} <= {"no_policy"}
    assert ids(search(data_dir, "--since", "2000-01-01", "--until", "2001-01-01")) == set()
    assert "free" in ids(search(data_dir, "--since", "1h", "--limit", "1000"))
    assert search(data_dir, "--type", "gate", "--oldest-first")[0]["record"]["gate"]["action"] == "start"


def test_the_outcome_of_a_call_stands_beside_it(gateway: GatewayProcess) -> None:
    rows = search(gateway.data_dir, "--id", "secret", "--event", "PreToolUse")
    assert [row["outcome"] for row in rows] == ["ran"]


def test_pages_are_turned_with_the_cursor_a_page_names(gateway: GatewayProcess) -> None:
    seen: list[str] = []
    cursor: list[str] = []
    for _ in range(40):
        done = run("audit", "search", "--data-dir", str(gateway.data_dir), "--json", "--limit", "7", *cursor)
        page = json.loads(done.stdout)
        seen += [row["record"]["decision_id"] for row in page["rows"]]
        if not page["cursor"]:
            break
        cursor = ["--cursor", page["cursor"]]
    assert len(seen) == len(set(seen)) == 4 + 3 * len(attacker_strings())


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--type", "all"]])
def test_nothing_a_client_wrote_is_obeyed_by_who_reads_a_search(
    gateway: GatewayProcess, arguments: list[str]
) -> None:
    done = run("audit", "search", "--data-dir", str(gateway.data_dir), "--limit", "500", *arguments)
    assert obeyed(done.stdout) == []
    assert obeyed(done.stderr) == []


@pytest.mark.parametrize("columns", [80, 140])
def test_a_terminal_gets_a_table_that_fits_and_obeys_nothing(gateway: GatewayProcess, columns: int) -> None:
    text = on_terminal(
        "audit", "search", "--data-dir", str(gateway.data_dir), "--limit", "500", columns=columns
    )
    assert obeyed(text, colours=True) == []
    assert "would deny" in text
    assert all(cell_len(Text.from_ansi(line).plain) <= columns for line in text.splitlines())


def test_every_search_is_recorded_with_its_filter(gateway: GatewayProcess) -> None:
    search(gateway.data_dir, "--tool", "Grep", "--synthetic")
    told = [row["record"] for row in search(gateway.data_dir, "--type", "gate", "--limit", "500")]
    assert any(item["gate"].get("filter", {}).get("tool") == "Grep" for item in told)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "yesterday"],
        ["--decision", "maybe"],
        ["--limit", "0"],
        ["--cursor", "x"],
        ["--limit", "5000"],
    ],
)
def test_a_search_that_cannot_be_understood_is_a_usage_error(
    gateway: GatewayProcess, arguments: list[str]
) -> None:
    done = run("audit", "search", "--data-dir", str(gateway.data_dir), *arguments, expect=(2,))
    assert done.stdout == ""


# --- while no gateway runs


def test_a_record_can_be_searched_while_no_gateway_runs(stopped: Path) -> None:
    assert ids(search(stopped, "--tool", "Write")) == {"startup"}
    told = search(stopped, "--type", "gate", "--limit", "500")
    assert any(row["record"]["gate"].get("filter", {}).get("tool") == "Write" for row in told)
    assert run("audit", "verify", "--data-dir", str(stopped)).stdout.startswith("Intact")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_record_that_cannot_be_written_can_be_read_and_says_so(stopped: Path) -> None:
    stopped.chmod(0o500)
    try:
        done = run("audit", "search", "--data-dir", str(stopped), "--json")
    finally:
        stopped.chmod(0o700)
    assert "not recorded" in done.stderr


def test_without_a_record_the_command_says_what_to_do(tmp_path: Path) -> None:
    done = run("audit", "search", "--data-dir", str(tmp_path), expect=(2,))
    assert "ostiary serve" in done.stderr


# --- verification


def test_verification_says_what_it_trusts_and_passes_on_a_running_gateway(gateway: GatewayProcess) -> None:
    done = run("audit", "verify", "--data-dir", str(gateway.data_dir))
    assert "Intact:" in done.stdout
    assert "Trusted: nothing but the files themselves" in done.stdout


def test_a_changed_record_is_named_with_file_line_and_record(stopped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(stopped, copy)
    path = next(path for path in sorted((copy / "audit").glob("*.gate.*/*.jsonl")))
    path.write_bytes(path.read_bytes().replace(b"/home/dev/.bash_profile", b"/home/dev/.bash_profilf", 1))
    done = run("audit", "verify", "--data-dir", str(copy), expect=(1,))
    assert "NOT INTACT" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("broken"))
    assert f"{path.parent.name}/{path.name}:" in line
    assert "(record " in line
    report = json.loads(run("audit", "verify", "--data-dir", str(copy), "--json", expect=(1,)).stdout)
    assert report["schema"] == "ostiary.audit_verify/1"
    assert [finding["severity"] for finding in report["findings"]] == ["broken"]


def test_verifying_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "cannot be read" in run("audit", "verify", "--data-dir", str(tmp_path), expect=(2,)).stderr


def test_times_are_read_as_people_write_them() -> None:
    now = 1_700_000_000_000_000_000
    assert parse_time("90s", now) == now - 90 * 10**9
    assert parse_time("2h", now) == now - 7200 * 10**9
    assert parse_time("1w", now) == now - 7 * 86400 * 10**9
    assert parse_time("2023-11-14T22:13:20+00:00", now) == now
    for wrong in ("", "2", "h", "-1h", "tomorrow", "9999999h"):
        with pytest.raises(ValueError, match="is no time"):
            parse_time(wrong, now)
