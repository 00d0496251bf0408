"""What the settings files of Claude Code amount to: which hooks reach the gateway, and what stands in their way.

Source: the client's settings reference and docs/hook-protocol.md. Managed files win; hooks of all tiers are concatenated,
unless `allowManagedHooksOnly` drops all but the managed ones.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.domain.agent_settings import HookInForce, InForce, SettingsFile

Problems = list[tuple[str, str]]


def in_force(
    files: Sequence[SettingsFile], url: str, events: Sequence[str], variables: Sequence[str]
) -> InForce:
    """What the files amount to. `events` should be posted; `variables` should reach the gateway as headers."""
    problems: Problems = []
    parsed = [(file, _parsed(file, problems)) for file in files]
    managed = [(file, document) for file, document in parsed if file.tier == "managed"]
    only_managed = any(document.get("allowManagedHooksOnly") is True for _, document in managed)
    found: list[HookInForce] = []
    for file, document in parsed:
        if only_managed and file.tier != "managed":
            continue
        if document.get("disableAllHooks") is True:
            problems.append((f"{file.path} sets disableAllHooks.", "Take it out."))
            if file.tier != "managed":
                found = [hook for hook in found if hook.tier == "managed"]
                break
        found += _hooks_to(url, file, document, problems)
    _restrictions([document for _, document in managed], "managed settings", url, variables, problems)
    if any(hook.tier != "managed" for hook in found):
        others = [document for file, document in parsed if file.tier != "managed"]
        _restrictions(others, "the settings of user and project", url, variables, problems)
    reached = {hook.event for hook in found}
    return InForce(
        hooks=tuple(found),
        missing=tuple(event for event in events if event not in reached),
        problems=tuple(problems),
        minimum_version=next(
            (
                str(document["requiredMinimumVersion"])
                for _, document in managed
                if document.get("requiredMinimumVersion")
            ),
            "",
        ),
        managed=bool(managed),
    )


def _parsed(file: SettingsFile, problems: Problems) -> dict[str, Any]:
    if file.content is None:
        problems.append((f"{file.path} cannot be read.", "Look at it as a user who may."))
        return {}
    try:
        document = json.loads(file.content)
    except (ValueError, RecursionError) as error:
        problems.append((f"{file.path} is no JSON: {error}.", "Mend it: the client does not start with it."))
        return {}
    return document if isinstance(document, dict) else {}


def _hooks_to(
    url: str, file: SettingsFile, document: Mapping[str, Any], problems: Problems
) -> Iterator[HookInForce]:
    hooks = document.get("hooks")
    if not isinstance(hooks, dict):
        return
    for event, groups in hooks.items():
        for group in groups if isinstance(groups, list) else ():
            inner = group.get("hooks") if isinstance(group, dict) else None
            for hook in inner if isinstance(inner, list) else ():
                if not isinstance(hook, dict) or not _reaches(hook, url):
                    continue
                seconds = hook.get("timeout", 0)
                if isinstance(seconds, int | float) and seconds <= 0 and "timeout" in hook:
                    problems.append(
                        (
                            f"{file.path}: the hook of {event} has timeout {seconds}: it is dropped.",
                            "Write 5.",
                        )
                    )
                    continue
                if group.get("matcher") not in {None, "", "*"} or hook.get("if"):
                    problems.append(
                        (
                            f"{file.path}: the hook of {event} is only for some calls.",
                            "Take matcher and if out.",
                        )
                    )
                yield HookInForce(
                    event=event,
                    tier=file.tier,
                    path=file.path,
                    url=url,
                    blocks=hook.get("onFailure") == "block",
                    command=hook.get("type") == "command",
                    seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
                )


def _reaches(hook: Mapping[str, Any], url: str) -> bool:
    """Whether a hook posts to the gateway: an http hook by its URL, a command by the last word of its line."""
    if hook.get("type") == "http":
        return hook.get("url") == url
    if hook.get("type") != "command" or not isinstance(hook.get("command"), str):
        return False
    try:
        words = shlex.split(hook["command"])
    except ValueError:
        return False
    return url in words


def _restrictions(
    documents: Sequence[Mapping[str, Any]], whose: str, url: str, variables: Sequence[str], problems: Problems
) -> None:
    """Lists that hooks must be on. Those of managed settings hold for every hook, all others only for each other."""
    urls = _all_listed(documents, "allowedHttpHookUrls")
    if urls is not None and not any(_matches(text, url) for text in urls):
        problems.append((f"allowedHttpHookUrls of {whose} does not hold {url}: every hook fails.", "Add it."))
    allowed = _all_listed(documents, "httpHookAllowedEnvVars")
    lost = [name for name in variables if allowed is not None and name not in allowed]
    if lost:
        problems.append(
            (f"httpHookAllowedEnvVars of {whose} drops {', '.join(lost)} from our headers.", "Add them.")
        )


def _all_listed(documents: Sequence[Mapping[str, Any]], key: str) -> list[str] | None:
    """What the lists of several files hold together; None where none has one."""
    lists = [document[key] for document in documents if isinstance(document.get(key), list)]
    return [text for listed in lists for text in listed if isinstance(text, str)] if lists else None


def _matches(pattern: str, url: str) -> bool:
    """Whether a URL is meant by a pattern, in which `*` alone is special: an IPv6 address has brackets."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), url) is not None
