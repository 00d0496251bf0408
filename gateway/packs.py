"""Where the shipped policies are: inside the wheel, or in the source tree of an editable install."""

from __future__ import annotations

from pathlib import Path

from gateway.errors import ConfigError


def shipped_packs() -> Path:
    """The directory of the shipped policies. Raises ConfigError when the installation is incomplete."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "_packs", package.parent / "policies"):
        if (candidate / "baseline").is_dir():
            return candidate
    raise ConfigError("The shipped policies are missing.", number=30, remedy="Install Ostiary again.")
