"""Requests in a Cerbos PDP's JSON: the quick way and the exact one agree, and a refusal says what the PDP says.

The messages are those that a PDP 0.55 answered to the same bytes.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire.cerbos_decode import decode_message
from gateway.wire.cerbos_errors import CerbosError
from gateway.wire.cerbos_exact import read_exactly
from gateway.wire.cerbos_messages import MESSAGES
from gateway.wire.cerbos_rules import check_rules
from gateway.wire.cerbos_server import RequestLimits, read_check_resources, read_check_set, ulid

_HEAD = b'{"principal":{"id":"x","roles":["user"]'
_TAIL = b'"resources":[{"actions":["view"],"resource":{"kind":"doc","id":"1"}}]'


def whole(**fields):
    """A valid request with some fields changed."""
    given_fields = {
        "principal": {"id": "x", "roles": ["user"]},
        "resources": [{"actions": ["view"], "resource": {"kind": "doc", "id": "1"}}],
        **fields,
    }
    return json.dumps(given_fields).encode()


def refusal(body, message="CheckResources"):
    """What a refused body is told."""
    with pytest.raises(CerbosError) as caught:
        decode_message(message, body)
    assert caught.value.grpc_code == 3
    assert caught.value.status == 400
    return caught.value.message


SYNTAX = [
    (b"{", "unexpected EOF"),
    (b'{"a"', "unexpected EOF"),
    (b'{"principal":{"id":"x"', "unexpected EOF"),
    (b'{"n":2.', "unexpected EOF"),
    (b"[]", "proto: syntax error (line 1:1): unexpected token ["),
    (b"null", "proto: syntax error (line 1:1): unexpected token null"),
    (b'"x"', 'proto: syntax error (line 1:1): unexpected token "x"'),
    (b'{"principal":{"id":"x",}}', "invalid character '}' looking for beginning of object key string"),
    (b'{"principal" {}}', "invalid character '{' after object key"),
    (
        b'{"requestId":"\\ud83e\\ud83e"}',
        'proto: syntax error (line 1:14): invalid escape code "\\\\ud83e" in string',
    ),
    (
        b'{ "principal": {"attr": {"\\udd89\\u0061": 1 } } }',
        'proto: syntax error (line 1:26): invalid escape code "\\\\u0061" in string',
    ),
    (
        b'{"requestId":"x\\ud800", "a": 1}',
        'proto: syntax error (line 1:14): invalid escape code "\\", \\"a\\"" in string',
    ),
    (b'{"requestId":1e400}', "proto: (line 1:14): invalid value for string field requestId: 1e400"),
    (b'\n\n {"requestId": tru}', "invalid character '}' in literal true (expecting 'e')"),
    (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
    (b'{"requestId":"a\nb"}', "invalid character '\\n' in string literal"),
    (b'{"requestId":"\\q"}', "invalid character 'q' in string escape code"),
    (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
    (_HEAD + b',"attr":{"c":01}}}', "invalid character '1' after object key:value pair"),
    (_HEAD + b',"attr":{"d":' + b"[" * 20_000, "invalid character '[' exceeded max depth"),
    (b'{"principal":{"id":"\xff"}}', "proto: syntax error (line 1:20): invalid UTF-8 in string"),
    (b'{"principal":{"id":"x","id":"y"}}', 'proto: (line 1:24): duplicate field "id"'),
    (b'{"requestId":"a","request_id":"b"}', 'proto: (line 1:18): duplicate field "request_id"'),
    (_HEAD + b',"attr":{"a":1,"a":2}}}', 'proto: (line 1:55): duplicate map key "a"'),
    (_HEAD + b',"attr":{"a":1e999}}}', "proto: (line 1:53): invalid google.protobuf.Value: 1e999"),
    (b'{"foo":{"a":[1,2,{"b":null}]}}', 'proto: (line 1:2): unknown field "foo"'),
    (b'{"requestId":1}', "proto: (line 1:14): invalid value for string field requestId: 1"),
    (b'{"request_id":{}}', "proto: (line 1:15): invalid value for string field requestId: {"),
    (b'{"includeMeta":"true"}', 'proto: (line 1:16): invalid value for bool field includeMeta: "true"'),
    (b'{"principal":{"roles":[null]}}', "proto: (line 1:24): invalid value for string field roles: null"),
    (b'{"principal":{"roles":"a"}}', 'proto: syntax error (line 1:23): unexpected token "a"'),
    (b'{"principal":{"attr":[]}}', "proto: syntax error (line 1:22): unexpected token ["),
    (b'{"resources":[null]}', "proto: syntax error (line 1:15): unexpected token null"),
    (b'{"requestContext":{"foo":1}}', 'proto: (line 1:20): unknown field "foo"'),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), SYNTAX)
def test_what_is_no_such_message_is_refused_at_its_place(body, message):
    assert refusal(body) == message


RULES = [
    (b"", "validation errors:\n - principal: value is required\n - resources: value is required"),
    (whole(principal=None), "validation error: principal: value is required"),
    (whole(principal={}), "validation errors:\n - principal.id: value is required\n - principal.roles: value is required"),
    (
        whole(principal={"id": "x", "roles": ["a", "a", ""]}),
        ("validation errors:\n - principal.roles: repeated value must contain unique items\n"
        " - principal.roles[2]: must be at least 1 characters"),
    ),
    (whole(principal={"id": "x", "roles": ["a"], "attr": {"": 1}}), 'validation error: principal.attr[""]: must be at least 1 characters'),
    (
        whole(principal={"id": "x", "roles": ["a"], "policyVersion": "a b", "scope": "é"}),
        ("validation errors:\n - principal.policy_version: does not match regex pattern `^[\\w]*$`\n"
        " - principal.scope: does not match regex pattern `^(^$|\\.|[0-9a-zA-Z][\\w\\-]*(\\.\\w[\\w\\-]*)*)$`"),
    ),
    (whole(resources=[{"actions": ["a"]}]), "validation error: resources[0].resource: value is required"),
    (whole(resources=[{"actions": [], "resource": {"kind": "k", "id": "1"}}]), "validation error: resources[0].actions: value is required"),
    (
        whole(resources=[{"actions": ["a"], "resource": {"kind": "", "id": ""}}]),
        "validation errors:\n - resources[0].resource.kind: value is required\n - resources[0].resource.id: value is required",
    ),
    (whole(auxData={"jwt": {"token": ""}}), "validation error: aux_data.jwt.token: value is required"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), RULES)
def test_what_breaks_a_rule_is_named_field_by_field(body, message):
    assert refusal(body) == message


def test_a_broken_rule_is_described_as_protovalidate_does():
    with pytest.raises(CerbosError) as caught:
        decode_message("CheckResources", whole(principal={"id": "x", "roles": ["a", ""]}))
    (detail,) = json.loads(caught.value.body())["details"]
    (violation,) = detail["violations"]
    assert detail["@type"] == "type.googleapis.com/buf.validate.Violations"
    assert violation["ruleId"] == "string.min_len"
    assert [element["fieldName"] for element in violation["field"]["elements"]] == ["principal", "roles"]
    assert violation["field"]["elements"][1]["index"] == "1"
    assert [element["fieldName"] for element in violation["rule"]["elements"]] == [
        "repeated",
        "items",
        "string",
        "min_len",
    ]


@pytest.mark.parametrize(
    ("resources", "actions", "message"),
    [
        (51, 1, "number of resources in batch (51) exceeds configured limit (50)"),
        (1, 51, "number of actions (51) exceeds configured limit (50)"),
        (51, 51, "number of resources in batch (51) exceeds configured limit (50)"),
    ],
)
def test_limits_are_told_with_their_numbers(resources, actions, message):
    entry = {"actions": [f"a{number}" for number in range(actions)], "resource": {"kind": "k", "id": "1"}}
    with pytest.raises(CerbosError) as caught:
        read_check_resources(whole(resources=[entry] * resources), RequestLimits())
    assert caught.value.message == message


def test_both_spellings_nulls_and_whatever_follows_are_read():
    body = (
        b'  {"request_id":"r","include_meta":null,"principal":{"id":"x","roles":["a"],"policy_version":"v"},'
        + _TAIL
        + b"} rest"
    )
    served = read_check_resources(body, RequestLimits())
    assert (served.request.request_id, served.request.principal.policy_version, served.include_meta) == (
        "r",
        "v",
        False,
    )


def test_numbers_are_doubles_as_protobuf_has_them():
    served = read_check_resources(
        whole(principal={"id": "x", "roles": ["a"], "attr": {"n": 2**53 + 1, "l": [1]}}), RequestLimits()
    )
    assert served.request.principal.attr == {"n": float(2**53), "l": [1.0]}
    assert isinstance(served.request.principal.attr["n"], float)


def test_a_set_asks_the_same_of_every_instance():
    body = json.dumps({
        "principal": {"id": "x", "roles": ["a"]}, "actions": ["view", "edit"],
        "resource": {"kind": "doc", "scope": "s", "instances": {"1": {"attr": {"a": 1}}, "": {}}},
    }).encode()  # fmt: skip
    checks = read_check_set(body, RequestLimits()).request.checks
    assert [(check.resource.id, check.resource.scope, check.actions) for check in checks] == [
        ("1", "s", ("view", "edit")), ("", "s", ("view", "edit")),
    ]  # fmt: skip


def test_a_call_id_has_the_form_and_the_time_of_its_uuid():
    assert ulid("01934c6f-0d3a-7abc-8def-0123456789ab") == "01JD66Y39TFAY8VVR14D2PF2DB"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
names = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=5)
principals = st.fixed_dictionaries(
    {"id": names, "roles": st.lists(names, min_size=1, max_size=3, unique=True)},
    optional={
        "attr": st.dictionaries(names, json_values, max_size=3),
        "scope": st.sampled_from(["", "a", "a.b"]),
    },
)
resources = st.fixed_dictionaries(
    {"kind": names, "id": names}, optional={"attr": st.dictionaries(names, json_values, max_size=3)}
)
requests = st.fixed_dictionaries(
    {
        "principal": principals,
        "resources": st.lists(
            st.fixed_dictionaries({"actions": st.lists(names, min_size=1, max_size=3, unique=True), "resource": resources}),
            min_size=1, max_size=3,
        ),
    },
    optional={"requestId": names, "includeMeta": st.booleans()},
)  # fmt: skip


@given(requests, st.booleans())
@settings(max_examples=120)
def test_the_quick_way_reads_what_the_exact_one_reads(value, ascii_only):
    body = json.dumps(value, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass")
    assert decode_message("CheckResources", body) == read_exactly(MESSAGES["CheckResources"], body)


@given(requests, st.data())
@settings(max_examples=250)
def test_spoilt_bytes_are_read_or_refused_alike_and_never_break_the_reader(value, data):
    body = bytearray(json.dumps(value).encode())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    outcomes = []
    for read in (lambda: decode_message("CheckResources", bytes(body)), lambda: _exact(bytes(body))):
        try:
            outcomes.append(read())
        except CerbosError as error:
            outcomes.append(error.message)
    assert outcomes[0] == outcomes[1]


def _exact(body):
    found = read_exactly(MESSAGES["CheckResources"], body)
    check_rules(MESSAGES["CheckResources"], found)
    return found


def test_a_pair_of_surrogates_is_one_character():
    found = decode_message(
        "CheckResources", whole(requestId="PLACE").replace(b"PLACE", b"\\ud83e\\udd89\\\\ud800")
    )
    assert found["request_id"] == "🦉\\ud800"
