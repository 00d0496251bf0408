"""A Cerbos PDP that behaves as it is told, for failures the real one does not show on demand."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from gateway.domain.vocabulary import CANARY_KIND

BEHAVIOURS = ("allow", "deny", "slow", "nonsense", "down", "canary_lives", "no_meta", "empty")


class PdpStub:
    """Answers `allow` to everything but the canary until `behaviour` says otherwise; remembers what was asked."""

    def __init__(self, slow_seconds: float = 1.0) -> None:
        self.behaviour = "allow"
        self.slow_seconds = slow_seconds
        self.asked: list[dict[str, Any]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(200, b'{"version": "0.55.0"}')

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.asked.append(body)
                if stub.behaviour == "down":
                    self.close_connection = True
                    return
                if stub.behaviour == "slow":
                    time.sleep(stub.slow_seconds)
                if stub.behaviour == "nonsense" and body["requestId"] not in {"canary", "probe"}:
                    self._reply(200, b'{"results": "everything is fine"}')
                    return
                self._reply(200, json.dumps(stub.answer(body)).encode())

            def _reply(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question."""
        return {
            "requestId": body["requestId"],
            "results": [self._result(entry) for entry in body["resources"]],
        }

    def _result(self, entry: dict[str, Any]) -> dict[str, Any]:
        resource = entry["resource"]
        canary = resource["kind"] == CANARY_KIND and self.behaviour != "canary_lives"
        denied = canary or self.behaviour in {"deny", "no_meta", "empty"}
        policy = "NO_MATCH" if self.behaviour == "empty" else f"resource.{resource['kind']}.vdefault"
        result = {
            "resource": {"kind": resource["kind"], "id": resource["id"], "scope": resource.get("scope", "")},
            "actions": dict.fromkeys(entry["actions"], "EFFECT_DENY" if denied else "EFFECT_ALLOW"),
            "meta": {"actions": {name: {"matchedPolicy": policy} for name in entry["actions"]}},
        }
        if self.behaviour == "no_meta":
            del result["meta"]
        return result

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
