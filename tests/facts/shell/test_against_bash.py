"""Generated scripts under real bash: what it ran, read and wrote is in the facts, or the facts say that it is not known."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.commands import parse
from gateway.facts.shell.report import facts
from tests.facts.shell.comparison import missed
from tests.facts.shell.generated import ScriptGenerator
from tests.facts.shell.sandbox import Sandbox

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")
CHUNK = 40
CHEAP, LONG = 4, 100
"""Chunks of seeds in the everyday round, and in the long one."""
_MUTATIONS = (
    "",
    "'",
    '"',
    ")",
    "(",
    ";",
    "&",
    "|",
    "}",
    "{",
    "$(",
    "\\",
    "\n",
    "#",
    "done",
    "<",
    "`",
    "[[",
    ";;",
    " ",
)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    assert BASH is not None
    yield Sandbox(tmp_path, BASH)
    shutil.rmtree(tmp_path, ignore_errors=True)


def bash_accepts(script: str) -> bool:
    """Whether bash reads the script without running it."""
    assert BASH is not None
    done = subprocess.run(
        [BASH, "--norc", "-O", "extglob", "-n", "-c", script], capture_output=True, env={}, check=False
    )
    return done.returncode == 0


def misses(seeds: range, sandbox: Sandbox) -> tuple[list[str], Counter[str]]:
    """What the facts of the scripts of these seeds leave out, and how much there was to see."""
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for seed in seeds:
        script = ScriptGenerator(seed).script()
        place = sandbox.place()
        observed = sandbox.run(script, place)
        work = str(place.work)
        here = Surroundings(cwd=work, project_dir=work, home=work, user="dev")
        found = facts(script, analyse(script, here, shipped_models()))
        wrong += [f"seed {seed}: {one}\n{script}" for one in missed(observed, found)]
        seen.update(ran=len(observed.programs), written=len(observed.written), read=len(observed.read))
        seen["decided"] += not found["unknown"]["exec"]
        shutil.rmtree(place.root, ignore_errors=True)
    return wrong, seen


def check(chunk: int, sandbox: Sandbox) -> None:
    wrong, seen = misses(range(chunk * CHUNK, (chunk + 1) * CHUNK), sandbox)
    assert wrong == []
    # The check must bite: programs run, files are written, and most scripts are told in full.
    assert seen["ran"] > CHUNK
    assert seen["written"] > CHUNK // 4
    assert seen["decided"] > CHUNK // 2


@pytest.mark.parametrize("chunk", range(CHEAP))
def test_nothing_that_bash_does_is_missed(chunk: int, sandbox: Sandbox) -> None:
    check(chunk, sandbox)


@pytest.mark.soak
@pytest.mark.parametrize("chunk", range(CHEAP, CHEAP + LONG))
def test_nothing_that_bash_does_is_missed_in_many_scripts(chunk: int, sandbox: Sandbox) -> None:
    check(chunk, sandbox)


def mutated(seed: int) -> str:
    """A generated script with a few places damaged."""
    chance = random.Random(seed)
    script = ScriptGenerator(seed).script()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(script) + 1)
        piece = chance.choice(_MUTATIONS)
        script = (
            script[:at]
            + piece
            + script[at + (chance.randint(1, 4) if not piece or chance.random() < 0.3 else 0) :]
        )
    return script


def refused_alone(seeds: range, *, damaged: bool) -> list[str]:
    """Scripts that bash takes and the parser does not."""
    found = []
    for seed in seeds:
        script = mutated(seed) if damaged else ScriptGenerator(seed).script()
        parsed = parse(script)
        # `bash -n` says nothing of a `[[` that the end of the text breaks off.
        cut_off = parsed.problem == "a condition is not closed"
        if (parsed.problem or parsed.limit) and not cut_off and bash_accepts(script):
            found.append(f"seed {seed}: {parsed.problem or parsed.limit}\n{script}")
    return found


@pytest.mark.parametrize("damaged", [False, True])
def test_no_script_that_bash_takes_is_refused(damaged: bool) -> None:
    assert refused_alone(range(300), damaged=damaged) == []


@pytest.mark.soak
@pytest.mark.parametrize("damaged", [False, True])
def test_no_script_of_many_that_bash_takes_is_refused(damaged: bool) -> None:
    assert refused_alone(range(300, 6_000), damaged=damaged) == []
