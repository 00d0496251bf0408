"""A stdio MCP server that has the tools of a known one and does nothing. Run as `python mcp_server.py NAME`.

Source: Model Context Protocol, revision 2025-06-18; the tools' names are those of the servers, see `mcp_tools.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_TOOLS = Path(__file__).with_name("mcp_tools.json")
_ANYTHING = {"type": "object", "additionalProperties": True}


def answer(server: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a request."""
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}, "resources": {}},
            "serverInfo": {"name": server, "version": "1"},
        }
    if method == "tools/list":
        names = json.loads(_TOOLS.read_text(encoding="utf-8"))[server]
        return {"tools": [{"name": name, "description": name, "inputSchema": _ANYTHING} for name in names]}
    if method == "tools/call" and params["name"] == "approve":
        # The person at the keyboard, who agrees: `--permission-prompt-tool`.
        allowed = {"behavior": "allow", "updatedInput": params["arguments"]["input"]}
        return {"content": [{"type": "text", "text": json.dumps(allowed)}], "isError": False}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": "ok"}], "isError": False}
    if method == "resources/list":
        return {"resources": []}
    return {}


def main() -> None:
    """Answer requests, one a line, until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request and "method" in request:
            result = answer(sys.argv[1], request["method"], request.get("params", {}))
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
