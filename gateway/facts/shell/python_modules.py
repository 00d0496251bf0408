"""What is known of the modules that Python code imports, and what a text handed to the others could mean."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec
import yaml
from msgspec import Struct

LIBRARIES: Final = frozenset({"numpy", "pandas"})
_WAYS: Final = frozenset(
    {"os", "io", "sys", "pathlib", "unlink", "rmdir", "rmtree", "system", "popen", "kill"}
)
TEXT_METHODS: Final = frozenset(
    {
        "count",
        "endswith",
        "find",
        "format",
        "get",
        "index",
        "join",
        "ljust",
        "lstrip",
        "partition",
        "removeprefix",
    }
) | {"removesuffix", "replace", "rjust", "rpartition", "rsplit", "rstrip", "split", "startswith", "strip"}
SAVING_METHODS: Final = frozenset(
    {"savefig", "to_csv", "to_excel", "to_feather", "to_html", "to_json", "to_parquet"}
)
"""Methods of tables and plots that write the file named by their first argument."""
_CARRIES: Final = re.compile(r"[/~\\]|\.\.|^-|[a-z0-9] +-|\$|`|;|^\.")
"""A text that could be a path, a URL, an option or a command."""


class Modules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of modules by their names; see `python_modules.yaml`."""

    harmless: frozenset[str]
    acting: frozenset[str]

    def acts(self, name: str) -> bool:
        """Whether a module or a package around it is one that acts by itself, or of the standard library and unknown."""
        parts = name.split(".")
        if parts[0] in sys.stdlib_module_names and name not in self.harmless:
            return True
        return any(".".join(parts[: length + 1]) in self.acting for length in range(len(parts)))


@cache
def modules() -> Modules:
    """The shipped table."""
    text = resources.files("gateway.facts.shell").joinpath("python_modules.yaml").read_text("utf-8")
    return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), Modules)


def carries(text: str) -> bool:
    """Whether a text could be a path, a URL, an option or a command."""
    return _CARRIES.search(text) is not None


def leads_on(names: Sequence[str]) -> bool:
    """Whether names below a module may leave it: `app.os.remove` reaches what the module itself has imported."""
    return any(name in _WAYS or modules().acts(name) for name in names)
