"""A Cerbos configuration file: what it says of decisions is taken, the rest is listed or refused."""

from __future__ import annotations

import pytest

from gateway.errors import ConfigError
from gateway.wire.cerbos_config import parse_config, seconds_of

FULL = """
server:
  httpListenAddr: ":${PORT:3592}"
  grpcListenAddr: ":3593"
  requestLimits: {maxActionsPerResource: 5, maxResourcesPerRequest: 7}
  cors: {allowedOrigins: ["https://a.b"], allowedHeaders: [x-y], maxAge: 1m30s}
storage:
  driver: disk
  disk: {directory: "$DIR/policies", watchForChanges: true}
schema: {enforcement: reject}
engine:
  defaultPolicyVersion: "20210210"
  defaultScope: acme
  globals: {environment: test, limits: [1, true, null]}
  lenientScopeSearch: true
  strictEvaluation: true
auxData:
  jwt:
    acceptableTimeSkew: 2s
    keySets:
      - id: one
        local: {file: /keys.jwk}
        insecure: {optionalAlg: true}
audit: {enabled: true}
telemetry: {disabled: true}
"""


def test_everything_that_decides_is_read():
    config = parse_config(FULL, "c.yaml", {"DIR": "/data", "PORT": "1"})
    assert config.server.http_listen_addr == ":1"
    assert (config.server.request_limits.max_actions_per_resource, config.server.cors.max_age_seconds) == (
        5,
        90,
    )
    assert (config.storage.disk.directory, config.storage.disk.watch_for_changes) == ("/data/policies", True)
    assert config.schema.enforcement == "reject"
    assert (config.engine.default_policy_version, config.engine.default_scope) == ("20210210", "acme")
    assert config.engine.globals == {"environment": "test", "limits": [1.0, True, None]}
    assert (config.engine.lenient_scope_search, config.engine.strict_evaluation) == (True, True)
    (key_set,) = config.aux_data.jwt.key_sets
    assert (key_set.id, key_set.local.file, key_set.insecure.optional_alg) == ("one", "/keys.jwk", True)
    assert config.ignored == ("audit", "telemetry")


def test_an_absent_variable_has_its_default():
    assert parse_config(FULL, "c.yaml", {}).server.http_listen_addr == ":3592"


def test_an_empty_file_is_all_defaults():
    config = parse_config("", "c.yaml", {})
    assert (config.schema.enforcement, config.engine.default_policy_version) == ("none", "default")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("storage: {driver: git}", "git"),
        ("schema: {enforcement: sometimes}", "sometimes"),
        ("engine: [1]", "engine"),
        ("- a", "no mapping"),
        ("a: [", "c.yaml:2"),
        ("auxData: {jwt: {keySets: [{id: x}]}}", "exactly one"),
        ("engine: {lenientScopeSearch: maybe}", "lenientScopeSearch"),
    ],
)
def test_what_would_change_decisions_and_is_not_understood_is_refused(text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        parse_config(text, "c.yaml", {})
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("0", 0), ("10s", 10), ("1h30m", 5400), ("250ms", 0.25), ("1.5s", 1.5)]
)
def test_durations_are_written_as_in_go(text, seconds):
    assert seconds_of(text, "key") == seconds


@pytest.mark.parametrize("text", ["10", "s", "1d", "1h x", "-5s"])
def test_other_durations_are_refused(text):
    with pytest.raises(ConfigError, match="key"):
        seconds_of(text, "key")
