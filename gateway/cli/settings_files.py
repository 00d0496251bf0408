"""The settings files of Claude Code on this machine, read in the order they win: managed, local, project, user."""

from __future__ import annotations

import json
import plistlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gateway.domain.agent_settings import SettingsFile, Target, Tier

_PREFERENCES = Path("/Library/Managed Preferences/com.anthropic.claudecode.plist")
_CACHED = "remote-settings.json"


def settings_files(
    targets: Sequence[Target], environment: Mapping[str, str], project: Path, managed_dir: Path | None = None
) -> tuple[SettingsFile, ...]:
    """Every settings file that exists. `managed_dir` stands for this system's directory of managed settings."""
    return (
        *_managed(targets, managed_dir),
        *_read("local", project / ".claude" / "settings.local.json"),
        *_read("project", project / ".claude" / "settings.json"),
        *_read("user", _user_directory(environment) / "settings.json"),
    )


def server_managed(environment: Mapping[str, str]) -> str:
    """Where the client keeps the settings its organisation's server sent, "" where there are none."""
    cached = _user_directory(environment) / _CACHED
    try:
        return str(cached) if json.loads(cached.read_bytes()) else ""
    except (OSError, ValueError):
        return ""


def _managed(targets: Sequence[Target], managed_dir: Path | None) -> Iterator[SettingsFile]:
    if managed_dir is None:
        system = "macOS" if sys.platform == "darwin" else "Linux"
        target = next((target for target in targets if target.system.startswith(system)), None)
        if target is None:
            return
        managed_dir = Path(target.path).parent
        if system == "macOS":
            yield from _preferences()
    yield from _read("managed", managed_dir / "managed-settings.json")
    for drop_in in sorted(managed_dir.glob("managed-settings.d/*.json")):
        yield from _read("managed", drop_in)


def _preferences() -> Iterator[SettingsFile]:
    """Settings that device management installed, as JSON like the others."""
    for file in _read("managed", _PREFERENCES):
        content = file.content
        if content is not None:
            try:
                content = json.dumps(plistlib.loads(content)).encode()
            except (plistlib.InvalidFileException, ValueError, TypeError):
                content = None
        yield SettingsFile(tier="managed", path=file.path, content=content)


def _read(tier: Tier, path: Path) -> Iterator[SettingsFile]:
    try:
        yield SettingsFile(tier=tier, path=str(path), content=path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield SettingsFile(tier=tier, path=str(path), content=None)


def _user_directory(environment: Mapping[str, str]) -> Path:
    named = environment.get("CLAUDE_CONFIG_DIR", "")
    return Path(named) if named else Path(environment.get("HOME", "/")) / ".claude"
