"""Record the ordinary days: `python -m tests.corpora.ordinary_days [--anew] [DAY …]`. Needs the right to mount (root).

Sessions that are recorded already are kept without `--anew`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.client.settings import managed
from tests.corpora.ordinary_days.days import HERE
from tests.corpora.ordinary_days.recording import RECORDINGS
from tests.support.processes import ROOT

_NAMESPACE = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--propagation=private")
HOOKS_URL = "http://127.0.0.1:8787/v1/hooks/claude-code"


def main(names: list[str]) -> int:
    """Run the recorder in namespaces of its own; its exit status."""
    with tempfile.TemporaryDirectory(prefix="ostiary-days-", dir=ROOT / "var") as scratch:
        settings = Path(scratch) / "managed-settings.json"
        settings.write_text(json.dumps(managed(HOOKS_URL, "observe"), indent=1))
        sandbox = ["sh", str(HERE / "sandbox.sh"), str(RECORDINGS), str(HERE / "shims.txt"), str(settings)]
        recorder = [sys.executable, "-m", "tests.corpora.ordinary_days.record", str(RECORDINGS), *names]
        env = {
            "PATH": os.environ["PATH"],
            "HOME": "/root",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.run(
            [*_NAMESPACE, *sandbox, "nice", "-n", "10", *recorder], cwd=ROOT, env=env, check=False
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
