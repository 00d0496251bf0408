"""The other end of a connection: its address, and which user owns it, as the kernel says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from gateway.web.peer import peer_of
from gateway.web.socket_owner import encode_address, owner_in_tables, owner_of
from tests.support.http import wait_for_record
from tests.support.payloads import pre_tool_use
from tests.support.processes import GatewayProcess, free_port

OTHER_UID = 65_534
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")


def connected(family: socket.AddressFamily, host: str) -> tuple[socket.socket, socket.socket, socket.socket]:
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind((host, 0))
    server.listen()
    client = socket.socket(family, socket.SOCK_STREAM)
    client.connect(server.getsockname())
    accepted, _ = server.accept()
    return server, client, accepted


@needs_linux
@pytest.mark.parametrize("ask", [owner_of, owner_in_tables])
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_owner_of_a_connection_is_found(ask, family, host):
    server, client, accepted = connected(family, host)
    try:
        remote, local = accepted.getpeername()[:2], accepted.getsockname()[:2]
        assert ask(remote, local) == os.geteuid()
        assert ask(("127.0.0.1", 1), local) is None
    finally:
        for each in (server, client, accepted):
            each.close()


@needs_linux
def test_an_ipv4_caller_of_a_socket_for_both_families_is_found():
    server = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    client = socket.create_connection(("127.0.0.1", server.getsockname()[1]))
    accepted, _ = server.accept()
    try:
        peer = peer_of(accepted.getpeername(), accepted.getsockname())
        assert (peer.address, peer.loopback, peer.uid) == ("127.0.0.1", True, os.geteuid())
    finally:
        for each in (server, client, accepted):
            each.close()


# What the stranger needs is loaded before he gives up the right to read it.
STRANGER = (
    "import os, socket, sys; 'x'.encode('idna'); os.setuid(int(sys.argv[1]));"
    "s = socket.socket(); s.settimeout(20); s.connect(('127.0.0.1', int(sys.argv[2])));"
    "s.sendall(sys.argv[3].encode()); sys.stdout.write(s.recv(65536).decode())"
)


def stranger(port: int, text: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", STRANGER, str(OTHER_UID), str(port), text]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


@needs_linux
@needs_root
@pytest.mark.parametrize("ask", [owner_of, owner_in_tables])
def test_another_users_connection_is_his(ask):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(30)
    with stranger(server.getsockname()[1], "hello") as process:
        accepted, _ = server.accept()
        try:
            assert ask(accepted.getpeername(), accepted.getsockname()) == OTHER_UID
        finally:
            accepted.close()
            server.close()
            process.communicate(timeout=20)


@needs_linux
@needs_root
def test_another_user_of_the_machine_is_anonymous_to_the_embedded_gateway(tmp_path):
    with GatewayProcess(tmp_path / "gateway", {"mode": "enforce"}) as gateway:
        body = json.dumps(pre_tool_use("Read", {"file_path": "/home/dev/project/a"}))
        head = f"POST /v1/hooks/claude-code HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
        with stranger(gateway.port, f"{head}Content-Length: {len(body)}\r\n\r\n{body}") as process:
            assert "not authenticated" in process.communicate(timeout=30)[0]
        record = wait_for_record(gateway, cause="unauthenticated")
        assert (record["principal"]["id"], record["detail"]) == ("anonymous", "other_user")


@pytest.mark.parametrize(
    ("remote", "loopback"),
    [
        (("10.0.0.1", 5), False),
        (("fe80::1%eth0", 5, 0, 2), False),
        (("::ffff:10.0.0.1", 5), False),
        ("/run/socket", None),
        (None, None),
        (("nonsense", 5), None),
    ],
)
def test_other_forms_of_an_address_are_never_loopback(remote, loopback):
    peer = peer_of(remote, ("127.0.0.1", free_port()))
    assert (peer.loopback, peer.uid) == (False, None)
    assert bool(peer.address) == (loopback is not None)


def test_addresses_are_written_as_the_kernels_table_writes_them():
    if sys.byteorder == "little":
        assert encode_address("127.0.0.1", 8787) == "0100007F:2253"
    assert encode_address("::ffff:127.0.0.1", 1) == encode_address("127.0.0.1", 1)
