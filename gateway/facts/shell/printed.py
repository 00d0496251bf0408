"""What a command prints, by what its model says of it and by what it read and fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from gateway.facts.shell.context import Call
from gateway.facts.shell.effects import Credential, Output
from gateway.facts.shell.values import NOTHING, Stream, lines_of, merge_streams

_STORES: Final = {"env": "ENVIRONMENT"}
"""What a whole store is called among the sources of what is sent."""


def what_is_printed(call: Call, output: Output | None, read: Sequence[Stream], fetched: set[str]) -> Stream:
    """The output of a command that reads `read`, besides its input, and fetches from the hosts `fetched`."""
    if output is not None and output.text is not None:
        return Stream(
            text=output.text,
            sources=call.sources | call.stdin.sources if output.decoded else call.sources,
            hosts=call.hosts,
            altered=output.decoded,
            shown=call.sources if output.shows else frozenset(),
        )
    if output is not None and output.names is not None:
        shown = call.sources if output.shows else frozenset()
        return Stream(names=output.names, sources=shown, shown=shown)
    sources = frozenset().union(*(stream.sources for stream in read)) | call.sources
    hosts = frozenset(fetched).union(*(stream.hosts for stream in read))
    if output is not None and output.copies:
        # Without a file the program passes its input on; it knows nothing better than the streams it read.
        streams = read or [call.stdin]
        merged = merge_streams(streams)
        return structs.replace(merged, hosts=merged.hosts | hosts, code=merged.code or bool(fetched))
    through = call.stdin if not read else NOTHING
    if output is not None and output.filters:
        merged = merge_streams(read or [call.stdin])
        return structs.replace(
            merged, text=None, names=lines_of(merged), hosts=merged.hosts | hosts, altered=True
        )
    return Stream(
        sources=sources | through.sources,
        hosts=hosts | through.hosts,
        code=bool(fetched) or through.code or (output is not None and output.fetched),
        altered=True,
        shown=call.sources if output is not None and output.shows else frozenset(),
    )


def credential_sources(effect: Credential) -> frozenset[str]:
    """What a read credential is called among the sources of what is sent: variables by name, else its store."""
    if effect.store == "env" and effect.names:
        return frozenset(f"${name}" for name in effect.names)
    return frozenset({f"${_STORES.get(effect.store, effect.store)}"})
