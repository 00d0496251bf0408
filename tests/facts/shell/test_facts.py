"""The facts of commands: golden cases, agreement with what bash really runs, and that every input ends."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.facts.shell.analysis import MAX_BYTES, Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.report import facts
from gateway.facts.shell.trace import Trace
from tests.facts.shell.test_parser import SCRIPTS, bash_accepts

GOLDEN = yaml.safe_load((Path(__file__).parent / "golden" / "facts.yaml").read_text())
HERE = Surroundings(cwd="/home/dev/app", project_dir="/home/dev/app", home="/home/dev", user="dev")
BASH = shutil.which("bash")
_runs = itertools.count()


def trace_of(command: str, around: Surroundings = HERE) -> Trace:
    return analyse(command, around, shipped_models())


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["command"][:60])
def test_a_command_has_the_facts_that_a_person_reads_in_it(case: dict[str, Any]) -> None:
    found = facts(case["command"], trace_of(case["command"]))
    expected = {"opaque": False, **{key: value for key, value in case.items() if key != "command"}}
    assert {key: found[key] for key in expected} == expected


def test_nothing_of_the_gateways_environment_is_in_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """`${DIR}/*` with the gateway's own DIR would become another command."""
    monkeypatch.setenv("DIR", "/")
    monkeypatch.setenv("HOME", "/root")
    found = facts("rm -rf ${DIR}/* ~/x", trace_of("rm -rf ${DIR}/* ~/x"))
    assert found["deletes"] == ["/home/dev/x/**"]
    assert found["opaque"]


def test_a_command_has_the_same_facts_every_time() -> None:
    for case in GOLDEN:
        first, second = (json.dumps(facts(case["command"], trace_of(case["command"]))) for _ in range(2))
        assert first == second


def test_limits_keep_the_facts_that_were_found() -> None:
    long = "cat /one\n" + "echo x\n" * MAX_BYTES
    found = facts(long, trace_of(long))
    assert "/one" in found["reads"]
    assert found["limits_hit"]
    assert found["opaque"]


@pytest.fixture(scope="module")
def recorders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose programs only write down that they ran."""
    directory = tmp_path_factory.mktemp("recorders")
    for name in ("cmd", "c1", "c2", "c3", "c4", "a", "cA", "cB", "cC"):
        file = directory / name
        file.write_text(f'#!/bin/sh\necho {name} >> "$RECORD"\n')
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    assert BASH is not None
    (directory / "bash").symlink_to(BASH)
    return directory


def executed(script: str, recorders: Path, work: Path) -> set[str]:
    """The recorders that bash runs for a script, in an empty directory and with nothing else on the PATH."""
    assert BASH is not None
    # A file of its own for each run: a background job of the last one may still be writing.
    record = work / f"record{next(_runs)}"
    record.write_text("")
    environment = {"PATH": str(recorders), "RECORD": str(record), "HOME": str(work), "v": "cA"}
    process = subprocess.Popen(
        [BASH, "--norc", "-c", script],
        env=environment,
        cwd=work,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        # Until the pipe closes: jobs in the background count, too.
        process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        return set()
    finally:
        # What it left in the background, too: an endless loop would go on for ever.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return set(record.read_text().split())


NASTY = [
    "cA && cB || cC",
    "x=cA; $x; ${x} y",
    "x='cA; cB'; eval \"$x\"",
    "f() { cA; cB; }; f",
    "$(echo cA)",
    "echo 'cA' | bash",
    "bash -c 'cA; cB'",
    "a[$(cA)0]=1",
    "echo ${x:-$(cA)}",
    "x='a[$(cA)]'; (( x ))",
    "x='$(cA)'; echo ${x@P}",
    "cB <<E\n$(cA)\nE",
    "for x in cA cB; do $x; done",
    "case x in x) cA;& y) cB;; esac",
    "while cA; do cB; break; done",
    "trap cA EXIT",
    "coproc cA; wait",
    'set -- cA; "$1"',
    "y=x; x=cA; ${!y}",
    "printf -v x cA; $x",
    "read x <<< cA; $x",
    "IFS=:; x=cA:arg; $x",
    "declare -n r=x; x=cA; $r",
    "{ cA; } | cB",
    "if ! cA; then cB; else cC; fi",
    "cA() { command cA; }; cA",
    "exec cA",
    "[[ -n $(cA) ]]",
    "echo `echo \\`cA\\``",
    'x=(cA cB); ${x[1]}; "${x[@]}"',
    "mapfile -t x <<< cA; ${x[0]}",
]


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize("script", NASTY)
def test_every_program_that_bash_runs_is_named_or_the_command_is_opaque(
    script: str, recorders: Path, tmp_path: Path
) -> None:
    ran = executed(script, recorders, tmp_path)
    assert ran
    found = facts(script, trace_of(script))
    assert ran <= set(found["names"]) | {"bash"}
    assert not found["opaque"]


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=SCRIPTS)
def test_no_generated_script_runs_a_program_unseen(script: str, recorders: Path, tmp_path: Path) -> None:
    if not bash_accepts(script):
        return
    ran = executed(script, recorders, tmp_path)
    found = facts(script, trace_of(script))
    assert found["opaque"] or ran <= set(found["names"]), script


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list(" \t\n;&|<>(){}[]$`\"'\\#!=*?+@-~/abcdftE0.")), max_size=60))
def test_any_text_ends_in_facts(text: str) -> None:
    found = facts(text, trace_of(text))
    assert isinstance(found["opaque"], bool)


@pytest.mark.parametrize(
    "hostile",
    [
        ":(){ :|:& };:",
        "x=$(" * 90 + "echo" + ")" * 90,
        "echo {1..100}{1..100}{1..100}",
        "for a in " + " ".join(map(str, range(500))) + "; do for b in $a; do cat $b; done; done",
        "f() { g; g; }; g() { h; h; }; h() { i; i; }; i() { f; }; f",
        "while :; do x=$x$x$x; done",
        "a=$b; b=$a; cat $a$b" * 200,
        "cat " + "/x " * 20_000,
        "eval " * 3_000 + "cat",
        "find . -exec " * 500 + "rm {} \\;" * 500,
    ],
)
def test_hostile_commands_end_within_the_budget(hostile: str) -> None:
    assert facts(hostile, trace_of(hostile))


def test_no_socket_or_file_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped_models()

    def refused(*_args: object, **_options: object) -> None:
        raise AssertionError("analysis looked at the machine")

    monkeypatch.setattr("socket.socket.connect", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    monkeypatch.setattr(os, "stat", refused)
    for case in GOLDEN:
        trace_of(case["command"])
