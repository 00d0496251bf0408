"""What a start loads, part by part, each in a process of its own; and the whole of `ostiary --help` and a check of a configuration."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from bench.report import Options, Table

PARTS = {
    "Python itself": "pass",
    "the modules of `serve`": "import gateway.cli.serve",
    "the analyser and its tables": "from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data; "
    "begin(); CallAnalyser(FactsSettings(), facts_data())",
    "of these the command model": "from gateway.facts.shell.catalogue import shipped_models; begin(); shipped_models()",
    "the shipped packs": "from gateway.policy.directory import read_roots; "
    "from gateway.policy.engine import compile_policies; from gateway.policy.settings import EngineSettings; "
    "from gateway.policy_sets.packs import shipped_packs; "
    "begin(); compile_policies(read_roots([shipped_packs()]), EngineSettings())",
}
_FRAME = """
import time
start = time.process_time_ns()
def begin():
    global start
    start = time.process_time_ns()
{part}
print(time.process_time_ns() - start)
"""
ROUNDS = 8


def run(options: Options) -> Iterator[Table]:
    """One table."""
    found: dict[str, list[float]] = {name: [] for name in PARTS}
    for _ in range(options.rounds(ROUNDS)):
        for name, part in PARTS.items():
            found[name].append(_milliseconds(part))
    yield Table(
        "Processor time of the parts of a start",
        ("part", "median ms"),
        [(name, statistics.median(taken)) for name, taken in found.items()],
        "A part's own imports are not counted, except where the modules are the part.",
    )


def _milliseconds(part: str) -> float:
    """What a part takes in a new process, which pays for what it alone imports."""
    done = subprocess.run(
        [sys.executable, "-c", _FRAME.format(part=part)], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 1e6
