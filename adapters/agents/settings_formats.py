"""A settings document as text: JSON, an Apple property list, a Windows registry file. Each parses back to the same values."""

from __future__ import annotations

import json
import plistlib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.agent_settings import SettingsFormat

REGISTRY_HEAD = "Windows Registry Editor Version 5.00"
REGISTRY_KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\ClaudeCode"


def encode(document: Mapping[str, Any], to: SettingsFormat) -> str:
    """The document in a format, with a newline at the end."""
    if to == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if to == "plist":
        return plistlib.dumps(dict(document), sort_keys=False).decode("utf-8")
    return registry(json.dumps(document, separators=(",", ":"), ensure_ascii=True))


def registry(text: str) -> str:
    r"""A registry file that sets `Settings` to a text of printable ASCII, `\` and `"` escaped, lines ending as there."""
    value = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{REGISTRY_HEAD}\r\n\r\n[{REGISTRY_KEY}]\r\n"Settings"="{value}"\r\n'


def curl_line(
    curl: str,
    url: str,
    *,
    headers: Sequence[str],
    claims: Mapping[str, str],
    header_file: str,
    ca_file: str,
    seconds: int,
) -> str:
    """A line for `sh` that posts its input to `url` and prints the reply.

    `-q` comes first: without it `~/.curlrc` could send the check elsewhere. `claims` maps a header to a shell expression,
    the only text here that a shell expands. The token comes from `header_file`: an argument can be read by every process.
    """
    words = [curl, "-q", "-fsS", "-m", str(seconds), "--noproxy", "*", "-X", "POST"]
    for header in headers:
        words += ["-H", header]
    if header_file:
        words += ["-H", f"@{header_file}"]
    if ca_file:
        words += ["--cacert", ca_file]
    expanded = [f'-H "{header}: {expression}"' for header, expression in claims.items()]
    return " ".join([shlex.join(words), *expanded, shlex.join(["--data-binary", "@-", url])])
