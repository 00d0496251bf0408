"""What a command would do: the analysis alone, and a whole call with its operations and path groups, never remembered.

Corpora of benign commands, commands that grow in length, and hostile ones, each of which must end.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.facts import PROJECT, event
from bench.report import Options, Table
from bench.timing import durations, median_of, per_input, quantiles, undisturbed
from gateway.domain.events import HookEvent
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models

OWN = Path(__file__).parent / "corpus" / "commands.txt"
AROUND = Surroundings(cwd=PROJECT, project_dir=PROJECT, home="/home/dev", user="dev")
ROUNDS = 12
WIDE = 1000
"""A corpus with more commands is passed through once and not in rounds."""
KIB = 1024
LENGTHS = (1, 4, 16, 64)
SHAPES = {
    "commands, one a line": "grep -n needle src/module.py | head -20\n",
    "one list": "cd src && make test || echo failed; ",
    "arguments of one command": "src/module_name.py ",
    "quoted words": "'a b' \"$HOME/c d\" ",
    "assignments and loops": 'x=$(cat a.txt); for f in $x; do echo "$f"; done\n',
    "files copied onto each other": "cp a/one b/two; mv b/two c/three\n",
}
DEEP = 5_000
HOSTILE = {
    "1 MB of commands": "echo x\n" * 150_000,
    "1 MB in one quoted word": "echo '" + "x" * 1_000_000 + "'",
    "1 MB of arguments": "ls " + "a " * 500_000,
    f"$( {DEEP:,} deep": "echo " + "$(" * DEEP + ")" * DEEP,
    f"( {DEEP:,} deep": "(" * DEEP + "ls" + ")" * DEEP,
    f"{{ {DEEP:,} deep": "{ " * DEEP + "ls;" + " };" * DEEP,
    f"${{ {DEEP:,} deep": "echo " + "${a:-" * DEEP + "}" * DEEP,
    f"if {DEEP:,} deep": "if true; then " * DEEP + ":;" + " fi;" * DEEP,
    f"$(( {DEEP:,} deep": "echo $((" + "(" * DEEP + "1" + ")" * DEEP + "))",
    "braces that multiply": "rm " + "{a,b}" * 20,
    "alternatives that multiply": "".join(f"case $X in 1) v{n}=a;; *) v{n}=b;; esac; " for n in range(40))
    + "rm "
    + "".join(f"$v{n}" for n in range(40)),
    "functions that call two others": "".join(f"f{n}() {{ f{n + 1}; f{n + 1}; }}; " for n in range(60))
    + "f0",
    "loops in loops": "for a in 1 2 3; do " * 40 + "echo $a" + "; done" * 40,
    "here-documents that wait": "cat " + "<<E " * 5_000,
    "quotes left open": "echo '" + "\" ' $( ` " * 6_000,
}


def run(options: Options) -> Iterator[Table]:
    """The corpora, then what grows, then what is hostile."""
    yield _corpora(options)
    yield _growing(options)
    yield _hostile()


def commands(path: Path) -> list[str]:
    """The commands of a corpus: JSON lines with `command` or `input.command`, or plain lines with `\\n` for line breaks."""
    lines = path.read_text("utf-8").splitlines()
    if not lines or not lines[0].startswith("{"):
        return [line.replace("\\n", "\n") for line in lines if line and not line.startswith("#")]
    found = []
    for line in lines:
        row = json.loads(line)
        given = row.get("input", row)
        command = given.get("command") if isinstance(given, dict) else None
        if isinstance(command, str) and command:
            found.append(command)
    return found


def _corpora(options: Options) -> Table:
    models = shipped_models()
    analyser = CallAnalyser(FactsSettings(), facts_data())
    rows = []
    for path in (OWN, *options.corpora):
        corpus = commands(path)
        contestants = {
            "the analysis": (partial(analyse, around=AROUND, models=models), lambda _, corpus=corpus: corpus),
            "the whole call": (analyser.analyse, partial(_calls, corpus)),
        }
        rounds = 1 if len(corpus) > WIDE else options.rounds(ROUNDS)
        for what, found in per_input(contestants, rounds).items():
            rows.append((path.stem, f"{len(corpus):,}", what, found.median, found.p99, found.worst))
    return Table(
        "Benign commands",
        ("corpus", "commands", "what", "median us", "p99 us", "worst us"),
        rows,
        "The aim is a median of 60 us and a p99 of 3 ms. Further corpora: `--corpus FILE`.",
    )


def _calls(corpus: Sequence[str], number: int) -> list[HookEvent]:
    """The calls of one round. A comment makes their texts new, so that no round knows them from the last."""
    return [event("Bash", {"command": f"{command} # {number}"}, 0, numbered=False) for command in corpus]


def _growing(options: Options) -> Table:
    models = shipped_models()
    rows = []
    for what, piece in SHAPES.items():
        head = "wc -l " if what.startswith(("arguments", "quoted")) else ""
        texts = {kib: (head + piece * (kib * KIB // len(piece) + 1))[: kib * KIB] for kib in LENGTHS}
        taken = {}
        with undisturbed():
            for kib, text in texts.items():
                each = partial(analyse, around=AROUND, models=models)
                found = [
                    quantiles(durations(each, [text], time.thread_time_ns))
                    for _ in range(options.rounds(ROUNDS))
                ]
                taken[kib] = median_of(found).median / 1000
        rows.append((what, *taken.values(), f"{taken[LENGTHS[-1]] / taken[LENGTHS[1]]:.1f}x"))
    return Table(
        "Commands that grow: milliseconds",
        ("what is repeated", *(f"{kib} KiB" for kib in LENGTHS), "64 of 4 KiB"),
        rows,
        "An analysis ends after 2,000 simulated commands or 64 KiB; 4 KiB are analysed between the calls of others, more "
        "in a process of its own.",
    )


def _hostile() -> Table:
    models = shipped_models()
    rows = []
    for what, text in HOSTILE.items():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.thread_time_ns()
        trace = analyse(text, AROUND, models)
        taken = (time.thread_time_ns() - begin) / 1e6
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        said = ", ".join(
            [*trace.limits, *(reason for reason in trace.reasons if reason not in trace.limits)][:3]
        )
        rows.append((what, f"{len(text):,}", taken, f"{grown / 1024:.0f}", said or "-"))
    return Table(
        "Hostile commands",
        ("what", "characters", "ms", "memory grew, MiB", "limits and reasons"),
        rows,
    )
