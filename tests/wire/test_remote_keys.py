"""Key sets that `ostiary pdp` fetches over HTTPS: rotated, away, wrong; the last good one stays in use."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import json
import ssl
import sys
import threading

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk, jwt

from tests.policy.writing import resource_policy, rule
from tests.support.processes import RunningProcess, wait_until
from tests.wire.test_pdp_process import OstiaryPdp, ask, check, configuration, write_store

FIRST, SECOND = (jwk.ECKey.generate_key("P-256", {"kid": kid}, private=True) for kid in ("one", "two"))


def key_set(*keys):
    """A JSON Web Key Set."""
    return json.dumps({"keys": [{**key.as_dict(private=False), "alg": "ES256"} for key in keys]}).encode()


def token(key):
    """A token that a key signed."""
    kid = key.as_dict()["kid"]
    return jwt.encode({"alg": "ES256", "kid": kid}, {"groups": ["a"]}, key, algorithms=["ES256"])


def _certificate(directory):
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "key server")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return directory / "certificate.pem", directory / "key.pem"


class KeyServer:
    """An HTTPS server; `answer` is the status and body of its next replies, `asked` how many it gave."""

    def __init__(self, directory):
        self.certificate, key = _certificate(directory)
        self.answer = (200, key_set(FIRST))
        self.asked = 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = server.answer
                server.asked += 1
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}/keys"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def keys(tmp_path):
    """A key server."""
    server = KeyServer(tmp_path)
    yield server
    server.close()


def pdp_config(tmp_path, url):
    """The configuration of a PDP whose keys are at an address."""
    policies = write_store(
        tmp_path / "policies",
        {"p.yaml": resource_policy("doc", rule("sign", when="'a' in request.auxData.jwt.groups"))},
    )
    remote = {"id": "remote", "remote": {"url": url, "refreshInterval": "100ms"}}
    (tmp_path / "c.yaml").write_text(configuration(policies, 0, auxData={"jwt": {"keySets": [remote]}}))
    return tmp_path / "c.yaml"


def accepts(pdp, key):
    """Whether a token of a key counts."""
    status, _, text = ask(
        pdp.port, "POST", "/api/check/resources", check("sign", auxData={"jwt": {"token": token(key)}})
    )
    if status == 400:
        assert json.loads(text)["message"] == "invalid auxData"
        return False
    return json.loads(text)["results"][0]["actions"]["sign"] == "EFFECT_ALLOW"


def test_keys_are_there_at_the_start_and_rotate(tmp_path, keys):
    config = pdp_config(tmp_path, keys.url)
    with OstiaryPdp(tmp_path / "run", config, environment={"SSL_CERT_FILE": str(keys.certificate)}) as pdp:
        assert accepts(pdp, FIRST)
        assert not accepts(pdp, SECOND)
        keys.answer = (200, key_set(FIRST, SECOND))
        wait_until(lambda: accepts(pdp, SECOND), "the new key")
        assert accepts(pdp, FIRST)
        keys.answer = (200, key_set(SECOND))
        wait_until(lambda: not accepts(pdp, FIRST), "the end of the old key")
        assert accepts(pdp, SECOND)


def test_what_is_no_key_set_changes_nothing(tmp_path, keys):
    config = pdp_config(tmp_path, keys.url)
    wrong = {
        "an error": (500, key_set(SECOND)),
        "a redirect": (302, b""),
        "no JSON": (200, b"<html>"),
        "keys without algorithm": (200, json.dumps({"keys": [SECOND.as_dict(private=False)]}).encode()),
        "too much": (200, b" " * (2 << 20) + key_set(SECOND)),
    }
    with OstiaryPdp(tmp_path / "run", config, environment={"SSL_CERT_FILE": str(keys.certificate)}) as pdp:
        for answer in wrong.values():
            keys.answer = answer
            refused, asked = pdp.output.count("key_set_not_fetched"), keys.asked
            wait_until(lambda asked=asked: keys.asked >= asked + 2, "another fetch")
            wait_until(
                lambda refused=refused: pdp.output.count("key_set_not_fetched") > refused, "its refusal"
            )
            assert accepts(pdp, FIRST)
            assert not accepts(pdp, SECOND)


def test_an_outage_leaves_the_last_good_keys_in_use(tmp_path, keys):
    config = pdp_config(tmp_path, keys.url)
    with OstiaryPdp(tmp_path / "run", config, environment={"SSL_CERT_FILE": str(keys.certificate)}) as pdp:
        keys.close()
        wait_until(lambda: "key_set_not_fetched" in pdp.output, "a fetch that fails")
        assert accepts(pdp, FIRST)


def test_a_server_that_proves_nothing_gives_no_keys(tmp_path, keys):
    with OstiaryPdp(tmp_path / "run", pdp_config(tmp_path, keys.url)) as pdp:
        assert not accepts(pdp, FIRST)
        assert "key_set_not_fetched" in pdp.output
        assert keys.asked == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/keys", "http://keys.example/keys", "file:///keys", ""])
def test_an_address_without_tls_ends_the_start(tmp_path, url):
    config = pdp_config(tmp_path, url)
    argv = [sys.executable, "-m", "gateway.cli", "pdp", "--cerbos-config", str(config), "--port", "0"]
    started = RunningProcess(argv, tmp_path / "run", OstiaryPdp.environment(tmp_path))
    assert started.process.wait(60) == 2
    assert "OST-CFG-044" in started.output
    assert yaml.safe_load(config.read_text())["auxData"]["jwt"]["keySets"][0]["id"] in started.output
