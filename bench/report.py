"""Tables of figures for a terminal and for docs/benchmarks.md, and what machine they are of."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct


class Options(Struct, frozen=True, kw_only=True):
    """What a run was asked for. `corpora` are files of commands beside the one that is here."""

    quick: bool = False
    corpora: tuple[Path, ...] = ()

    def rounds(self, full: int) -> int:
        """How many rounds to take."""
        return max(2, full // 4) if self.quick else full


class Table(Struct, frozen=True):
    """Figures under headings; `note` is said below. Numbers are shown with the digits that mean something."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    note: str = ""

    def cells(self) -> list[list[str]]:
        """Headings and rows as texts."""
        return [list(self.headings), *([shown(cell) for cell in row] for row in self.rows)]

    def text(self) -> str:
        """For a terminal: columns in line, numbers to the right."""
        cells = self.cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if position == 0 else cell.rjust(width)
                for position, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        rule = "  ".join("-" * width for width in widths)
        note = [self.note] if self.note else []
        return "\n".join([self.title, "", lines[0], rule, *lines[1:], *note, ""])

    def markdown(self) -> str:
        """For a page."""
        rows = [f"| {' | '.join(row)} |" for row in self.cells()]
        rule = "|---" * len(self.headings) + "|"
        note = ["", self.note] if self.note else []
        return "\n".join([f"**{self.title}**", "", rows[0], rule, *rows[1:], *note, ""])


def shown(cell: object) -> str:
    """A cell as text; a float with three significant digits, whole above a hundred."""
    if not isinstance(cell, float):
        return str(cell)
    if abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"


def machine() -> str:
    """One sentence about what the figures are of, the load at this moment included."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    busy = (
        ", quiet"
        if load < 0.3
        else f", load average {load:.1f}: other work ran, so read ratios and not figures"
    )
    return f"Python {platform.python_version()}, {platform.machine()}, {cores} cores{busy}."


def refreshed(page: str, name: str, content: str) -> str:
    """A page with what stands between `<!-- bench:name -->` and `<!-- /bench:name -->` replaced. Raises ValueError."""
    block = re.compile(
        rf"(<!-- bench:{re.escape(name)} -->\n).*?(<!-- /bench:{re.escape(name)} -->)", re.DOTALL
    )
    found, count = block.subn(lambda match: f"{match[1]}{content}\n{match[2]}", page)
    if count != 1:
        raise ValueError(f"the page has {count} places for the figures of {name!r}; it needs one")
    return found
