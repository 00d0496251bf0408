"""The public words. A new one is free; one that goes or means something else needs a new number and a note in CHANGELOG."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import yaml

from gateway.domain import attributes, vocabulary
from tests.facts.calls import GOLDEN, analyser, calls, event_of

SCHEMAS = Path(__file__).resolve().parents[2] / "policies" / "_schemas"
ANALYSER = analyser()


def schema(kind: str) -> dict:
    return json.loads((SCHEMAS / f"{kind}.json").read_text())


def words() -> dict:
    """What policies can read, in one place."""
    return {
        "vocabulary": vocabulary.VOCABULARY,
        "actions": {kind: list(actions) for kind, actions in vocabulary.OPERATION_ACTIONS.items()},
        "common": list(attributes.COMMON_ATTRIBUTES),
        "attributes": {kind: list(names) for kind, names in attributes.OPERATION_ATTRIBUTES.items()},
        "file_groups": list(vocabulary.FILE_GROUPS),
        "host_groups": list(vocabulary.HOST_GROUPS),
        "reserved": list(vocabulary.RESERVED_ATTRIBUTES),
        "decisions": list(vocabulary.DECISIONS),
        "answers": list(vocabulary.ANSWERS),
        "causes": list(vocabulary.CAUSES),
        "roles": list(vocabulary.ROLES),
        "canary": vocabulary.CANARY_KIND,
    }


def test_the_words_are_those_of_the_golden_file():
    assert words() == yaml.safe_load((GOLDEN / "vocabulary.yaml").read_text())


def test_every_kind_has_a_schema_with_its_attributes_and_no_other():
    assert {file.stem for file in SCHEMAS.glob("*.json")} == {*vocabulary.OPERATION_ACTIONS, "principal"}
    for kind, names in attributes.OPERATION_ATTRIBUTES.items():
        assert set(schema(kind)["properties"]) == {*names, *attributes.COMMON_ATTRIBUTES}, kind


def test_the_schemas_name_the_groups_of_the_vocabulary():
    for kind, name in [
        ("file", "groups"),
        ("file", "groups_may"),
        ("host", "source_groups"),
        ("host", "source_groups_may"),
    ]:
        shipped, own = schema(kind)["properties"][name]["items"]["anyOf"]
        assert shipped["enum"] == list(vocabulary.FILE_GROUPS)
        assert own["pattern"].startswith(f"^{vocabulary.SITE_GROUP}")
    assert schema("host")["properties"]["groups"]["items"]["enum"] == list(vocabulary.HOST_GROUPS)


def test_every_attribute_has_a_description():
    for kind in vocabulary.OPERATION_ACTIONS:
        for name, described in schema(kind)["properties"].items():
            assert described["description"].endswith("."), (kind, name)


def test_every_operation_of_the_golden_calls_fits_its_schema():
    validators = {
        kind: jsonschema_rs.Draft202012Validator(schema(kind)) for kind in vocabulary.OPERATION_ACTIONS
    }
    for case in calls("calls.yaml"):
        for operation in ANALYSER.analyse(event_of(case)).operations:
            attr = {**operation.attr, "v": 1, "agent": "claude-code", "rules_off": []}
            assert set(attr) == {
                *attributes.OPERATION_ATTRIBUTES[operation.kind],
                *attributes.COMMON_ATTRIBUTES,
            }
            validators[operation.kind].validate(attr)
