"""A call that every installation must stop, posted as an agent would post it, and looked up in the record."""

from __future__ import annotations

import json
import time
import urllib.parse
from pathlib import Path

import msgspec

from gateway.assurance.doctor import Canary
from gateway.assurance.synthetic import HEADER, Call, Marks
from gateway.cli.gateway_api import QUERY_SOCKET, NotRunning, ask_socket, ask_url
from gateway.clock import now, random_bytes
from gateway.domain.query import Row
from gateway.domain.record import Record
from gateway.errors import OstiaryError
from gateway.processes.instance import attach_instance

_HOME = "/home/doctor"
_PROJECT = f"{_HOME}/project"
_EVENT, _TOOL = "PreToolUse", "Read"
_SECONDS = 10.0


def ask_canary_call(url: str, data_dir: Path, token: str) -> Canary:
    """Post a read of a secret to `url`; the record is looked for in `data_dir`. The call is marked synthetic."""
    unique = random_bytes(6).hex()
    call = Call(_EVENT, f"doctor-{unique}", f"toolu_doctor_{unique}", _TOOL)
    try:
        key = attach_instance(data_dir).key
    except OstiaryError as error:
        # Without the key the call would stain the record and its alarms.
        return Canary(tried=False, problem=f"Not tried: {error.message}", remedy=error.remedy)
    headers = {
        "Content-Type": "application/json",
        HEADER: Marks(key, now).make(call, "doctor", ("engineer",)),
        "X-Ostiary-Project-Dir": _PROJECT,
        "X-Ostiary-Home": _HOME,
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        reply = ask_url(url, body=json.dumps(_payload(call)).encode(), headers=headers, timeout=_SECONDS)
        record = _record(data_dir, call.call_id)
    except OstiaryError as error:
        return Canary(problem=error.message, remedy=error.remedy)
    body = reply.body if isinstance(reply.body, dict) else {}
    output = body.get("hookSpecificOutput")
    said = output.get("permissionDecision") if isinstance(output, dict) else None
    return Canary(status=reply.status, stopped=said == "deny", record=record)


def _payload(call: Call) -> dict[str, object]:
    return {
        "session_id": call.session_id,
        "transcript_path": f"{_HOME}/.claude/projects/-home-doctor-project/{call.session_id}.jsonl",
        "cwd": _PROJECT,
        "permission_mode": "default",
        "hook_event_name": call.event,
        "tool_name": call.tool,
        "tool_input": {"file_path": f"{_PROJECT}/.env"},
        "tool_use_id": call.call_id,
    }


def _record(data_dir: Path, call_id: str) -> Record | None:
    """The record of a call; the clerk that knows it may still be starting."""
    end = time.monotonic() + _SECONDS
    while True:
        try:
            reply = ask_socket(data_dir, QUERY_SOCKET, f"/v1/records/{urllib.parse.quote(call_id)}")
        except NotRunning:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
            continue
        return msgspec.convert(reply.body, Row).record if reply.status == 200 else None
