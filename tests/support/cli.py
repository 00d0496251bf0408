"""Commands as people call them: the real process, with an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT

GOLDEN = ROOT / "tests" / "cli" / "golden"


def ostiary(
    *arguments: object,
    home: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """One command, run to its end in `directory` (default `home`); nothing of the caller's environment but the PATH."""
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), **(environment or {})},
        cwd=directory or home,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def golden(name: str, found: Any) -> None:
    """Compare JSON with its golden file; with OSTIARY_WRITE_GOLDEN set, write the file instead."""
    file = GOLDEN / f"{name}.json"
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("OSTIARY_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert json.loads(file.read_text()) == found, f"{file} differs; it is a public surface"
