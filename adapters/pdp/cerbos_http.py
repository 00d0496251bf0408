"""A remote Cerbos PDP over HTTP as policy backend.

A call's resources go in batches of at most 50 that run side by side within one deadline; one failed batch fails the call,
since half an answer could lack the denial. Redirects and proxy variables are not followed: the answer must come from the
address the operator named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
from msgspec import Struct, structs

from gateway.domain.check import CheckAnswer, CheckRequest
from gateway.domain.ports import PdpCapabilities, Stopwatch
from gateway.errors import PdpInvalid, PdpUnavailable
from gateway.wire.cerbos import decode_check_response, decode_error, encode_check_request

BATCH = 50
MAX_ANSWER_BYTES = 8 * 1024 * 1024
TESTED_VERSIONS = ("0.55.",)
_REMEDY = "See that the Cerbos PDP runs and that cerbos.url points to it."
Observer = Callable[[str, float], None]


class CerbosSettings(Struct, frozen=True, kw_only=True):
    """Where the PDP is and how long it may take. `layers` are the scopes it holds beside the packs."""

    url: str
    timeout_seconds: float = 2.0
    connections: int = 32
    revision: str = ""
    layers: tuple[str, ...] = ()


class CerbosHttpPdp:
    """Implements the `Pdp` port. `observe(code, seconds)` is told of every request."""

    name = "cerbos"
    capabilities = PdpCapabilities(
        outputs=True, matched_policy=True, absorbed_errors=False, revision=False, batch=BATCH
    )

    def __init__(self, settings: CerbosSettings, stopwatch: Stopwatch, observe: Observer) -> None:
        self._settings = settings
        self._stopwatch = stopwatch
        self._observe = observe
        self._connections_made = 0
        self._session: aiohttp.ClientSession | None = None

    @property
    def revision(self) -> str:
        """A PDP does not tell its policy set's digest; the operator may name it."""
        return f"remote:{self._settings.revision or 'unknown'}"

    @property
    def connections_made(self) -> int:
        """How many connections were opened so far: an answer over a new one may come from another process."""
        return self._connections_made

    @property
    def layers(self) -> tuple[str, ...]:
        """The configured layers."""
        return self._settings.layers

    def holds(self, kind: str, scope: str) -> bool:  # noqa: ARG002 - a PDP cannot tell, so everything is asked
        """Always true: only the answer tells."""
        return True

    def decide_now(self, request: CheckRequest) -> CheckAnswer | None:  # noqa: ARG002 - the port's signature
        """None: a remote backend has to be waited for."""
        return None

    async def decide(self, request: CheckRequest, deadline: float) -> CheckAnswer:
        """The PDP's answer. Raises PdpUnavailable or PdpInvalid."""
        batches = [
            structs.replace(request, checks=request.checks[at : at + BATCH])
            for at in range(0, len(request.checks), BATCH)
        ]
        seconds = min(deadline, self._settings.timeout_seconds)
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._ask(batch)) for batch in batches]
        except TimeoutError:
            self._observe("timeout", seconds)
            raise PdpUnavailable(
                f"The PDP took longer than {seconds:g} s.", number=1, remedy=_REMEDY
            ) from None
        except ExceptionGroup as group_error:
            raise group_error.exceptions[0] from None
        answers = [task.result() for task in tasks]
        return CheckAnswer(
            results=tuple(result for answer in answers for result in answer.results),
            revision=self.revision,
            call_id=answers[0].call_id if answers else "",
        )

    async def server_version(self) -> str:
        """The PDP's version, "" when it does not tell."""
        try:
            async with (
                asyncio.timeout(self._settings.timeout_seconds),
                self._open().get(self._url("/api/server_info"), allow_redirects=False) as response,
            ):
                body = await response.json(content_type=None)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return ""
        version = body.get("version", "") if isinstance(body, dict) else ""
        return version if isinstance(version, str) else ""

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, request: CheckRequest) -> CheckAnswer:
        began = self._stopwatch()
        code = "error"
        try:
            status, body = await self._post(encode_check_request(request))
            code = str(status)
        except (aiohttp.ClientError, OSError) as error:
            raise PdpUnavailable(
                f"The PDP cannot be reached: {type(error).__name__}.", number=2, remedy=_REMEDY
            ) from None
        except asyncio.CancelledError:
            # The deadline is reached or another batch failed: whoever ended this tells it, once.
            code = ""
            raise
        finally:
            if code:
                self._observe(code, (self._stopwatch() - began) / 1e9)
        if status == 200:
            return decode_check_response(body, request)
        told = decode_error(body)
        detail = f"The PDP answered {status}{f' ({told.message[:200]})' if told.message else ''}."
        if status in {429, 502, 503, 504}:
            raise PdpUnavailable(detail, number=2, remedy=_REMEDY)
        raise PdpInvalid(detail, number=4, remedy="The PDP's log says why; its version may not be supported.")

    async def _post(self, data: bytes) -> tuple[int, bytes]:
        """Status and body; asked once more when a kept connection turns out to be closed by a PDP that restarted."""
        made = self._connections_made
        try:
            return await self._post_once(data)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if self._connections_made != made:
                raise
        return await self._post_once(data)

    async def _post_once(self, data: bytes) -> tuple[int, bytes]:
        async with self._open().post(
            self._url("/api/check/resources"),
            data=data,
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        ) as response:
            return response.status, await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise PdpInvalid(
                    f"The PDP's answer has more than {MAX_ANSWER_BYTES} bytes.",
                    number=5,
                    remedy="Look at the PDP.",
                )
        return bytes(body)

    def _open(self) -> aiohttp.ClientSession:
        """The session, made on the loop that uses it."""
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(self._count_connection)
            self._session = aiohttp.ClientSession(
                trace_configs=[trace],
                connector=aiohttp.TCPConnector(limit=self._settings.connections, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._settings.timeout_seconds),
                trust_env=False,
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _count_connection(self, *_signal: object) -> None:
        self._connections_made += 1

    def _url(self, path: str) -> str:
        return self._settings.url.rstrip("/") + path
