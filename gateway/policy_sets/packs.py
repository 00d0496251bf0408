"""The shipped policies: where they are, inside the wheel or in the source tree of an editable install, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.errors import ConfigError

SCHEMAS = "_schemas"
TEST_ENDING = "_test.yaml"


def shipped_packs() -> Path:
    """The directory of the shipped policies. Raises ConfigError when the installation is incomplete."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_packs", package.parent / "policies"):
        if (candidate / "baseline").is_dir():
            return candidate
    raise ConfigError("The shipped policies are missing.", number=30, remedy="Install Ostiary again.")


def pack_files(packs: Path) -> dict[str, str]:
    """Every policy, suite and schema below a directory: path relative to it, with `/`, to text, sorted."""
    files = [path for path in packs.rglob("*") if path.suffix in {".yaml", ".json"} and path.is_file()]
    return {path.relative_to(packs).as_posix(): path.read_text(encoding="utf-8") for path in sorted(files)}


def write_new(directory: Path, files: Mapping[str, str]) -> None:
    """Write files below a directory, all of them or none: a file that is there is somebody's work and stops everything.

    Raises ConfigError for the first file that exists or cannot be written.
    """
    for name in files:
        if (directory / name).exists() or (directory / name).is_symlink():
            raise ConfigError(
                f"{directory / name} exists and is not overwritten.",
                number=71,
                remedy="Name another directory, or move the file away.",
            )
    written: list[Path] = []
    try:
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise ConfigError(
            f"{directory} cannot be written: {error.strerror}.",
            number=72,
            remedy="Name a directory of your own.",
        ) from None
