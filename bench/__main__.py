"""Runs benchmarks by name and prints their tables; see `python -m bench --help`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from pathlib import Path

from bench.report import Options, Table, machine, refreshed

SUBJECTS = {
    "cel": "microseconds of a condition: generated code beside the exact evaluator",
    "engine": "checks in process with 10, 1,000 and 10,000 policies, and of the shipped packs; what loading costs",
    "network": "checks over HTTP and gRPC, `ostiary pdp` and the real PDP in turn, one core each",
    "facts": "what a direct call would do (Read, Edit, WebFetch, MCP, ...)",
    "shell": "what a command would do: corpora of benign commands, long, deep and hostile ones",
    "start": "what a start loads, part by part",
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    listed = "\n".join(f"  {name:9}{what}" for name, what in SUBJECTS.items())
    found = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the parts of the gateway side by side in one run and prints a table for each subject.\n"
        "Every figure is the median of rounds in which the contestants take turns. Nothing here passes or fails:\n"
        "the exit code is 1 only where a benchmark itself breaks.",
        epilog=f"subjects (all of them, when none is named):\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("subjects", nargs="*", metavar="SUBJECT", help="what to measure")
    found.add_argument(
        "--quick", action="store_true", help="fewer and shorter rounds: about a minute for everything"
    )
    found.add_argument(
        "--markdown", action="store_true", help="print the tables as they stand in docs/benchmarks.md"
    )
    found.add_argument(
        "--corpus",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a further corpus of commands for `shell`: JSON lines with `command` or `input.command`, or plain lines",
    )
    found.add_argument(
        "--refresh",
        type=Path,
        metavar="PAGE",
        help="write the tables into their places in a page of documentation",
    )
    return found


def main() -> int:
    """Run the named subjects, all of them when none is named."""
    asked = parser().parse_args()
    unknown = [name for name in asked.subjects if name not in SUBJECTS]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(SUBJECTS)}.", file=sys.stderr)
        return 2
    options = Options(quick=asked.quick, corpora=tuple(asked.corpus))
    broken = [name for name in asked.subjects or SUBJECTS if not measured(name, options, asked)]
    if broken:
        print(f"These broke: {', '.join(broken)}.", file=sys.stderr)
    return 1 if broken else 0


def measured(name: str, options: Options, asked: argparse.Namespace) -> bool:
    """Run one subject, show its tables and put them into the page; whether it came to an end."""
    cores = os.sched_getaffinity(0)
    heading = f"_{machine()}_"
    tables: list[Table] = []
    print(f"## {name}: {SUBJECTS[name]}\n\n{heading}\n", flush=True)
    try:
        for table in importlib.import_module(f"bench.{name}").run(options):
            tables.append(table)
            print(table.markdown() if asked.markdown else table.text(), flush=True)
        if asked.refresh is not None:
            content = "\n".join([heading, "", *(table.markdown() for table in tables)])
            asked.refresh.write_text(refreshed(asked.refresh.read_text("utf-8"), name, content), "utf-8")
    except Exception:  # noqa: BLE001  # one subject that breaks says so and lets the others run
        traceback.print_exc()
        return False
    finally:
        os.sched_setaffinity(0, cores)
    return True


if __name__ == "__main__":
    sys.exit(main())
