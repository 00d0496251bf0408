"""The clerk as a child process of the gate: started, restarted when it dies, ended with the gate.

The clerk indexes the journal and answers searches; the gate never waits for it, and no answer is lost while it is away.
The pipe on its standard input ties it to the gate: when the gate is killed, the pipe closes and the clerk ends itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import structlog

_LOG = structlog.stdlib.get_logger("ostiary.clerk")
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_PATIENCE_SECONDS = 10.0


class ClerkProcess:
    """Keeps one clerk running for a data directory. `held`: the clerk keeps debuggers of its own user out, as the gate."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str], *, held: bool = False) -> None:
        self._data_dir = data_dir
        self._arguments = ("--held",) if held else ()
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self.restarts = 0

    @property
    def running(self) -> bool:
        """Whether a clerk is alive now."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the clerk and keep it running until `stop`."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the clerk: it finishes what is journalled, within ten seconds."""
        self._stopping.set()
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def _keep(self) -> None:
        delay = _FIRST_DELAY
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",  # nothing of the working directory or PYTHON* variables: an agent may have written them
                "-m",
                "gateway.cli",
                "clerk",
                "--data-dir",
                str(self._data_dir),
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
            status = await self._process.wait()
            if self._stopping.is_set():
                return
            self.restarts += 1
            _LOG.warning("clerk_ended", status=status, restart_in_seconds=delay)
            await asyncio.sleep(delay)
            lived = asyncio.get_running_loop().time() - began
            delay = _FIRST_DELAY if lived > _LONGEST_DELAY else min(delay * 2, _LONGEST_DELAY)
