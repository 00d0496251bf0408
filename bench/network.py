"""Checks over the network: `ostiary pdp` over HTTP, the real PDP over HTTP and gRPC; same policies, same bodies.

Rounds alternate between the servers, each alone on the first core; the load runs on the second.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.pdp.grpc_load import GrpcConversation, check_message
from bench.pdp.http_load import HttpConversation, encode
from bench.pdp.load import Conversation, Measured, load
from bench.pdp.policies import check_bodies, policy_set
from bench.pdp.servers import start_ours, start_real, write_set
from bench.report import Options, Table

SIZES = (10, 1_000)
CHECKS, KINDS = 500, 500
CONNECTIONS = 8
ROUNDS = 5
SECONDS, QUICK_SECONDS = 3.0, 0.5
Contestants = dict[str, tuple[int, Callable[[], Conversation]]]


def run(options: Options) -> Iterator[Table]:
    """One table for each size of the policy set."""
    for size in SIZES[:1] if options.quick else SIZES:
        yield served(size, options)


def served(size: int, options: Options) -> Table:
    """The servers over a set of one size."""
    bodies = check_bodies(size, CHECKS, KINDS)
    sent, messages = encode(bodies), [check_message(body) for body in bodies]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        policies = write_set(directory, policy_set(size))
        with (
            start_ours(directory / "ours", policies) as ours,
            start_real(directory / "real", policies) as real,
        ):
            measured = rounds(
                {
                    "ostiary pdp, HTTP": (ours.port, lambda: HttpConversation(sent)),
                    "Cerbos PDP 0.55, HTTP": (real.port, lambda: HttpConversation(sent)),
                    "Cerbos PDP 0.55, gRPC": (real.grpc_port, lambda: GrpcConversation(messages)),
                },
                options,
            )
    base = statistics.median(one.per_second for one in measured["Cerbos PDP 0.55, HTTP"])
    rows = []
    for what, found in measured.items():
        rate = statistics.median(one.per_second for one in found)
        times = [
            statistics.median(value)
            for value in zip(*[(one.median_ms, one.p99_ms) for one in found], strict=True)
        ]
        rows.append((what, rate, f"{rate / base:.2f}x", *times))
    return Table(
        f"Checks of three actions over the network, {size:,} policies",
        ("server", "checks/s", "of the PDP over HTTP", "median ms", "p99 ms"),
        rows,
        f"{CONNECTIONS} connections, each sends its next request when it has the answer; server on one core, load on the other.",
    )


def rounds(contestants: Contestants, options: Options) -> dict[str, list[Measured]]:
    """The rounds of each, one after the other in turn, after one to warm up."""
    measured: dict[str, list[Measured]] = {what: [] for what in contestants}
    for number in range(options.rounds(ROUNDS) + 1):
        for what, (port, open_one) in contestants.items():
            seconds = QUICK_SECONDS if options.quick else SECONDS
            found = load(port, [open_one() for _ in range(CONNECTIONS)], seconds)
            if number:
                measured[what].append(found)
    return measured
