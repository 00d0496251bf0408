"""A closed loop over some connections: each sends its next request when the reply to the last is complete.

One thread on the load's core; what is sent is encoded before, so that the loop costs a few microseconds a request. A
protocol says how a connection begins and how many bytes of what came are a whole reply.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bench.pdp.servers import LOAD_CORE


class Conversation(Protocol):
    """One connection of a protocol."""

    def opening(self) -> bytes:
        """What is sent first, "" when nothing is."""
        ...

    def request(self, number: int) -> bytes:
        """The bytes of the next request, of the many prepared the one of that number."""
        ...

    def taken(self, data: bytearray) -> bool:
        """Whether `data` holds the whole reply; it is then removed. Raises ValueError for a reply that is no success."""
        ...

    def pending(self) -> bytes:
        """What the protocol itself has to send."""
        ...


class Measured(Struct, frozen=True):
    """What a load came to."""

    per_second: float
    median_ms: float
    p99_ms: float


class _Connection:
    def __init__(self, port: int, conversation: Conversation) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.conversation = conversation
        self.data = bytearray()
        self.begun = 0
        self.socket.sendall(conversation.opening())


def load(port: int, conversations: Sequence[Conversation], seconds: float) -> Measured:
    """Replies a second, and latencies, over `seconds`."""
    os.sched_setaffinity(0, {LOAD_CORE})
    clock = time.perf_counter_ns
    connections = [_Connection(port, conversation) for conversation in conversations]
    taken: list[int] = []
    number = 0
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.begun = clock()
            connection.socket.sendall(connection.conversation.request(number))
            number += 1
        start = clock()
        end = start + int(seconds * 1e9)
        while clock() < end:
            for key, _ in selector.select(1.0):
                connection = key.data
                received = connection.socket.recv(65536)
                if not received:
                    raise ValueError("the server closed a connection")
                connection.data += received
                if not connection.conversation.taken(connection.data):
                    continue
                now = clock()
                taken.append(now - connection.begun)
                connection.begun = now
                connection.socket.sendall(
                    connection.conversation.pending() + connection.conversation.request(number)
                )
                number += 1
        elapsed = (clock() - start) / 1e9
    for connection in connections:
        connection.socket.close()
    taken.sort()
    return Measured(len(taken) / elapsed, taken[len(taken) // 2] / 1e6, taken[len(taken) * 99 // 100] / 1e6)
