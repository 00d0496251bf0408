"""The version that runs, and the version of every contract people and programs rely on."""

from __future__ import annotations

from importlib.metadata import version as distribution_version

API = "v1"
CONFIG = 1
JSON_OUTPUTS = (
    "ostiary.config/1",
    "ostiary.config-key/1",
    "ostiary.doctor/1",
    "ostiary.status/1",
    "ostiary.token/1",
    "ostiary.version/1",
)


def product_version() -> str:
    """The version that runs."""
    return distribution_version("ostiary")
