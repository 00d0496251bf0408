"""Programs that encode and decode: what is decoded is another text, known where the encoded one is.

Source: GNU coreutils 9 manual (base64, base32, basenc), xxd(1), openssl-enc(1), RFC 4648.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final

from gateway.facts.shell.effects import Effect, Output, Touch
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Arguments, Grammar, all_names, parse_arguments

_DECODES: Final = ("-d", "-D", "--decode", "-r", "-revert")
_DECODERS: Final[dict[str, Callable[[str], bytes]]] = {
    "base64": base64.b64decode,
    "gbase64": base64.b64decode,
    "base32": base64.b32decode,
    "xxd": bytes.fromhex,
}


def encoding(invocation: Invocation, model: Model) -> list[Effect]:
    """`base64`, `base32`, `basenc`, `xxd`, `uudecode`: a file or the input, encoded or decoded."""
    arguments = parse_arguments(
        invocation.argv,
        Grammar(
            valued=all_names(model.options), optional=all_names(model.optional), flags=frozenset({"--decode"})
        ),
    )
    effects = option_effects(model, arguments)
    paths = [path for path in arguments.operands if path.text != "-"]
    effects.extend(Touch(action="read", path=path) for path in paths[:1])
    effects.extend(Touch(action="write", path=path) for path in paths[1:2])
    if paths or not arguments.has(*_DECODES) or not _whole(invocation.name, arguments):
        return effects
    text = decoded(invocation.name, invocation.stdin.text)
    return [*effects, Output(text=text, decoded=True)] if text is not None else effects


def _whole(name: str, arguments: Arguments) -> bool:
    """Whether all of the text is decoded, and as it stands: a dump of `xxd` is plain hexadecimal only with `-p`."""
    if name == "xxd":
        return arguments.has("-p", "-ps", "-plain") and not arguments.has("-s", "-l", "-c")
    return True


def decoded(name: str, text: str | None) -> str | None:
    """What a text decodes to, None when the text or the encoding is not known or it is no text."""
    decoder = _DECODERS.get(name)
    if text is None or decoder is None:
        return None
    try:
        return decoder("".join(text.split())).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
