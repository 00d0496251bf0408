"""The policy engine in process and over HTTP, and the real PDP beside it: same policies, same checks, one core each.

In process: time of a check of three actions and of loading, for sets of three sizes. Over the network: rounds that
alternate between the servers, each on the first core, the load on the second; medians of the rounds.
"""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.pdp.grpc_load import GrpcConversation, check_message
from bench.pdp.http_load import HttpConversation, encode
from bench.pdp.load import Conversation, Measured, load
from bench.pdp.policies import EXPRESSIONS, check_bodies, node_work, policy_set
from bench.pdp.servers import LOAD_CORE, start_ours, start_real, write_set
from bench.timing import microseconds, table
from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.principal import Principal
from gateway.policy.engine import compile_policies
from gateway.policy.settings import EngineSettings

SIZES = (10, 1_000, 10_000)
CHECKS = 500
FEW, MANY = 10, 500
NOW = 1_750_000_000_000_000_000
SERVED_SIZES = (10, 1_000)
CONNECTIONS = 8
ROUNDS = 5
SECONDS = float(os.environ.get("OSTIARY_BENCH_SECONDS", "3"))


def run() -> None:
    """Print both tables."""
    os.sched_setaffinity(0, {LOAD_CORE})
    in_process()
    for size in SERVED_SIZES:
        served(size)


def in_process() -> None:
    """Checks and loading for sets of three sizes."""
    rows = []
    for size in SIZES:
        files = policy_set(size)
        begin = time.process_time()
        node_work(files)
        nodes = time.process_time() - begin
        gc.collect()
        begin = time.process_time()
        engine = compile_policies(files, EngineSettings())
        loading = time.process_time() - begin
        # What was loaded stays: let collections pass it by, as a process that loads policies does.
        gc.freeze()
        few, many = (
            microseconds(partial(engine.check, now=NOW), requests(size, kinds)) for kinds in (FEW, MANY)
        )
        rows.append(
            (size, *few, 1e6 / few[0], *many, f"{1000 * loading / size:.2f}", f"{1000 * nodes / size:.2f}")
        )
        gc.unfreeze()
    few_kinds, many_kinds = f"{FEW} kinds asked in turn", f"{MANY} kinds"
    table(
        (
            "policies",
            f"{few_kinds}: median us",
            "p99 us",
            "checks/s",
            f"{many_kinds}: median us",
            "p99 us",
            "load, ms a file",
            "of it YAML nodes",
        ),
        rows,
    )
    print(f"\nA check asks three actions; a file has {EXPRESSIONS} expressions.\n")


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


def served(size: int) -> None:
    """Checks over the network, ours and theirs in turn."""
    bodies = check_bodies(size, CHECKS, MANY)
    sent, messages = encode(bodies), [check_message(body) for body in bodies]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        policies = write_set(directory, policy_set(size))
        with (
            start_ours(directory / "ours", policies) as ours,
            start_real(directory / "real", policies) as real,
        ):
            contestants: dict[str, tuple[int, Callable[[], Conversation]]] = {
                "ostiary pdp, HTTP": (ours.port, lambda: HttpConversation(sent)),
                "Cerbos PDP 0.55, HTTP": (real.port, lambda: HttpConversation(sent)),
                "Cerbos PDP 0.55, gRPC": (real.grpc_port, lambda: GrpcConversation(messages)),
            }
            measured = rounds(contestants)
    rows = [
        (
            what,
            statistics.median(one.per_second for one in found),
            f"{statistics.median(one.median_ms for one in found):.2f}",
            f"{statistics.median(one.p99_ms for one in found):.2f}",
        )
        for what, found in measured.items()
    ]
    table((f"{size} policies", "checks/s", "median ms", "p99 ms"), rows)
    print()


def rounds(contestants: dict[str, tuple[int, Callable[[], Conversation]]]) -> dict[str, list[Measured]]:
    """The rounds of each, one after the other in turn, after one to warm up."""
    measured: dict[str, list[Measured]] = {what: [] for what in contestants}
    for number in range(ROUNDS + 1):
        for what, (port, open_one) in contestants.items():
            found = load(port, [open_one() for _ in range(CONNECTIONS)], SECONDS)
            if number:
                measured[what].append(found)
    return measured
