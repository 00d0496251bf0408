"""`ostiary pdp` beside the real PDP: one configuration file, one store, the same requests, the same answers."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import sys

import pytest
import yaml
from joserfc import jwk, jwt

from tests.policy.writing import policy, resource_policy, rule
from tests.support.processes import (
    ROOT,
    CerbosProcess,
    RunningProcess,
    free_port,
    http_status,
    wait_until,
)

KEY = jwk.ECKey.generate_key("P-256", {"kid": "k"}, private=True)
STORE = {
    "doc.yaml": resource_policy(
        "doc",
        rule("view", roles=["user"], says="{'id': R.id, 'n': [1, 2.5, null], 't': now() == now()}"),
        rule("edit", when="R.attr.owner == P.id"),
        rule("sign", when="'a' in request.auxData.jwt.groups"),
        rule("broken", says="R.attr.nope"),
        rule("infinite", says="1.0 / 0.0"),
        rule("list", roles=[], derivedRoles=["owner"]),
        importDerivedRoles=["roles"],
        schemas={"resourceSchema": {"ref": "cerbos:///doc.json"}},
    ),
    "scoped.yaml": resource_policy("doc", rule("delete", effect="EFFECT_DENY"), scope="acme"),
    "roles.yaml": policy(
        "derivedRoles", name="roles",
        definitions=[{"name": "owner", "parentRoles": ["user"], "condition": {"match": {"expr": "R.attr.owner == P.id"}}}],
    ),
    "principal.yaml": policy(
        "principalPolicy", principal="mallory", version="default",
        rules=[{"resource": "*", "actions": [{"action": "*", "effect": "EFFECT_DENY"}]}],
    ),
    "_schemas/doc.json": json.dumps({"properties": {"n": {"type": "number"}}}),
}  # fmt: skip


class OstiaryPdp(RunningProcess):
    """`ostiary pdp` over a configuration file."""

    def __init__(self, directory, config, *arguments, environment=None):
        self.port = free_port()
        argv = [
            sys.executable,
            "-m",
            "gateway.cli",
            "pdp",
            "--cerbos-config",
            str(config),
            "--port",
            str(self.port),
            *arguments,
        ]
        super().__init__(argv, directory, {**self.environment(directory), **(environment or {})})
        self.wait_ready(
            lambda: http_status(f"http://127.0.0.1:{self.port}/_cerbos/health") == 200, "ostiary pdp"
        )

    @staticmethod
    def environment(directory):
        """The environment of a process over a directory."""
        return {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(ROOT)}


def write_store(directory, files=STORE):
    """A policy store."""
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return directory


def configuration(policies, port, **sections):
    """A configuration file's content."""
    keys = {**KEY.as_dict(private=False), "alg": "ES256"}
    return yaml.safe_dump({
        "server": {
            "httpListenAddr": f"127.0.0.1:{port}", "grpcListenAddr": f"127.0.0.1:{free_port()}",
            "requestLimits": {"maxActionsPerResource": 5, "maxResourcesPerRequest": 5}, **sections.pop("server", {}),
        },
        "storage": {"driver": "disk", "disk": {"directory": str(policies), **sections.pop("disk", {})}},
        "telemetry": {"disabled": True},
        "schema": {"enforcement": "warn"},
        "auxData": {"jwt": {"keySets": [{"id": "one", "local": {"data": _base64(json.dumps({"keys": [keys]}))}}]}},
        **sections,
    })  # fmt: skip


