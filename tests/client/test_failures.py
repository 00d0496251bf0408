"""What a session of the real client meets when the gateway or its policy service dies in the middle of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.client.claude import SKIP_PERMISSIONS, run_claude
from tests.client.conftest import StartGateway
from tests.client.records import asked, records
from tests.client.script import Call, Script, Turn
from tests.client.settings import hooks
from tests.client.workplace import Workplace
from tests.conftest import PACKS
from tests.support.processes import CerbosProcess, http_status, wait_until

pytestmark = pytest.mark.client


def write(place: Workplace, name: str) -> Call:
    """A call that policy allows, and that leaves a file of its name."""
    return Call(name, "Write", {"file_path": str(place.project / name), "content": "x"})


def bash(name: str) -> Call:
    """The same in the shell."""
    return Call(name, "Bash", {"command": f"echo x > {name}", "description": "d"})


def broken_between(place: Workplace, accident: Callable[[], None]) -> Script:
    """A session in which calls happen before and after an accident, one by one, at once and in a sub-agent."""
    helper = {"description": "d", "prompt": "HELPER: go.", "subagent_type": "general-purpose"}
    return Script(
        [
            [write(place, "before-1"), bash("before-2")],
            Turn((write(place, "after-1"),), before=accident),
            [write(place, "after-2"), bash("after-3")],
            Call("agent", "Agent", {**helper, "run_in_background": False}),
        ],
        HELPER=[write(place, "after-4")],
    )


def files(place: Workplace) -> set[str]:
    """Which of the session's files are there."""
    return {file.name for file in place.project.glob("*-[0-9]")}


@contextmanager
def impostor(port: int) -> Iterator[None]:
    """Somebody who answers `{}` on a port that is free now."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


BEFORE = {"before-1", "before-2"}
AFTER = {"after-1", "after-2", "after-3", "after-4"}


def test_a_gateway_killed_under_observe_settings_stops_nobody(
    place: Workplace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": "enforce"})
    place.settings(hooks(gateway.hooks_url, block=False))

    session = run_claude(place, broken_between(place, gateway.kill), SKIP_PERMISSIONS)

    assert files(place) == BEFORE | AFTER
    assert session.status == 0


def test_a_gateway_killed_under_enforce_settings_blocks_every_tool(
    place: Workplace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": "enforce"})
    place.settings(hooks(gateway.hooks_url, block=True))

    session = run_claude(place, broken_between(place, gateway.kill), SKIP_PERMISSIONS)

    assert files(place) == BEFORE
    assert 'onFailure is "block"' in session.result("after-1")
    assert len(asked(records(gateway.data_dir))) == len(BEFORE)


def test_a_gateway_that_comes_back_goes_on_where_it_was(
    place: Workplace, start_gateway: StartGateway
) -> None:
    gateway = start_gateway({"mode": "enforce"})
    place.settings(hooks(gateway.hooks_url, block=True))

    def start_again() -> None:
        start_gateway({"mode": "enforce"}, port=gateway.port)

    script = Script(
        [
            write(place, "before-1"),
            Turn((write(place, "after-1"),), before=gateway.kill),
            Turn((write(place, "after-2"), write(place, ".env")), before=start_again),
        ]
    )
    session = run_claude(place, script, SKIP_PERMISSIONS)

    assert files(place) == {"before-1", "after-2"}
    assert session.verdict(".env") == "denied"
    assert not (place.project / ".env").exists()


@pytest.mark.pdp
@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_policy_service_killed_in_a_session_denies_in_enforce_only(
    mode: str, place: Workplace, tmp_path: Path, start_gateway: StartGateway
) -> None:
    with CerbosProcess(tmp_path / "cerbos", PACKS) as pdp:
        gateway = start_gateway({"mode": mode, "backend": "cerbos", "cerbos.url": pdp.url})
        place.settings(hooks(gateway.hooks_url, block=mode == "enforce"))

        session = run_claude(place, broken_between(place, pdp.kill), SKIP_PERMISSIONS)

    late = [record for record in asked(records(gateway.data_dir)) if record.get("cause") == "pdp_unavailable"]
    if mode == "observe":
        assert files(place) == BEFORE | AFTER
        assert {record["answer"] for record in late} == {"pass"}
        assert len(late) == len(AFTER) + len(["agent"])
    else:
        assert files(place) == BEFORE
        assert "policy service unavailable" in session.result("after-1").lower()
        assert {record["answer"] for record in late} == {"deny"}
        assert len(late) == len(["after-1", "after-2", "after-3", "agent"])


@pytest.mark.pdp
def test_a_policy_service_that_comes_back_is_asked_again(
    place: Workplace, tmp_path: Path, start_gateway: StartGateway
) -> None:
    with CerbosProcess(tmp_path / "cerbos", PACKS) as pdp, ExitStack() as later:
        gateway = start_gateway({"mode": "enforce", "backend": "cerbos", "cerbos.url": pdp.url})
        place.settings(hooks(gateway.hooks_url, block=True))

        def start_again() -> None:
            later.enter_context(CerbosProcess(tmp_path / "cerbos-2", PACKS, port=pdp.port))
            wait_until(lambda: http_status(f"{gateway.admin_url}/readyz") == HTTPStatus.OK, "readiness")

        script = Script(
            [
                Turn((write(place, "after-1"),), before=pdp.kill),
                Turn((write(place, "after-2"), write(place, ".env")), before=start_again),
            ]
        )
        run_claude(place, script, SKIP_PERMISSIONS)

    assert files(place) == {"after-2"}
    assert not (place.project / ".env").exists()


def test_an_impostor_on_the_port_of_a_killed_gateway_is_believed_in_advisory_posture(
    place: Workplace, start_gateway: StartGateway
) -> None:
    """Documents a limit: over plain HTTP nothing proves who answers. TLS with a pinned authority closes it (`held`)."""
    gateway = start_gateway({"mode": "enforce"})
    place.settings(hooks(gateway.hooks_url, block=True))
    with ExitStack() as later:

        def replace() -> None:
            gateway.kill()
            later.enter_context(impostor(gateway.port))

        env = Call("env", "Write", {"file_path": str(place.project / ".env"), "content": "x"})
        script = Script([Call("stopped", env.tool, env.input), Turn((env,), before=replace)])
        session = run_claude(place, script, SKIP_PERMISSIONS)

    assert session.verdict("stopped") == "denied"
    assert (place.project / ".env").exists()
