"""Addresses and ranges as Go's netip reads them; the sentences are what a PDP 0.55 says of these texts."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.cel import Activation, EvaluationError, compile_expression
from gateway.policy.cel.netip import AddressError, parse_address, parse_prefix

TEXTS = st.one_of(
    st.text("0123456789abcfF:./ g", max_size=24),
    st.lists(st.sampled_from(["0", "1", "ff", "12345", "255", "256", "01", ""]), max_size=9).map(":".join),
    st.lists(st.sampled_from(["0", "1", "255", "256", "01", ""]), max_size=6).map(".".join),
    st.ip_addresses().map(str),
    st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}"),
)


@given(TEXTS)
def test_an_address_is_what_python_takes_for_one(text):
    try:
        wanted = ipaddress.ip_address(text)
    except ValueError:
        with pytest.raises(AddressError):
            parse_address(text)
    else:
        found = parse_address(text)
        assert (found.version, found.bits, found.zone) == (wanted.version, int(wanted), "")


@given(st.ip_addresses(), st.integers(0, 140))
def test_a_range_has_an_address_and_a_length_that_fits(address, bits):
    if bits > address.max_prefixlen:
        with pytest.raises(AddressError, match="prefix length out of range"):
            parse_prefix(f"{address}/{bits}")
    else:
        found, length = parse_prefix(f"{address}/{bits}")
        assert (found.version, found.bits, length) == (address.version, int(address), bits)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "unable to parse IP"),
        ("10.0.0", "IPv4 address too short"),
        ("10.0.0.256", "IPv4 field has value >255"),
        ("10.0.0.01", "IPv4 field has octet with leading zero"),
        ("10.0.0.1.2", "IPv4 address too long"),
        ("1..2.3", 'IPv4 field must have at least one digit (at ".2.3")'),
        ("1.2.3.4%eth0", 'unexpected character (at "%eth0")'),
        ("fe80::1%", "zone must be a non-empty string"),
        (":::", 'each colon-separated field must have at least one digit (at ":")'),
        ("::1::", 'multiple :: in address (at ":")'),
        ("1:2:3:4:5:6:7:8:9", 'trailing garbage after address (at "9")'),
        ("1:2:3:4:5:6:7", "address string too short"),
        ("12345::", 'each group must have 4 or less digits (at "12345::")'),
        ("1:", 'colon must be followed by more characters (at ":")'),
        ("::ffff:1.2.3", "IPv4 address too short"),
        ("1:2:3:4:5:6:7::8", "the :: must expand to at least one field of zeros"),
        ("::1/64", 'unexpected character, want colon (at "/64")'),
        (
            "1:2:3:4:5:6:7:1.2.3.4",
            'embedded IPv4 address must replace the final 2 fields of the address (at "1.2.3.4")',
        ),
    ],
)
def test_what_is_no_address_is_told_in_gos_words(text, said):
    with pytest.raises(EvaluationError) as caught:
        compile_expression("ip(R.attr.s)").evaluate(Activation(resource={"attr": {"s": text}}))
    assert caught.value.message == (
        f'IP Address "{text}" parse error during conversion from string: ParseAddr("{text}"): {said}'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.0.0.1", "no '/'"),
        ("10.0.0.0/33", "prefix length out of range"),
        ("10.0.0.0/08", 'bad bits after slash: "08"'),
        ("10.0.0.0/", 'bad bits after slash: ""'),
        ("1.2.3.4/+5", 'bad bits after slash: "+5"'),
        ("/8", 'ParseAddr(""): unable to parse IP'),
        ("fe80::1%e/8", "IPv6 zones cannot be present in a prefix"),
    ],
)
def test_what_is_no_range_is_told_in_gos_words(text, said):
    with pytest.raises(EvaluationError) as caught:
        compile_expression("cidr(R.attr.s)").evaluate(Activation(resource={"attr": {"s": text}}))
    assert caught.value.message == (
        f'CIDR "{text}" parse error during conversion from string: netip.ParsePrefix("{text}"): {said}'
    )
