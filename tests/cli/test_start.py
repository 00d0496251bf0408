"""How the gateway starts: a banner whose commands can be pasted, and refusals that say what to do."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.invocation import invocation
from gateway.cli.output import PLAIN_WIDTH
from tests.support.cli import ostiary
from tests.support.processes import ROOT, GatewayProcess, free_port


def script(directory: Path) -> Path:
    directory.mkdir(parents=True)
    made = directory / "ostiary"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def test_a_program_that_is_not_on_the_path_is_called_by_its_place(tmp_path):
    program = script(tmp_path / "clone" / ".venv" / "bin")
    path = {"PATH": "/usr/bin"}
    assert invocation(str(program), path, tmp_path / "clone") == ".venv/bin/ostiary"
    assert invocation(".venv/bin/ostiary", path, tmp_path / "clone") == ".venv/bin/ostiary"
    assert invocation("../clone/.venv/bin/ostiary", path, tmp_path / "clone") == ".venv/bin/ostiary"
    assert invocation(str(program), path, tmp_path / "elsewhere") == str(program)
    assert invocation(str(program), {"PATH": str(program.parent)}, tmp_path) == "ostiary"
    assert invocation("/x/gateway/cli/__main__.py", path, tmp_path) == "ostiary"


def test_another_program_of_the_same_name_on_the_path_is_not_meant(tmp_path):
    program = script(tmp_path / "a")
    other = script(tmp_path / "b")
    assert invocation(str(program), {"PATH": str(other.parent)}, tmp_path) == "a/ostiary"


def test_a_place_with_blanks_can_be_pasted(tmp_path):
    program = script(tmp_path / "my tools")
    called = invocation(str(program), {"PATH": ""}, tmp_path)
    assert shlex.split(called) == ["my tools/ostiary"]


def test_the_banner_says_in_few_lines_what_runs_where_and_what_to_try(tmp_path):
    with GatewayProcess(tmp_path / "gateway") as gateway:
        lines = gateway.stdout_file.read_text().splitlines()
    assert len(lines) <= 16
    assert all(len(line) <= PLAIN_WIDTH for line in lines)
    text = "\n".join(lines)
    assert lines[0].startswith("Ostiary ")
    assert "observes" in lines[0]
    for part in (
        gateway.hooks_url,
        f"{gateway.admin_url}/metrics",
        str(gateway.data_dir / "audit"),
        "advisory",
    ):
        assert part in text
    for command in ("demo", "try DIR", "doctor"):
        assert f"ostiary {command} --data-dir {gateway.data_dir}" in text
    assert "--mode enforce" in text


def test_the_commands_of_the_banner_find_the_gateway(tmp_path):
    with GatewayProcess(tmp_path / "gateway") as gateway:
        text = gateway.stdout_file.read_text()
        line = next(line for line in text.splitlines() if " doctor " in line).strip()
        words = shlex.split(line.partition("  ")[0])[1:]
        ended = ostiary(*words, "--managed-dir", tmp_path, home=tmp_path)
    assert "Reading a secret would be denied" in ended.stdout


@pytest.mark.parametrize(("key", "flag"), [("port", "--listen"), ("admin_port", "--admin-listen")])
def test_a_taken_port_ends_with_two_naming_who_holds_it_and_the_flag(tmp_path, key, flag):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        ports = {"port": free_port(), "admin_port": free_port(), key: holder.getsockname()[1]}
        ended = ostiary(
            "serve",
            *("--listen", f"127.0.0.1:{ports['port']}", "--admin-listen", f"127.0.0.1:{ports['admin_port']}"),
            *("--data-dir", tmp_path / "data"),
            home=tmp_path,
        )
    assert ended.returncode == 2
    assert flag in ended.stderr
    assert str(ports[key]) in ended.stderr
    if sys.platform.startswith("linux"):
        assert f"(process {os.getpid()})" in ended.stderr


def test_a_second_gateway_on_one_data_directory_is_refused(tmp_path):
    with GatewayProcess(tmp_path / "gateway") as gateway:
        ended = ostiary("serve", "--listen", "127.0.0.1:0", "--data-dir", gateway.data_dir, home=tmp_path)
        assert ended.returncode == 2
        assert str(gateway.process.pid) in ended.stderr
        assert "--data-dir" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_no_socket_and_no_process_behind(tmp_path, number):
    with GatewayProcess(tmp_path / "gateway") as gateway:
        gateway.process.send_signal(number)
        assert gateway.process.wait(30) == 0
        assert [path.name for path in gateway.data_dir.glob("*.sock")] == []
    with GatewayProcess(tmp_path / "gateway"):
        pass


def test_listing_the_commands_loads_none_of_them(tmp_path):
    code = (
        "import sys; from gateway.cli import root\n"
        "try:\n    root.main(['--help'], prog_name='ostiary')\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name in ('aiohttp', 'yaml', 'rich', 'gateway.wiring')])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"
    assert "agent-settings" in ended.stdout


@pytest.mark.parametrize("command", ["status", "config", "token", "try", "agent-settings", "doctor"])
def test_a_command_that_asks_one_question_loads_no_web_server(command):
    module = {"try": "try_", "agent-settings": "agent_settings"}.get(command, command)
    code = (
        f"import sys, gateway.cli.{module}; print('aiohttp' in sys.modules, 'gateway.wiring' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.split() == ["False", "False"]


def test_every_command_of_the_list_exists_and_explains_itself(tmp_path):
    listed = ostiary("--help", home=tmp_path).stdout
    names = [
        line.split()[0] for line in listed.partition("Commands:")[2].splitlines() if line.startswith("  ")
    ]
    names = [name for name in names if not name[0].isupper()]
    assert {"serve", "try", "doctor", "status", "config", "token", "version"} <= set(names)


def test_an_unknown_command_ends_with_two(tmp_path):
    assert ostiary("nothing", home=tmp_path).returncode == 2
