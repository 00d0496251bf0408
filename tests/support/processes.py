"""Processes under test: started on free loopback ports, waited for, and ended by id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "tests" / "node_modules"
PATIENCE_SECONDS = 90.0


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Return once `condition` holds; fail the test when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def http_status(url: str) -> int:
    """The status of a GET, 0 when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class RunningProcess:
    """A child process whose output goes to files; ended when the `with` block ends."""

    def __init__(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.stdout_file = directory / "stdout.log"
        self.stderr_file = directory / "stderr.log"
        with self.stdout_file.open("ab") as out, self.stderr_file.open("ab") as err:
            self.process = subprocess.Popen(
                argv, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=dict(environment), cwd=directory
            )

    @property
    def output(self) -> str:
        """What it printed so far, both streams."""
        return self.stdout_file.read_text(errors="replace") + self.stderr_file.read_text(errors="replace")

    def wait_ready(self, ready: Callable[[], bool], what: str) -> None:
        """Return once `ready`; fail with its output when it ends first or takes too long."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise AssertionError(f"{what} did not become ready:\n{self.output}")
            time.sleep(0.02)

    def stop(self) -> int:
        """End it gracefully; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class GatewayProcess(RunningProcess):
    """`ostiary serve` with a data directory of its own. `settings` are configuration keys (`server.deadline_ms`)."""

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, object] | None = None,
        *,
        config: Path | None = None,
        port: int = 0,
        admin_port: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or free_port()
        self.admin_port = admin_port or free_port()
        self.data_dir = directory / "data"
        argv = [sys.executable, "-m", "gateway.cli", "serve"]
        argv += ["--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{self.admin_port}"]
        argv += ["--data-dir", str(self.data_dir)]
        argv += [f"--config={config}"] if config else []
        for key, value in (settings or {}).items():
            argv += ["--set", f"{key}={value}"]
        clean = {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(ROOT)}
        super().__init__(argv, directory, {**clean, **(environment or {})})
        self.wait_ready(lambda: http_status(f"{self.admin_url}/livez") == 200, "the gateway")

    @property
    def hooks_url(self) -> str:
        """Where Claude Code posts its hooks."""
        return f"http://127.0.0.1:{self.port}/v1/hooks/claude-code"

    @property
    def admin_url(self) -> str:
        """The admin listener."""
        return f"http://127.0.0.1:{self.admin_port}"


class CerbosProcess(RunningProcess):
    """A real Cerbos PDP over a directory of policies."""

    def __init__(self, directory: Path, policies: Path, *, config: str = "", port: int = 0) -> None:
        self.port = port or free_port()
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "cerbos.yaml"
        file.write_text(
            config
            or "server:\n"
            f"  httpListenAddr: 127.0.0.1:{self.port}\n"
            f"  grpcListenAddr: 127.0.0.1:{free_port()}\n"
            f"storage:\n  driver: disk\n  disk:\n    directory: {policies}\n    watchForChanges: false\n"
            "telemetry:\n  disabled: true\n"
        )
        argv = [str(cerbos_binary()), "server", f"--config={file}"]
        super().__init__(argv, directory, {"PATH": os.environ["PATH"], "HOME": str(directory)})
        self.wait_ready(lambda: http_status(f"{self.url}/_cerbos/health") == 200, "the Cerbos PDP")

    @property
    def url(self) -> str:
        """Its HTTP API."""
        return f"http://127.0.0.1:{self.port}"


def cerbos_binary() -> Path:
    """The real PDP, also its `compile` command."""
    return NODE_MODULES / "@cerbos" / "cerbos-linux-x64" / "cerbos-linux-x64"


def claude_binary() -> Path:
    """The real Claude Code."""
    return NODE_MODULES / ".bin" / "claude"
