"""kill -9 under load: every call that was answered is in the journal, the chain verifies, and the next life continues it."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Self

import pytest

from gateway.audit.chain import parse_header
from gateway.audit.verify import verify
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess, wait_until

CONNECTIONS = 8
ROUNDS = int(os.environ.get("ROUNDS", "2"))
SECONDS = float(os.environ.get("SECONDS", "1.5"))


class Load:
    """Clients that post calls as fast as they are answered, and remember which were."""

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self._numbers = itertools.count(1)
        self.answered: list[str] = []
        self._threads = [threading.Thread(target=self._post) for _ in range(CONNECTIONS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for thread in self._threads:
            thread.join()

    def _post(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            while True:
                call_id = f"{self._name}-{next(self._numbers)}"
                payload = pre_tool_use(
                    "Read", {"file_path": f"/home/dev/project/{call_id}"}, tool_use_id=call_id
                )
                connection.request("POST", "/v1/hooks/claude-code", json.dumps(payload))
                reply = connection.getresponse()
                if reply.status == 200 and reply.read() == b"{}":
                    self.answered.append(call_id)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def journalled(data_dir: Path) -> set[str]:
    """The call ids in the whole lines of the journal."""
    found: set[str] = set()
    chains = [path for path in (data_dir / "audit").iterdir() if ".gate." in path.name]
    for path in (file for chain in chains for file in chain.iterdir()):
        for line in path.read_bytes().split(b"\n")[:-1]:
            if b'"call_id"' in line:
                found.add(json.loads(line)["call_id"])
    return found


@pytest.mark.timeout(120 + ROUNDS * (SECONDS + 20))
def test_no_answered_call_is_lost_by_a_kill(tmp_path: Path) -> None:
    answered: set[str] = set()
    lives: list[str] = []
    for number in range(ROUNDS + 1):
        with GatewayProcess(tmp_path / "gateway") as gateway:
            with Load(gateway.port, f"life{number}") as load:
                time.sleep(SECONDS)
                gateway.process.send_signal(signal.SIGKILL)
                gateway.process.wait()
            answered.update(load.answered)
            assert len(load.answered) > 50
            assert answered <= journalled(gateway.data_dir)
            report = verify(gateway.data_dir / "audit")
            assert report.intact, report.findings
            lives = sorted(
                path.name for path in (gateway.data_dir / "audit").iterdir() if ".gate." in path.name
            )
    assert len(lives) == ROUNDS + 1
    with GatewayProcess(tmp_path / "gateway") as gateway:
        chains = gateway.data_dir / "audit"
        newest = max(path for path in chains.iterdir() if ".gate." in path.name)
        header = parse_header((newest / "0000000000000001.jsonl").read_bytes().splitlines(keepends=True)[0])
        assert header.predecessor is not None
        assert header.predecessor.chain == lives[-1]
    assert verify(chains).intact


def test_a_clerk_that_ends_with_its_gate_leaves_no_process_behind(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path / "gateway") as gateway:
        wait_until((gateway.data_dir / "query.sock").exists, "the clerk")
        clerk = child_of(gateway.process.pid)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        wait_until(lambda: not Path(f"/proc/{clerk}").exists() or state_of(clerk) == "Z", "the clerk's end")


def child_of(pid: int) -> int:
    """The one child process of a gate: its clerk."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
