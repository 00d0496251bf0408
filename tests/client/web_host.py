"""An HTTPS host on loopback that notes what it is sent: where a page is fetched from, and where secrets would go.

The client fetches `http` pages over `https`, so the host has a certificate for 127.0.0.1; `ca_file` makes the client trust it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PAGE = b"<html><body>A page of the tests.</body></html>"


class WebHost:
    """`received` are the request lines and bodies, in order."""

    def __init__(self, directory: Path) -> None:
        self.received: list[str] = []
        self.ca_file = directory / "host.pem"
        _certificate(self.ca_file)
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._note()

            def do_POST(self) -> None:
                self._note()

            def _note(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                host.received.append(f"{self.path} {body.decode(errors='replace')}")
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(PAGE)))
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, *_: object) -> None:
                """Say nothing: `received` is the log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def got(self, text: str) -> bool:
        """Whether a text was sent here."""
        return any(text in request for request in self.received)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _certificate(file: Path) -> None:
    """Write a key and a self-signed certificate for 127.0.0.1, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ostiary tests")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
