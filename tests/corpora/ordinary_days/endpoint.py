"""Where the hooks of the recorded client are posted: everything is noted, nothing is answered."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_OURS = "x-ostiary-"


class Endpoint:
    """`taken()` gives the PreToolUse payloads since the last time, in the order they came, with the headers of ours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._payloads: list[dict[str, Any]] = []
        self._headers: dict[str, str] = {}
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
                endpoint.note(body, dict(self.headers.items()))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                """Say nothing: the payloads are the log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 8787), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def note(self, payload: dict[str, Any], headers: dict[str, str]) -> None:
        """Keep a payload when it asks about a call."""
        if payload.get("hook_event_name") != "PreToolUse":
            return
        with self._lock:
            self._payloads.append(payload)
            self._headers = {name: value for name, value in headers.items() if name.lower().startswith(_OURS)}

    def taken(self) -> tuple[dict[str, str], list[dict[str, Any]]]:
        """Headers and payloads since the last time."""
        with self._lock:
            payloads, self._payloads = self._payloads, []
            return self._headers, payloads

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
