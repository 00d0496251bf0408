"""A stdio MCP server that is a shell, with the tools of one that people use: it runs what it is told.

Run as a program: `python commander.py`. Source: Model Context Protocol, revision 2025-06-18.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def _tool(name: str, *fields: str) -> dict[str, Any]:
    properties = {field: {"type": "string"} for field in fields}
    return {
        "name": name,
        "description": name.replace("_", " "),
        "inputSchema": {"type": "object", "properties": properties, "required": list(fields)},
    }


TOOLS = [
    _tool("start_process", "command"),
    _tool("write_file", "path", "content"),
    _tool("set_config_value", "key", "value"),
]
MODEL = {
    "sources": ["project", "dynamic"],
    "changes": {"set_config_value": ["~/.claude-server-commander/config.json"]},
    "tools": {
        "start_process": {"command": "command"},
        "write_file": {"path": "write", "content": "text"},
        "set_config_value": {"key": "text", "value": "text"},
    },
}
"""What its arguments are, as the configuration says it."""


def call(name: str, given: dict[str, str]) -> str:
    """Do what a tool says."""
    if name == "start_process":
        done = subprocess.run(["bash", "-c", given["command"]], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr
    if name == "write_file":
        Path(given["path"]).write_text(given["content"])
        return "written"
    settings = Path.home() / ".claude-server-commander" / "config.json"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(json.dumps({given["key"]: given["value"]}))
    return "set"


def main() -> None:
    """Answer requests, one a line, until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request or "method" not in request:
            continue
        method, params = request["method"], request.get("params", {})
        result: dict[str, Any] = {}
        if method == "initialize":
            result = {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "commander", "version": "1"},
            }
        elif method == "tools/list":
            result = {"tools": TOOLS}
        elif method == "tools/call":
            result = {
                "content": [{"type": "text", "text": call(params["name"], params.get("arguments", {}))}]
            }
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
