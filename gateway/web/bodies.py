"""Bodies of hook requests: read within limits, decoded, or refused with what a fail-closed client must be told.

Events that only tell what happened may be larger than what is held: their bodies are digested as they stream past, since
the record of them is the proof that nothing went round the gateway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from aiohttp import web
from msgspec import Struct, structs

from gateway.domain.events import HookEvent
from gateway.domain.ports import AgentAdapter
from gateway.domain.vocabulary import DECIDED_EVENTS
from gateway.errors import PayloadError

PREFIX_BYTES = 64 * 1024
_CHUNK = 256 * 1024
_TAIL_BYTES = 1024


class BodyLimits(Struct, frozen=True, kw_only=True):
    """Bytes of a body that is held, and of one that is digested."""

    held: int = 2 * 1024 * 1024
    streamed: int = 64 * 1024 * 1024


class RefusedBody(Exception):
    """A body that cannot be taken: the HTTP status a fail-closed client gets, the reason, and what is known of it."""

    def __init__(self, status: int, detail: str, event: HookEvent | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.event = event


async def read_event(
    request: web.Request,
    adapter: AgentAdapter,
    headers: Mapping[str, str],
    limits: BodyLimits,
    *,
    legacy_route: bool,
) -> HookEvent:
    """The event of a request. Raises RefusedBody."""
    if headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        # A small body could unpack to any size, and a proxy in between could read it otherwise than we do.
        raise RefusedBody(415, "Compressed bodies are not taken.")
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > limits.held:
                return await _digested(request, bytes(body), adapter, headers, limits)
    except (web.RequestPayloadError, ConnectionError):
        raise RefusedBody(400, "The body ended before its end.") from None
    try:
        return adapter.decode(bytes(body), headers, legacy_route=legacy_route)
    except PayloadError as error:
        event = adapter.decode_prefix(bytes(body[:PREFIX_BYTES]), headers)
        known = structs.replace(event, size=len(body), problem=error.message) if event else None
        raise RefusedBody(400, error.message, known) from None


async def _digested(
    request: web.Request, head: bytes, adapter: AgentAdapter, headers: Mapping[str, str], limits: BodyLimits
) -> HookEvent:
    """An event over the limit: refused when it could have been stopped, digested when it only tells what happened."""
    event = adapter.decode_prefix(head[:PREFIX_BYTES], headers)
    if event is None or event.event in DECIDED_EVENTS:
        raise RefusedBody(413, f"The body has more than {limits.held} bytes.", event)
    digest = hashlib.sha256(head)
    size, tail = len(head), head[-_TAIL_BYTES:]
    async for chunk in request.content.iter_chunked(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        tail = (tail + chunk)[-_TAIL_BYTES:]
        if size > limits.streamed:
            raise RefusedBody(413, f"The body has more than {limits.streamed} bytes.", event)
    event = adapter.decode_prefix(head[:PREFIX_BYTES], headers, tail) or event
    payload = {"oversized_body": {"bytes": size, "sha256": digest.hexdigest()}}
    return structs.replace(event, payload=payload, size=size)
