"""Key sets that are fetched: at the start and then in an interval; a fetch that fails leaves the last good set in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp
import structlog
from msgspec import Struct

from gateway.errors import ConfigError
from gateway.policy.aux_data import KeySet, KeySetRules

_LOG = structlog.stdlib.get_logger("ostiary.pdp")
_TIMEOUT = aiohttp.ClientTimeout(total=10.0)
_MOST_BYTES = 1024 * 1024
_RETRY_SECONDS = 30.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Source(Struct, frozen=True, kw_only=True):
    """Where a key set is fetched, and how often."""

    name: str
    url: str
    rules: KeySetRules
    seconds: float


class RemoteKeySet:
    """One fetched key set; `use` is called with every good one. Raises ConfigError for an address that proves nothing."""

    def __init__(self, source: Source, use: Callable[[KeySet], None]) -> None:
        address = urlsplit(source.url)
        # Whoever can change what comes over plain HTTP can sign tokens.
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise ConfigError(
                f"The key set {source.name!r} is fetched from {source.url!r}, which is not HTTPS.",
                number=44,
                remedy="Name an https:// address.",
            )
        self._source = source
        self._use = use

    async def fetch(self) -> bool:
        """Whether a set was fetched that can be used."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as session,
                session.get(self._source.url, allow_redirects=False) as reply,
            ):
                if reply.status != 200:
                    raise ValueError(f"the answer was {reply.status}")
                data = await reply.content.read(_MOST_BYTES + 1)
                while len(data) <= _MOST_BYTES and (more := await reply.content.read(_MOST_BYTES)):
                    data += more
                if len(data) > _MOST_BYTES:
                    raise ValueError(f"the answer has more than {_MOST_BYTES} bytes")
            self._use(KeySet(self._source.name, data, self._source.rules))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, ConfigError) as error:
            _LOG.error(
                "key_set_not_fetched", key_set=self._source.name, url=self._source.url, error=str(error)
            )
            return False
        return True

    async def keep(self) -> None:
        """Fetch again and again, sooner after a failure. Ends when it is cancelled."""
        wait = self._source.seconds
        while True:
            await asyncio.sleep(wait)
            wait = self._source.seconds if await self.fetch() else min(self._source.seconds, _RETRY_SECONDS)
