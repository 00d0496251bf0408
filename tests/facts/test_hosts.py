"""Hosts: one spelling and the right groups for every way in which a URL can name them, and nothing is ever resolved."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.hosts import Hosts, canonical_host, host_data
from gateway.facts.urls import is_url

HOSTS = Hosts(host_data(), frozenset({8787}), ("gateway.example.com", "[2001:db8::1]"))


def groups(url: str) -> set[str]:
    """The groups of every host that a URL may name."""
    return {group for host in HOSTS.of_url(url) for group in host.groups}


LOOPBACK = [
    "http://localhost/",
    "http://LOCALHOST./",
    "http://app.localhost/",
    "http://localhost.localdomain/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::5efe:127.0.0.1]/",
    "http://[::1%25lo]/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://local\u00adhost/",
    "http://%6c%6f%63alhost/",
    "http://user:password@127.0.0.1/",
    "http://a.example:80@127.0.0.1/",
    "http://127.0.0.1@a.example@localhost/",
    r"http://a.example\@127.0.0.1/",
    "http://a.example#@127.0.0.1/",
    "http://a.example?@127.0.0.1/",
    r"http:\\127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "HTTP://127.0.0.1/",
    " \x00http://127.0.0.1/",
    "ht\ttp://127.0.\n0.1/",
    "//127.0.0.1/",
    "127.0.0.1:3000/x",
    "http://127.0.0.1.nip.io/",
    "http://app.127-0-0-1.sslip.io/",
    "http://7f000001.nip.io/",
    "http://lvh.me/",
    "http://a.b.localtest.me/",
    "ws://127.0.0.1/",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:70/x",
    "redis://:pw@localhost:6379/0",
]


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback_is_loopback_however_it_is_spelled(url):
    assert "loopback" in groups(url)


METADATA = [
    "http://169.254.169.254/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://169.254.170.2/v2/credentials",
    "http://metadata.google.internal/",
    "http://METADATA/",
    "http://169-254-169-254.nip.io/",
    "http://100.100.100.200/",
    "http://a.example@169.254.169.254/",
]


@pytest.mark.parametrize("url", METADATA)
def test_the_metadata_service_is_found_however_it_is_spelled(url):
    assert "metadata" in groups(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://172.16.0.1/",
        "http://100.64.0.1/",
        "http://[fd12::1]/",
        "http://[fe80::1]/",
        "http://jenkins/",
        "http://db.internal/",
        "http://printer.local/",
        "http://api.default.svc.cluster.local/",
        "http://10.0.0.1.nip.io/",
        "http://ip-10-0-0-1.eu-west-1.compute.example.com/",
    ],
)
def test_private_networks_are_private(url):
    assert "private" in groups(url)
    assert "loopback" not in groups(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://docs.python.org/3/",
        "https://nodejs.org/@types/node",
        "https://medium.com/@somebody/post",
        "https://example.com/a?mail=x@127.0.0.1",
        "https://example.com/#@127.0.0.1",
        "https://1.2.3.4/",
        "https://v1.10.0.20260101.example.com/",
        "https://b\u00fccher.example/",
        "https://example.com:8787/",
    ],
)
def test_the_web_is_public_and_nothing_else(url):
    assert groups(url) == {"public"}


GATEWAY = [
    "http://127.0.0.1:8787/v1/hooks",
    "http://localhost:8787/",
    "http://[::1]:8787/",
    "http://0:8787/",
    "http://127.0.0.1:08787/",
    "http://host.docker.internal:8787/",
    "http://gateway.example.com:8787/",
    "http://GATEWAY.example.com.:8787/",
    "http://[2001:db8::1]:8787/",
    "http://127.0.0.1.nip.io:8787/",
]


@pytest.mark.parametrize("url", GATEWAY)
def test_the_gateway_knows_its_own_addresses(url):
    assert "gateway_self" in groups(url)


def test_other_ports_and_hosts_are_not_the_gateway():
    assert "gateway_self" not in groups("http://127.0.0.1:8789/")
    assert "gateway_self" not in groups("http://10.0.0.1:8787/")
    assert "gateway_self" not in groups("http://gateway.example.com/")


@pytest.mark.parametrize(
    "url", ["data:text/plain,x", "javascript:alert(1)", "mailto:a@b.example", "about:blank"]
)
def test_what_names_no_host_has_none(url):
    assert HOSTS.of_url(url) == ()


@pytest.mark.parametrize(
    "url", ["http://[::1/", "http://a b/", "http://", "http://a..b/", "http://a:99999/", "https://%00/"]
)
def test_what_cannot_be_read_is_no_harmless_host(url):
    assert next((host.name, host.groups) for host in HOSTS.of_url(url)) in {("", ()), ("a..b", ("public",))}


@given(
    st.ip_addresses(v=4),
    st.sampled_from(["dotted", "number", "hexadecimal", "octal", "short", "mapped", "mapped_hex"]),
)
def test_every_form_of_an_address_is_one_host(address, form):
    number = int(address)
    parts = address.packed
    text = {
        "dotted": str(address),
        "number": str(number),
        "hexadecimal": f"0x{number:x}",
        "octal": ".".join(f"0{part:o}" for part in parts),
        "short": f"{parts[0]}.{number & 0xFFFFFF}",
        "mapped": f"[::ffff:{address}]",
        "mapped_hex": f"[::ffff:{number >> 16:x}:{number & 0xFFFF:x}]",
    }[form]
    host = HOSTS.of_url(f"http://{text}/")[0]
    assert host.name == str(address)
    assert host.groups == HOSTS.of_name(str(address)).groups


@given(st.ip_addresses())
def test_every_address_is_in_a_group_as_the_registries_say(address):
    found = HOSTS.of_name(str(address)).groups
    assert found
    if address.version == 4:
        public = ipaddress.ip_address(str(address)).is_global
        assert ("public" in found) is public


@given(st.text())
def test_any_text_is_read_as_a_url_in_time(text):
    HOSTS.of_url(text)
    HOSTS.of_name(text)
    is_url(text)


@given(st.text())
def test_a_canonical_host_is_its_own_spelling(text):
    host = canonical_host(text)
    assert canonical_host(host) == host
