"""A stdio MCP server with a few tools that leave traces in the directory it is given; also one resource.

Run as a program: `python mcp_server.py DIRECTORY`. Source: Model Context Protocol, revision 2025-06-18.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
_FILE = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
    "required": ["path"],
}
TOOLS = [
    {"name": "echo", "description": "Repeats a text", "inputSchema": _TEXT},
    {"name": "write_file", "description": "Writes a file", "inputSchema": _FILE},
    {"name": "read_file", "description": "Reads a file", "inputSchema": _FILE},
    {"name": "approve", "description": "Stands for a person who is asked", "inputSchema": {"type": "object"}},
]
RESOURCE = {"uri": "desk://note", "name": "note", "mimeType": "text/plain"}


def call(name: str, given: dict[str, Any], directory: Path) -> str:
    """Do what a tool says."""
    if name == "write_file":
        Path(given["path"]).write_text(given.get("text", ""))
        return "written"
    if name == "read_file":
        return Path(given["path"]).read_text()
    if name == "approve":
        with (directory / "approved.log").open("a") as log:
            log.write(json.dumps(given) + "\n")
        return json.dumps({"behavior": "allow", "updatedInput": given["input"]})
    with (directory / "mcp-echo.log").open("a") as log:
        log.write(given["text"] + "\n")
    return f"echo: {given['text']}"


def answer(method: str, params: dict[str, Any], directory: Path) -> dict[str, Any]:
    """The result of a request."""
    if method == "initialize":
        return {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}, "resources": {}},
            "serverInfo": {"name": "desk", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "resources/list":
        return {"resources": [RESOURCE]}
    if method == "resources/read":
        (directory / "mcp-resource.log").write_text(params["uri"])
        return {"contents": [{**RESOURCE, "text": "note from the desk"}]}
    if method == "tools/call":
        try:
            text, failed = call(params["name"], params.get("arguments", {}), directory), False
        except OSError as error:
            text, failed = str(error), True
        return {"content": [{"type": "text", "text": text}], "isError": failed}
    return {}


def main() -> None:
    """Answer requests, one a line, until the input ends."""
    directory = Path(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request and "method" in request:
            result = answer(request["method"], request.get("params", {}), directory)
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
