"""Key sets that are fetched: at the start and then in an interval; a fetch that fails leaves the last good set in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import structlog
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.policy.aux_data import KeySet, KeySetRules

_LOG = structlog.stdlib.get_logger("ostiary.pdp")
_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_MOST_BYTES = 1024 * 1024
_RETRY_SECONDS = 30.0


class Source(Struct, frozen=True, kw_only=True):
    """Where a key set is fetched, and how often."""

    name: str
    url: str
    rules: KeySetRules
    seconds: float


class RemoteKeySet:
    """One fetched key set; `use` is called with every good one. Raises ConfigError for an address that proves nothing."""

    def __init__(self, source: Source, use: Callable[[KeySet], None]) -> None:
        # Whoever can change what comes over plain HTTP can sign tokens, and a loopback port is anybody's who takes it first.
        if not source.url.lower().startswith("https://"):
            raise ConfigError(
                f"The key set {source.name!r} is fetched from {source.url!r}, which is not HTTPS.",
                number=44,
                remedy="Name an https:// address.",
            )
        self._source = source
        self._use = use
        self._fetched = False

    async def fetch(self) -> bool:
        """Whether a set was fetched that can be used; certificates are checked against the system's authorities."""
        self._fetched = False
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as session,
                session.get(self._source.url, allow_redirects=False) as reply,
            ):
                data = await _body(reply)
            self._use(KeySet(self._source.name, data, self._source.rules))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, ConfigError) as error:
            _LOG.error("key_set_not_fetched", key_set=self._source.name, error=str(error) or repr(error))
            return False
        self._fetched = True
        return True

    async def keep(self) -> None:
        """Fetch again and again, sooner after a failure. Ends when it is cancelled."""
        seconds = self._source.seconds
        while True:
            await asyncio.sleep(seconds if self._fetched else min(seconds, _RETRY_SECONDS))
            await self.fetch()


async def _body(reply: aiohttp.ClientResponse) -> bytes:
    """The body of a good answer. Raises ValueError for any other, and for one that is too long."""
    if reply.status != 200:
        raise ValueError(f"the answer was {reply.status}")
    data = b""
    while more := await reply.content.read(_MOST_BYTES):
        data += more
        if len(data) > _MOST_BYTES:
            raise ValueError(f"the answer has more than {_MOST_BYTES} bytes")
    return data
