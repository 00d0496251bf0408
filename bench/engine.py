"""The policy engine in process: what a check costs with few and with many policies, and what loading them costs.

The engines of all sizes are in memory at once and take turns, so that what is compared is measured in the same moments.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench.pdp.policies import EXPRESSIONS, check_bodies, node_work, policy_set
from bench.report import Options, Table
from bench.timing import Quantiles, per_input
from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.principal import Principal
from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.packs import shipped_packs

SIZES = (10, 1_000, 10_000)
CHECKS = 500
FEW, MANY = 10, 500
NOW = 1_750_000_000_000_000_000
ROUNDS = 20
LOADS = 3
EXPRESSION_MS, FILE_MS = 0.15, 0.3
"""The aim for loading: milliseconds for one expression and for one file."""
FACTS: dict[str, Any] = {
    "groups": ["in_project", "source"],
    "groups_may": [],
    "path": "/home/dev/project/src/app.py",
    "shape": "path",
    "name": "app.py",
    "ext": "py",
    "in_project": True,
    "may_leave_project": False,
    "resolved": False,
    "certain": True,
    "via": "tool",
    "agent": "claude-code",
    "v": 1,
    "rules_off": [],
}


def run(options: Options) -> Iterator[Table]:
    """Checks, then loading, then the shipped packs."""
    loaded = {size: _Loaded(policy_set(size), options) for size in SIZES}
    # What was loaded stays: let collections pass it by, as a process that loads policies does.
    gc.freeze()
    yield _checks({size: one.engine for size, one in loaded.items()}, options)
    yield _loading(loaded)
    gc.unfreeze()
    loaded.clear()
    yield _shipped(options)


class _Loaded:
    """One set, loaded a few times: the medians of what that took, in milliseconds a file."""

    def __init__(self, files: list[SourceFile], options: Options) -> None:
        self.files = len(files)
        self.nodes, self.everything = [], []
        for _ in range(1 if len(files) > SIZES[1] + 1 else options.rounds(LOADS * 4)):
            self.nodes.append(_milliseconds(partial(node_work, files))[0])
            taken, self.engine = _milliseconds(partial(compile_policies, files, EngineSettings()))
            self.everything.append(taken)

    def per_file(self, taken: list[float]) -> float:
        return statistics.median(taken) / self.files


def _milliseconds(call: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    begin = time.thread_time_ns()
    found = call()
    return (time.thread_time_ns() - begin) / 1e6, found


def _checks(engines: dict[int, Engine], options: Options) -> Table:
    contestants = {
        (size, kinds): (partial(engine.check, now=NOW), requests(size, kinds))
        for size, engine in engines.items()
        for kinds in (FEW, MANY)
    }
    names = {f"{size} {kinds}": key for key in contestants for size, kinds in [key]}
    found = per_input({name: contestants[key] for name, key in names.items()}, options.rounds(ROUNDS))
    measured: dict[tuple[int, int], Quantiles] = {key: found[name] for name, key in names.items()}
    rows = []
    for size in engines:
        few, many = measured[size, FEW], measured[size, MANY]
        ratio = f"{few.median / measured[SIZES[0], FEW].median:.2f}x"
        rows.append((f"{size:,}", few.median, few.p99, 1e6 / few.median, ratio, many.median, many.p99))
    return Table(
        "A check of three actions, in process",
        (
            "policies",
            f"{FEW} kinds asked in turn: median us",
            "p99 us",
            "checks/s",
            f"of {SIZES[0]} policies",
            f"{MANY} kinds: median us",
            "p99 us",
        ),
        rows,
        f"The aim is 1.2x from {SIZES[0]} to {SIZES[-1]:,} policies. With many kinds in turn the processor's caches hold "
        "less of what is asked, whatever is loaded.",
    )


def _loading(loaded: dict[int, _Loaded]) -> Table:
    aim = FILE_MS + EXPRESSIONS * EXPRESSION_MS
    return Table(
        f"Loading: files of one policy with {EXPRESSIONS} expressions",
        ("policies", "ms a file", "of it YAML nodes", "ms an expression, beyond the nodes"),
        [
            (
                f"{size:,}",
                one.per_file(one.everything),
                one.per_file(one.nodes),
                (one.per_file(one.everything) - one.per_file(one.nodes)) / EXPRESSIONS,
            )
            for size, one in loaded.items()
        ],
        f"The aim is {FILE_MS} ms a file and {EXPRESSION_MS} ms an expression: {aim:.1f} ms for these. Every expression is "
        "checked while loading; Python for it is generated when it is first asked.",
    )


def _shipped(options: Options) -> Table:
    """The operation of a plain Read, checked by the packs."""
    engine = compile_policies(read_roots([shipped_packs()]), EngineSettings())
    principal = Principal(id="ada", roles=("engineer",))
    contestants = {
        action: (
            partial(engine.check, now=NOW),
            [
                CheckRequest(
                    principal=principal,
                    checks=(Check(Resource("file", f"/home/dev/project/src/{number}.py", FACTS), (action,)),),
                )
                for number in range(CHECKS)
            ],
        )
        for action in ("read", "write", "delete")
    }
    found = per_input(contestants, options.rounds(ROUNDS))
    return Table(
        "One file of the project, checked by the shipped packs",
        ("action", "median us", "p99 us"),
        [(action, one.median, one.p99) for action, one in found.items()],
    )


def requests(size: int, kinds: int) -> list[CheckRequest]:
    """Checks as values."""
    return [
        CheckRequest(
            principal=Principal(
                id=body["principal"]["id"],
                roles=tuple(body["principal"]["roles"]),
                attr=body["principal"]["attr"],
            ),
            checks=tuple(
                Check(
                    Resource(entry["resource"]["kind"], entry["resource"]["id"], entry["resource"]["attr"]),
                    tuple(entry["actions"]),
                )
                for entry in body["resources"]
            ),
        )
        for body in check_bodies(size, CHECKS, kinds)
    ]
