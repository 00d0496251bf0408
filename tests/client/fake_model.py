"""A fake Messages API on loopback that plays a script: tool calls as server-sent events, in the order of its turns.

It keeps no place in a conversation: each request carries the results of all earlier calls, so the next turn is the first
one with a call that has none. Requests without a conversation (titles, summaries, a fetched page) get a short text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.client.script import Script, Turn, call_id

DONE = "The work is done."
_USAGE = {
    "input_tokens": 100,
    "output_tokens": 10,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


class FakeModel:
    """Serves one script. `results` are the tool results that came back, by call id; `prompts` every user text seen."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._lock = threading.Lock()
        self._begun: set[tuple[str, int]] = set()
        self.results: dict[str, str] = {}
        self.errors: set[str] = set()
        self.sent: dict[str, dict[str, Any]] = {}
        self.requests = 0
        self.prompts: list[str] = []
        self.tools: set[str] = set()
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
                path = self.path.partition("?")[0]
                if path.endswith("/count_tokens"):
                    self._send("application/json", json.dumps({"input_tokens": 100}).encode())
                elif path.endswith("/v1/messages"):
                    message = model.answer(body)
                    stream = bool(body.get("stream"))
                    data = b"".join(_events(message)) if stream else json.dumps(message).encode()
                    self._send("text/event-stream" if stream else "application/json", data)
                else:
                    self._send("application/json", b"{}", 404)

            def do_GET(self) -> None:
                self._send("application/json", b"{}", 404)

            def do_HEAD(self) -> None:
                self._send("application/json", b"", 200)

            def _send(self, kind: str, data: bytes, status: int = 200) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Say nothing: the client's own debug file holds the requests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Base URL for the client."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The message that answers a request."""
        messages = body.get("messages", [])
        with self._lock:
            self.requests += 1
            self.tools |= {tool["name"] for tool in body.get("tools") or [] if "name" in tool}
            marker, done = self._look(messages)
        if marker is None or not body.get("tools"):
            return _message(body, [{"type": "text", "text": "ok"}])
        for at, turn in enumerate(self._script.conversations[marker]):
            ids = [call_id(marker, at, position) for position in range(len(turn.calls))]
            if all(identifier in done for identifier in ids):
                continue
            return _message(body, self._play(marker, at, turn, ids))
        return _message(body, [{"type": "text", "text": DONE}])

    def _look(self, messages: Sequence[Mapping[str, Any]]) -> tuple[str | None, set[str]]:
        """The conversation a request belongs to, and the calls whose results it carries."""
        marker: str | None = None
        done: set[str] = set()
        for message in messages:
            if message["role"] != "user":
                continue
            for block in _blocks(message["content"]):
                if block.get("type") == "tool_result":
                    done.add(block["tool_use_id"])
                    self.results.setdefault(block["tool_use_id"], _text(block.get("content")))
                    if block.get("is_error"):
                        self.errors.add(block["tool_use_id"])
                elif block.get("type") == "text":
                    text = block["text"]
                    if text not in self.prompts:
                        self.prompts.append(text)
                    found = [(text.rfind(word), word) for word in self._script.conversations if word in text]
                    marker = max(found)[1] if found else marker
        return marker, done

    def _play(self, marker: str, at: int, turn: Turn, ids: Sequence[str]) -> list[dict[str, Any]]:
        with self._lock:
            first = (marker, at) not in self._begun
            self._begun.add((marker, at))
        if first and turn.before is not None:
            turn.before()
        blocks = []
        for identifier, call in zip(ids, turn.calls, strict=True):
            given = call.input_after(self._script.by_name(self.results))
            self.sent[identifier] = given
            blocks.append({"type": "tool_use", "id": identifier, "name": call.tool, "input": given})
        return blocks

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _blocks(content: str | Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.get("text", "") for block in content or [] if isinstance(block, dict))


def _message(body: Mapping[str, Any], content: list[dict[str, Any]]) -> dict[str, Any]:
    calls = any(block["type"] == "tool_use" for block in content)
    return {
        "id": "msg_000000000000000000000001",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "fake"),
        "content": content,
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": _USAGE,
    }


def _events(message: Mapping[str, Any]) -> Iterator[bytes]:
    """A message as the events of a stream."""
    yield _event("message_start", message={**message, "content": [], "stop_reason": None})
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield _event("content_block_start", index=index, content_block=empty)
        yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=ended, usage={"output_tokens": 10})
    yield _event("message_stop")


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
