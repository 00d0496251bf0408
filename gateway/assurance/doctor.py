"""What is right and wrong with an installation, judged from facts that the caller collected. Nothing here looks anywhere.

Each finding is `ok`, a `note` (true, and worth knowing), or `red` with what to do about it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from gateway.domain.agent_settings import HookInForce, InForce
from gateway.domain.record import Record

State = Literal["ok", "note", "red"]
_DECIDING = ("UserPromptSubmit", "PreToolUse", "PermissionRequest")
"""Events whose hooks must fail closed before `enforce` means anything."""
_REMEDIES = {
    "away": "Start the PDP, or look at cerbos.url.",
    "canary": "Load the shipped packs into the PDP: `ostiary policy export --for cerbos DIR`.",
    "ungoverned_kinds": "Load the shipped packs into the PDP: `ostiary policy export --for cerbos DIR`.",
    "strict_scope_search": "Set engine.lenientScopeSearch in the PDP, or name its scopes in layers.",
    "untested_version": "Run a tested version of Cerbos; `ostiary version` names it.",
    "policies": "Mend the policies, then reload.",
}


class Finding(Struct, frozen=True, kw_only=True):
    """One line. `remedy` says what to do; empty only where nothing is to be done."""

    check: str
    state: State
    says: str
    remedy: str = ""


class Canary(Struct, frozen=True, kw_only=True):
    """A call that policy must stop, as it went: the HTTP status, the reply's decision, the record, or what kept it.

    `tried` is false where this user could not mark the call as a test, so that it was not made.
    """

    tried: bool = True
    status: int = 0
    stopped: bool = False
    record: Record | None = None
    problem: str = ""
    remedy: str = ""


class Client(Struct, frozen=True, kw_only=True):
    """The agent's program here: its path, "" where none is, and what it says its version is."""

    path: str = ""
    version: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """Everything that is judged. `status` is None where no gateway tells, with the reason and what to do."""

    own_version: str
    program: str
    hooks_url: str
    deadline_seconds: float
    status: Mapping[str, Any] | None
    problem: str = ""
    remedy: str = ""
    canary: Canary | None = None
    settings: InForce
    settings_places: tuple[str, ...]
    server_managed: str = ""
    """A cached copy of settings that the organisation's server sent, "" where there is none."""
    client: Client = Client()
    minimum_version: str


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Every finding, in the order a person reads them."""
    found: list[Finding] = []
    if facts.status is None:
        found.append(Finding(check="gateway", state="red", says=facts.problem, remedy=facts.remedy))
    else:
        found += _gateway(facts, facts.status)
        found += _policy(facts.status)
        found += _canary(facts.canary)
    found += _settings(facts)
    found += _stance(facts)
    found += _client(facts)
    return tuple(found)


def _gateway(facts: Facts, status: Mapping[str, Any]) -> Iterator[Finding]:
    listen = status["listeners"]["hooks"]
    yield Finding(
        check="gateway", state="ok", says=f"Runs as process {status['pid']} and listens on {listen}."
    )
    if status["version"] == facts.own_version:
        yield Finding(check="version", state="ok", says=f"{facts.own_version}, here and there.")
    else:
        yield Finding(
            check="version",
            state="red",
            says=f"The gateway runs {status['version']}, this command is {facts.own_version}.",
            remedy="Restart the gateway.",
        )
    wrong = {name: text for name, text in status["readiness"]["checks"].items() if text != "ok"}
    for name, text in wrong.items():
        yield Finding(check="ready", state="red", says=f"{name}: {text}", remedy="Look at the gateway's log.")
    if not wrong:
        yield Finding(check="ready", state="ok", says="Policies, journal and canary hold.")
    yield _posture(status)
    yield _record(status)
    yield _address(listen)


def _posture(status: Mapping[str, Any]) -> Finding:
    if status["posture"] == "held":
        says = "held: no governed agent can change code, policies, keys or data."
        return Finding(check="posture", state="ok", says=says)
    return Finding(
        check="posture",
        state="note",
        says=f"advisory: {' '.join(status['posture_reasons'][:2])}",
        remedy="It stops mistakes, not an adversary. docs/threat-model.md says how to run it as another user.",
    )


def _record(status: Mapping[str, Any]) -> Finding:
    journal, clerk = status["journal"], status["clerk"]
    if journal["problem"]:
        return Finding(
            check="record",
            state="red",
            says=f"Not written: {journal['problem']}",
            remedy="Make room on the disk.",
        )
    if not clerk["running"]:
        return Finding(
            check="record",
            state="red",
            says="Written, but not indexed: the clerk does not run.",
            remedy="Look at the gateway's log; it starts the clerk again by itself.",
        )
    return Finding(check="record", state="ok", says=f"Written to {status['data_dir']}/audit and indexed.")


def _address(listen: str) -> Finding:
    if _is_loopback(listen):
        return Finding(
            check="address",
            state="note",
            says="Plain http on loopback: whoever takes the port while the gateway is away answers in its place.",
            remedy="Run it as a service that is always up; docs/threat-model.md.",
        )
    return Finding(
        check="address",
        state="red",
        says=f"Plain http on {listen}, beyond this machine: anybody in between can answer.",
        remedy="Set server.listen to loopback.",
    )


def _policy(status: Mapping[str, Any]) -> Iterator[Finding]:
    rules, revision, backend = status["policies"], status["revision"], status["backend"]
    if not rules:
        remedy = "Name a directory in policies, or switch packs on."
        yield Finding(check="policy", state="red", says="No rule is loaded.", remedy=remedy)
    else:
        says = f"{rules} rules, revision {revision}, decided by {backend}."
        yield Finding(check="policy", state="ok", says=says)
    if status["rules_off"]:
        says = f"Switched off: {', '.join(status['rules_off'])}."
        yield Finding(check="policy", state="note", says=says, remedy="`ostiary config packs`.")
    for name, text in status["readiness"]["degraded"].items():
        # A kind that the shipped packs do not speak about yet is known; a PDP without them is a mistake.
        state: State = "note" if name == "ungoverned_kinds" and backend == "local" else "red"
        remedy = _REMEDIES.get(name, "docs/failure-modes.md.") if state == "red" else ""
        yield Finding(check="policy", state=state, says=text, remedy=remedy)


def _canary(canary: Canary | None) -> Iterator[Finding]:
    if canary is None:
        return
    if canary.problem:
        state: State = "red" if canary.tried else "note"
        yield Finding(check="canary", state=state, says=canary.problem, remedy=canary.remedy)
        return
    record = canary.record
    if canary.status != 200 or record is None:
        says = f"The gateway answered {canary.status}, and there is no record of the call."
        yield Finding(check="canary", state="red", says=says, remedy="Look at the gateway's log.")
        return
    rule = next((reason.rule for reason in record.reasons if reason.rule), record.cause or "no rule")
    if record.mode == "disabled":
        says = "The mode is disabled: nothing is looked at."
        yield Finding(check="canary", state="note", says=says, remedy="Set mode: observe.")
    elif record.mode == "enforce" and canary.stopped and record.decision == "deny":
        yield Finding(check="canary", state="ok", says=f"Reading a secret is denied ({rule}), and recorded.")
    elif record.mode == "observe" and not canary.stopped and record.decision == "deny":
        says = f"Reading a secret would be denied ({rule}): it passes, as observe does, and is recorded."
        yield Finding(check="canary", state="ok", says=says)
    else:
        stop = "was stopped" if canary.stopped else "was not stopped"
        yield Finding(
            check="canary",
            state="red",
            says=f"Reading a secret {stop} in mode {record.mode}; policy said {record.decision} ({rule}).",
            remedy="Look for rules that are off: `ostiary config packs`, and for the cause: `ostiary why`.",
        )


def _settings(facts: Facts) -> Iterator[Finding]:
    settings = facts.settings
    for says, remedy in settings.problems:
        yield Finding(check="settings", state="red", says=says, remedy=remedy)
    if facts.server_managed:
        yield Finding(
            check="settings",
            state="note",
            says=f"The organisation's server sends settings ({facts.server_managed}); they win over files.",
            remedy="Put the hooks there: `ostiary agent-settings claude-code`.",
        )
    if not settings.hooks:
        yield Finding(
            check="settings",
            state="red",
            says=f"No settings of Claude Code post to {facts.hooks_url}: nothing is governed.",
            remedy=f"`{facts.program} try DIR` for one project, `{facts.program} agent-settings claude-code` for a machine.",
        )
        return
    for tier, path in dict.fromkeys((hook.tier, hook.path) for hook in settings.hooks):
        count = len({hook.event for hook in settings.hooks if hook.path == path})
        if tier == "managed":
            yield Finding(check="settings", state="ok", says=f"{count} events, managed: {path}")
        else:
            yield Finding(
                check="settings",
                state="note",
                says=f"{count} events, advisory: whoever runs the agent can change {path}",
                remedy=f"`{facts.program} agent-settings claude-code` makes settings that hold.",
            )
    if settings.missing:
        yield Finding(
            check="settings",
            state="red",
            says=f"Not posted: {', '.join(settings.missing)}.",
            remedy=f"Write the settings again: `{facts.program} agent-settings claude-code`.",
        )
    slow = [
        hook
        for hook in settings.hooks
        if 0 < hook.seconds <= facts.deadline_seconds and hook.event in _DECIDING
    ]
    if slow:
        yield Finding(
            check="settings",
            state="red",
            says=f"The client waits {slow[0].seconds:g} s, the gateway may take {facts.deadline_seconds:g} s.",
            remedy="Lower server.deadline_ms, or write the settings again.",
        )


def _stance(facts: Facts) -> Iterator[Finding]:
    """What happens to a call while the gateway is away, against what the mode promises."""
    deciding: dict[str, list[HookInForce]] = {}
    for hook in facts.settings.hooks:
        if hook.event in _DECIDING:
            deciding.setdefault(hook.event, []).append(hook)
    if not deciding:
        return
    blocks = all(any(hook.blocks for hook in hooks) for hooks in deciding.values())
    any_blocks = any(hook.blocks for hooks in deciding.values() for hook in hooks)
    modes = _modes(facts.status) if facts.status is not None else set()
    if "enforce" in modes and not blocks:
        yield Finding(
            check="failure",
            state="red",
            says="While the gateway is away every call runs, although the mode is enforce.",
            remedy=f"`{facts.program} agent-settings claude-code --stage enforce`.",
        )
    elif modes and "enforce" not in modes and any_blocks:
        yield Finding(
            check="failure",
            state="red",
            says="While the gateway is away every call is stopped, although it only observes.",
            remedy=f"`{facts.program} agent-settings claude-code --stage observe`, or set mode: enforce.",
        )
    else:
        says = "is stopped" if blocks else "runs"
        yield Finding(check="failure", state="ok", says=f"While the gateway is away every call {says}.")


def _modes(status: Mapping[str, Any]) -> set[str]:
    return {str(status["mode"]), *(str(rule["mode"]) for rule in status["modes"])}


def _client(facts: Facts) -> Iterator[Finding]:
    client, settings = facts.client, facts.settings
    if not client.path:
        yield Finding(check="client", state="note", says="Claude Code is not on the PATH of this shell.")
        return
    version = _numbers(client.version)
    if not version:
        says = f"{client.path} does not tell its version."
        yield Finding(check="client", state="note", says=says, remedy="Run it by hand.")
        return
    said = ".".join(map(str, version))
    needs = any(hook.blocks for hook in settings.hooks)
    wanted = settings.minimum_version or facts.minimum_version
    if version < _numbers(wanted) and (needs or settings.minimum_version):
        yield Finding(
            check="client",
            state="red",
            says=f"Claude Code {said} is older than {wanted}: it ignores what should stop it.",
            remedy="Update it.",
        )
    elif needs and not settings.minimum_version:
        yield Finding(
            check="client",
            state="note",
            says=f"Claude Code {said}; an older one would start as well, and ignore onFailure.",
            remedy=f"`{facts.program} agent-settings claude-code --stage enforce` sets requiredMinimumVersion.",
        )
    else:
        yield Finding(check="client", state="ok", says=f"Claude Code {said}.")


def _numbers(version: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)+", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _is_loopback(listen: str) -> bool:
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