def _base64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The real PDP and ours over one store."""
    directory = tmp_path_factory.mktemp("pdp")
    policies = write_store(directory / "policies")
    port = free_port()
    text = configuration(policies, port)
    (directory / "ours.yaml").write_text(text)
    with (
        CerbosProcess(directory / "cerbos", policies, config=text, port=port) as real,
        OstiaryPdp(directory / "ours", directory / "ours.yaml") as ours,
    ):
        yield real.port, ours.port


def ask(port, method, path, body=None, headers=None):
    """(status, headers, text) of a request."""
    data = json.dumps(body).encode() if isinstance(body, dict | list) else body
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, data, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()


def comparable(text, port):
    """A reply without what differs from process to process."""
    try:
        value = json.loads(text)
    except ValueError:
        return text.decode().strip()
    text = json.dumps(value, sort_keys=True).replace(f":{port}", ":PORT").replace("\\u00a0", " ")
    found = json.loads(text, parse_int=float)
    if isinstance(found, dict):
        for name in ("cerbosCallId", "version", "commit", "buildDate"):
            found.pop(name, None)
    return found


PRINCIPAL = {"id": "john", "roles": ["user"], "attr": {"a": [1, {"b": None}]}}


def resource(**fields):
    """A resource of a request."""
    return {"kind": "doc", "id": "1", **fields}


def check(*actions, of=None, **fields):
    """A CheckResources request."""
    return {
        "principal": PRINCIPAL,
        "resources": [{"actions": list(actions), "resource": of or resource()}],
        **fields,
    }


def token(claims, key=KEY):
    """A token of the key set."""
    return jwt.encode({"alg": "ES256", "kid": "k"}, claims, key, algorithms=["ES256"])


_SUBJECT = {"type": "user", "id": "john", "properties": {"cerbos.roles": ["user"], "x": 1}}
_EVALUATION = {"subject": _SUBJECT, "resource": {"type": "doc", "id": "1"}, "action": {"name": "view"}}
POSTS = {
    "check": ("/api/check/resources", check("view", "edit", includeMeta=True, requestId="r")),
    "check without meta": ("/api/check/resources", check("view")),
    "check pretty": ("/api/check/resources?pretty", check("edit")),
    "check scoped": ("/api/check/resources", check("delete", "view", of=resource(scope="acme"), includeMeta=True)),
    "unknown scope": ("/api/check/resources", check("view", of=resource(scope="none"), includeMeta=True)),
    "unknown kind": ("/api/check/resources", check("view", of={"kind": "x", "id": "1"}, includeMeta=True)),
    "version": ("/api/check/resources", check("view", of=resource(policyVersion="v9"), includeMeta=True)),
    "principal policy": ("/api/check/resources", {**check("view", includeMeta=True), "principal": {"id": "mallory", "roles": ["user"]}}),
    "derived role": ("/api/check/resources", check("list", "edit", of=resource(attr={"owner": "john"}), includeMeta=True)),
    "schema": ("/api/check/resources", check("view", of=resource(attr={"n": "x"}))),
    "output error": ("/api/check/resources", check("broken")),
    "infinite output": ("/api/check/resources", check("infinite")),
    "token": ("/api/check/resources", check("sign", auxData={"jwt": {"token": token({"groups": ["a"]})}})),
    "token named": ("/api/check/resources", check("sign", auxData={"jwt": {"token": token({"groups": ["b"]}), "keySetId": "one"}})),
    "expired token": ("/api/check/resources", check("sign", auxData={"jwt": {"token": token({"exp": 5})}})),
    "other key set": ("/api/check/resources", check("sign", auxData={"jwt": {"token": token({}), "keySetId": "two"}})),
    "no token": ("/api/check/resources", check("sign")),
    "empty": ("/api/check/resources", b""),
    "unknown field": ("/api/check/resources", check("view", nope=1)),
    "broken json": ("/api/check/resources", b'{"principal":'),
    "too many actions": ("/api/check/resources", check(*"abcdef")),
    "too many resources": ("/api/check/resources", {**check("a"), "resources": check("a")["resources"] * 6}),
    "set": ("/api/check", {"principal": PRINCIPAL, "actions": ["view", "edit"], "includeMeta": True, "resource": {"kind": "doc", "instances": {"1": {}, "2": {"attr": {"owner": "john", "n": "x"}}}}}),
    "set without meta": ("/api/check", {"requestId": "q", "principal": PRINCIPAL, "actions": ["view"], "resource": {"kind": "doc", "instances": {"1": {}}}}),
    "empty set": ("/api/check", {"principal": PRINCIPAL, "actions": ["view"], "resource": {"kind": "doc", "instances": {}}}),
    "batch": ("/api/check_resource_batch", {"requestId": "q", **check("view", "zap", of=resource(attr={"n": "x"}))}),
    "empty batch": ("/api/check_resource_batch", {"principal": PRINCIPAL, "resources": []}),
    "evaluation": ("/access/v1/evaluation", _EVALUATION),
    "evaluation with meta": ("/access/v1/evaluation", {**_EVALUATION, "context": {"cerbos.includeMeta": True, "cerbos.requestId": "z"}}),
    "empty evaluation": ("/access/v1/evaluation", {}),
    "evaluation of a token": ("/access/v1/evaluation", {**_EVALUATION, "action": {"name": "sign"}, "context": {"cerbos.auxData": {"jwt": {"token": token({"groups": ["a"]})}}}}),
    "evaluations": ("/access/v1/evaluations", {**_EVALUATION, "evaluations": [{}, {"action": {"name": "zap"}}]}),
    "evaluations that stop": ("/access/v1/evaluations", {**_EVALUATION, "evaluations": [{"action": {"name": "zap"}}, {}], "options": {"evaluations_semantic": "deny_on_first_deny"}}),
    "no path": ("/api/nope", {}),
    "no api": ("/nope", {}),
    "wrong method": ("/api/server_info", {}),
}  # fmt: skip


@pytest.mark.pdp
@pytest.mark.parametrize("name", POSTS)
def test_a_post_is_answered_as_the_real_pdp_answers_it(both, name):
    path, body = POSTS[name]
    answers = [ask(port, "POST", path, body, {"Content-Type": "text/plain;charset=UTF-8"}) for port in both]
    wanted, given = [
        (answer[0], comparable(answer[2], port)) for answer, port in zip(answers, both, strict=True)
    ]
    assert given == wanted
    assert answers[0][1].get_content_type() == answers[1][1].get_content_type()


GETS = [
    "/_cerbos/health", "/_cerbos/health?service=cerbos.svc.v1.CerbosService", "/_cerbos/health?service=x", "/api/server_info",
    "/.well-known/authzen-configuration", "/api/check/resources", "/api/nope", "/nope",
]  # fmt: skip


@pytest.mark.pdp
@pytest.mark.parametrize("path", GETS)
def test_a_get_is_answered_as_the_real_pdp_answers_it(both, path):
    wanted, given = [
        (answer[0], comparable(answer[2], port)) for port in both for answer in [ask(port, "GET", path)]
    ]
    assert given == wanted


ORIGIN = {"Origin": "https://a.b"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST"}


@pytest.mark.pdp
@pytest.mark.parametrize("headers", [
    PREFLIGHT,
    {**PREFLIGHT, "Access-Control-Request-Headers": "content-type"},
    {**PREFLIGHT, "Access-Control-Request-Headers": "x-other"},
    {**PREFLIGHT, "Access-Control-Request-Method": "FOO"},
    ORIGIN,
])  # fmt: skip
def test_other_origins_are_told_what_the_real_pdp_tells_them(both, headers):
    found = []
    for port in both:
        status, got, _ = ask(port, "OPTIONS", "/api/check/resources", None, headers)
        found.append(
            (
                status,
                {
                    name.lower(): value
                    for name, value in got.items()
                    if name.lower().startswith(("access-", "vary"))
                },
            )
        )
    assert found[0] == found[1]


def test_query_plans_are_refused_with_a_clear_message(both):
    status, _, text = ask(both[1], "POST", "/api/plan/resources", check("view"))
    assert (status, json.loads(text)["code"]) == (501, 12)
    assert "not served" in json.loads(text)["message"]


def test_a_body_over_the_limit_is_refused(both):
    body = b'{"requestId":"' + b"x" * (5 * 1024 * 1024) + b'"}'
    status, _, text = ask(both[1], "POST", "/api/check/resources", body)
    assert (status, json.loads(text)["code"]) == (429, 8)


def test_an_expression_over_its_limit_is_an_error_and_no_effect(tmp_path):
    long = "R.attr.l.all(a, R.attr.l.all(b, R.attr.l.all(c, a + b + c > -1.0)))"
    policies = write_store(
        tmp_path / "policies",
        {"p.yaml": resource_policy("doc", rule("view"), rule("view", effect="EFFECT_DENY", when=long))},
    )
    (tmp_path / "c.yaml").write_text(configuration(policies, 0))
    with OstiaryPdp(tmp_path / "run", tmp_path / "c.yaml") as ours:
        status, _, text = ask(
            ours.port, "POST", "/api/check/resources", check("view", of=resource(attr={"l": [1] * 1000}))
        )
    assert (status, json.loads(text)["code"]) == (429, 8)
    assert "limit" in json.loads(text)["message"]


def _effect(port):
    _, _, text = ask(port, "POST", "/api/check/resources", check("view"))
    return json.loads(text)["results"][0]["actions"]["view"]


@pytest.mark.parametrize("how", ["signal", "watch"])
def test_changed_policies_come_into_force_and_wrong_ones_do_not(tmp_path, how):
    policies = write_store(tmp_path / "policies", {"p.yaml": resource_policy("doc", rule("view"))})
    (tmp_path / "c.yaml").write_text(configuration(policies, 0, disk={"watchForChanges": how == "watch"}))

    def change(text):
        (policies / "p.yaml").write_text(text)
        if how == "signal":
            ours.process.send_signal(signal.SIGHUP)

    with OstiaryPdp(tmp_path / "run", tmp_path / "c.yaml") as ours:
        assert _effect(ours.port) == "EFFECT_ALLOW"
        change(resource_policy("doc", rule("view", effect="EFFECT_DENY")))
        wait_until(lambda: _effect(ours.port) == "EFFECT_DENY", "the reload")
        change("nonsense: 1\n")
        wait_until(lambda: "policies_refused" in ours.output, "the refusal")
        assert _effect(ours.port) == "EFFECT_DENY"
        assert "p.yaml:1:1" in ours.output
        change(resource_policy("doc", rule("view")))
        wait_until(lambda: _effect(ours.port) == "EFFECT_ALLOW", "the next reload")


def test_wrong_policies_and_configurations_end_the_start_with_their_exit_code(tmp_path):
    policies = write_store(tmp_path / "policies", {"p.yaml": "nonsense: 1\n"})
    (tmp_path / "c.yaml").write_text(configuration(policies, 0))
    (tmp_path / "bad.yaml").write_text("storage: {driver: git}\n")
    for config, status in (("c.yaml", 3), ("bad.yaml", 2), ("absent.yaml", 2)):
        argv = [
            sys.executable,
            "-m",
            "gateway.cli",
            "pdp",
            "--cerbos-config",
            str(tmp_path / config),
            "--port",
            "0",
        ]
        started = RunningProcess(
            argv,
            tmp_path / config.removesuffix(".yaml"),
            {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        )
        assert started.process.wait(30) == status
        assert "OST-" in started.output
