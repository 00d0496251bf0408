"""Settings for the client as `ostiary agent-settings claude-code` writes them, whole or only their hooks."""

from __future__ import annotations

from typing import Any

from gateway.domain.agent_settings import SettingsRequest, Stage
from gateway.wiring_commands import build_settings_generator


def managed(url: str, stage: Stage, **request: Any) -> dict[str, Any]:
    """The managed settings of a stage, for hooks that are posted to `url`."""
    wanted = SettingsRequest(stage=stage, url=url, **request)
    return dict(build_settings_generator("claude-code").managed(wanted).document)


def hooks(url: str, *, block: bool = False, token: bool = False) -> dict[str, Any]:
    """The hooks alone. `block`: a failure stops the call; `token`: send `$OSTIARY_TOKEN`."""
    document = managed(url, "enforce" if block else "observe", token=token)
    return {"hooks": document["hooks"]}
