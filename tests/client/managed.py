"""Managed settings without touching the machine: the client runs with an `/etc` of its own, in a private mount namespace."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# $1: a directory to mount on, $2: the settings to put in force, $3: where to leave what was written to /etc.
_SCRIPT = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mkdir -p /etc/claude-code
cp "$2" /etc/claude-code/managed-settings.json
written="$1/upper" kept="$3"
shift 3
status=0
"$@" || status=$?
cp -a "$written/." "$kept"
exit $status
"""


class ManagedSettings:
    """Settings in force for clients that `wrapper` starts. `written` afterwards holds what was written to `/etc`."""

    def __init__(self, directory: Path, settings: Mapping[str, Any]) -> None:
        self._mount = directory / "mount"
        self._file = directory / "managed-settings.json"
        self.written = directory / "etc"
        for made in (self._mount, self.written):
            made.mkdir(parents=True)
        self._file.write_text(json.dumps(settings, indent=1))

    @property
    def wrapper(self) -> list[str]:
        """The beginning of a command line that runs under the settings."""
        return [*_NAMESPACE, "sh", "-c", _SCRIPT, "sh", str(self._mount), str(self._file), str(self.written)]


_NAMESPACE = ("unshare", "--mount", "--propagation=private")


def namespace_problem(directory: Path) -> str:
    """Why managed settings cannot be tried here, "" when they can: it takes the right to mount."""
    trial = ManagedSettings(directory, {})
    try:
        done = subprocess.run(
            [*trial.wrapper, "true"], capture_output=True, text=True, check=False, timeout=20
        )
    except OSError as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""
