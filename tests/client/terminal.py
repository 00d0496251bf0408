"""The real client on a terminal, by tmux: what a person sees, and the keys he presses."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import wait_until

SIZE = ("-x", "160", "-y", "60")


def terminal_problem() -> str:
    """Why no terminal can be had here, "" when it can."""
    return "" if shutil.which("tmux") else "tmux is not installed"


class Terminal:
    """One program on a terminal of its own, under a tmux server of its own; both end with the `with` block."""

    def __init__(
        self, directory: Path, argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str]
    ) -> None:
        self._tmux = ("tmux", "-S", str(directory / "tmux.sock"), "-f", os.devnull)
        self._environment = dict(environment)
        self._argv = argv
        self._cwd = cwd

    @property
    def screen(self) -> str:
        """What stands on the screen now."""
        return self._run("capture-pane", "-p").stdout

    def wait_for(self, text: str) -> str:
        """The screen once it shows a text; fails with what it shows instead."""
        try:
            wait_until(lambda: text in self.screen, f"{text!r} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.screen}") from None
        return self.screen

    def say(self, text: str) -> None:
        """Type a line and send it."""
        self._run("send-keys", "-l", text)
        wait_until(lambda: text[-20:] in self.screen, f"{text!r} in the input")
        self.press("Enter")

    def press(self, key: str) -> None:
        """Press a key by tmux's name for it."""
        self._run("send-keys", key)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._tmux, *arguments], env=self._environment, capture_output=True, text=True, check=True
        )

    def __enter__(self) -> Self:
        self._run("new-session", "-d", *SIZE, "-c", str(self._cwd), *self._argv)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        subprocess.run([*self._tmux, "kill-server"], env=self._environment, capture_output=True, check=False)
