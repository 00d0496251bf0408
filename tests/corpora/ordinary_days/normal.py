"""What differs from one recording to the next, made equal: ids that the client draws, and the order of calls made at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

_CALL_ID = re.compile(r"toolu_([A-Z0-9]+)_(\d+)_(\d+)")


def normalised(session: str, payloads: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The payloads of one session, in the order of the script, with ids that come from the session's name."""
    names = _Names(session)
    kept: dict[str, dict[str, Any]] = {}
    for payload in _ordered(payloads):
        # The client may ask twice about one call.
        kept.setdefault(payload["tool_use_id"], {**payload, **names.of(payload)})
    return tuple(kept.values())


class _Names:
    def __init__(self, session: str) -> None:
        self._session = session
        self._drawn: dict[str, str] = {}

    def of(self, payload: dict[str, Any]) -> dict[str, str]:
        """The fields whose values the client drew, with values of ours."""
        session_id = self._uuid(payload["session_id"])
        fields = {
            "session_id": session_id,
            "transcript_path": payload["transcript_path"].replace(payload["session_id"], session_id),
        }
        if "prompt_id" in payload:
            fields["prompt_id"] = self._uuid(payload["prompt_id"])
        if "agent_id" in payload:
            fields["agent_id"] = "a" + self._uuid(payload["agent_id"]).replace("-", "")[:16]
        return fields

    def _uuid(self, drawn: str) -> str:
        if drawn not in self._drawn:
            digest = hashlib.sha256(f"{self._session} {len(self._drawn)}".encode()).hexdigest()
            self._drawn[drawn] = (
                f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-9{digest[17:20]}-{digest[20:32]}"
            )
        return self._drawn[drawn]


def _ordered(payloads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Turns in the order in which they came, the calls of a turn in the order of the script."""
    first: dict[tuple[str, int], int] = {}
    keys = []
    for number, payload in enumerate(payloads):
        found = _CALL_ID.fullmatch(payload["tool_use_id"])
        if found is None:
            raise ValueError(f"a call that no script made: {payload['tool_use_id']}")
        turn = (found[1], int(found[2]))
        first.setdefault(turn, number)
        keys.append((first[turn], int(found[3])))
    return [payload for _, payload in sorted(zip(keys, payloads, strict=True), key=lambda pair: pair[0])]
