"""Runs benchmarks by name: `python -m bench [SUBJECT...]`. Each module here has `run()` and is imported when it is called."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

_NO_SUBJECTS = {"__main__", "timing"}


def subjects() -> list[str]:
    """Every subject there is."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.ispkg and module.name not in _NO_SUBJECTS
    )


def main() -> int:
    """Run the named subjects, all of them when none is named."""
    known = subjects()
    wanted = sys.argv[1:] or known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(known)}.", file=sys.stderr)
        return 2
    for name in wanted:
        print(f"## {name}")
        importlib.import_module(f"bench.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
