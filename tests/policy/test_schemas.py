"""Schemas of attributes: whose count, what they say, what they may name. Words and places are those of a PDP 0.55."""

from __future__ import annotations

import json

import pytest

from tests.policy.writing import ask, effects, engine, resource_policy, rule


def refs(**names):
    """A `schemas` section."""
    return {f"{kind}Schema": {"ref": f"cerbos:///{name}"} for kind, name in names.items()}


def wrong(schema, value, **others):
    """(path, message) of what is wrong with attributes."""
    policies = engine(
        resource_policy("doc", rule("view"), schemas=refs(resource="s.json")),
        schemas={"s.json": json.dumps(schema), **{name: json.dumps(given) for name, given in others.items()}},
        schema_enforcement="warn",
    )
    return sorted(
        (error.path, error.message) for error in ask(policies, "doc", "view", attr=value).validation_errors
    )


WORDS = [
    ({"required": ["p", "q"]}, {}, [("/", "missing properties: 'p', 'q'")]),
    ({"properties": {"a": {"type": ["string", "null", "boolean"]}}}, {"a": 1}, [("/a", "expected string or null or boolean, but got number")]),
    ({"properties": {"a": {"type": "integer"}}}, {"a": 1.5}, [("/a", "expected integer, but got number")]),
    ({"properties": {"a": {"enum": ["x", 2, 1.5]}}}, {"a": "y"}, [("/a", 'value must be one of "x", "2", "1.5"')]),
    ({"properties": {"a": {"enum": [None, "x"]}}}, {"a": "y"}, [("/a", "enum failed")]),
    ({"properties": {"a": {"const": True}}}, {"a": 1}, [("/a", "value must be true")]),
    ({"properties": {"a": {"maxLength": 1}}}, {"a": "xyz"}, [("/a", "length must be <= 1, but got 3")]),
    ({"properties": {"a": {"exclusiveMinimum": 3}}}, {"a": 3}, [("/a", "must be > 3 but found 3")]),
    ({"properties": {"a": {"multipleOf": 0.5}}}, {"a": 0.3}, [("/a", "0.3 not multipleOf 0.5")]),
    ({"properties": {"a": {"pattern": "^b"}}}, {"a": "c"}, [("/a", "does not match pattern '^b'")]),
    ({"properties": {"a": {"format": "date"}}}, {"a": "it's"}, [("/a", "'it\\'s' is not valid 'date'")]),
    ({"properties": {"a": {"oneOf": [{"type": "string"}, {"type": "number"}]}}}, {"a": True}, [("/a", "expected number, but got boolean"), ("/a", "expected string, but got boolean")]),
    ({"properties": {"a": {"oneOf": [{"type": "string"}, {"minLength": 1}]}}}, {"a": "x"}, [("/a", "valid against schemas at indexes 0 and 1")]),
    ({"properties": {"a": {"not": {}}}}, {"a": 1}, [("/a", "not failed")]),
    ({"properties": {"a": False}}, {"a": 1}, [("/a", "not allowed")]),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, [("/", "additionalProperties 'b' not allowed")]),
    ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 2, 1]}, [("/a", "items at index 0 and 2 are equal")]),
    ({"properties": {"a": {"contains": {"type": "string"}}}}, {"a": [1, 2]}, [("/a/0", "expected string, but got number"), ("/a/1", "expected string, but got number")]),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, [("/", "property 'b' is required, if 'a' property exists")]),
    ({"propertyNames": {"maxLength": 2}}, {"abc": 1}, [("/abc", "length must be <= 2, but got 3")]),
    ({"properties": {"a~b/c d": {"type": "string"}}}, {"a~b/c d": 1}, [("/a~0b~1c%20d", "expected string, but got number")]),
    ({"properties": {"a": {"$ref": "#/$defs/d"}}, "$defs": {"d": {"type": ["string", "null"]}}}, {"a": 1}, [("/a", "expected string or null, but got number")]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "found"), WORDS)
def test_each_keyword_speaks_as_the_pdp_does(schema, value, found):
    assert wrong(schema, value) == found


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        ("hostname", "a.", True), ("hostname", "a_b", False), ("hostname", "x" * 64, False), ("idn-email", "x", True),
        ("period", "2021-01-01T00:00:00Z/P1D", True), ("period", "x", False), ("email", "a@b", True),
        ("date-time", "2021-01-01T00:00:60Z", False), ("uuid", "x", False), ("semver", "x", True),
    ],
)  # fmt: skip
def test_formats_are_asserted_as_the_pdp_asserts_them(name, value, valid):
    assert (wrong({"properties": {"a": {"format": name}}}, {"a": value}) == []) is valid


def test_a_reference_leads_to_other_schemas_of_the_set():
    schema = {"properties": {"a": {"$ref": "cerbos:///other.json"}}}
    assert wrong(schema, {"a": 1}, **{"other.json": {"type": "string"}}) == [
        ("/a", "expected string, but got number")
    ]


class TestWhoseSchemasCount:
    """Scopes, principals, ignored actions, enforcement."""

    def policies(self, enforcement="warn"):
        return engine(
            resource_policy("doc", rule("view", "list", "w:x"), schemas={
                "resourceSchema": {"ref": "cerbos:///a.json", "ignoreWhen": {"actions": ["list", "w:*"]}},
                "principalSchema": {"ref": "cerbos:///p.json"},
            }),
            resource_policy("doc", scope="acme", schemas=refs(resource="b.json")),
            resource_policy("other"),
            resource_policy("other", scope="acme"),
            resource_policy("other", scope="acme.x"),
            schemas={name: json.dumps({"required": [name[0]]}) for name in ("a.json", "b.json", "p.json")},
            schema_enforcement=enforcement,
        )  # fmt: skip

    def found(self, *actions, **asked):
        errors = ask(self.policies(), "doc", *actions, **asked).validation_errors
        return [(error.source, error.message) for error in errors]

    def test_principal_and_resource_have_their_own(self):
        assert self.found("view") == [
            ("SOURCE_PRINCIPAL", "missing properties: 'p'"),
            ("SOURCE_RESOURCE", "missing properties: 'a'"),
        ]

    def test_they_are_those_of_the_root_policy_in_every_scope_with_a_policy_of_the_kind(self):
        assert self.found("view", scope="acme")[1] == ("SOURCE_RESOURCE", "missing properties: 'a'")
        assert self.found("view", scope="acme.x") == []

    def test_they_are_skipped_where_every_action_is_ignored(self):
        assert [source for source, _ in self.found("list", "w:x")] == ["SOURCE_PRINCIPAL"]
        assert len(self.found("list", "view")) == 2

    @pytest.mark.parametrize(
        ("enforcement", "effect"), [("none", "ALLOW"), ("warn", "ALLOW"), ("reject", "DENY")]
    )
    def test_enforcement_decides_what_an_error_means(self, enforcement, effect):
        decided = ask(self.policies(enforcement), "doc", "view")
        assert effects(decided) == {"view": effect}
        assert bool(decided.validation_errors) is (enforcement != "none")
