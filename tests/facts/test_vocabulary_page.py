"""The page that explains the vocabulary says everything the data does."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from gateway.configuration.keys import config_keys
from gateway.domain import attributes, vocabulary
from gateway.facts.groups import group_data
from gateway.facts.mcp_data import mcp_data

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "vocabulary.md").read_text(encoding="utf-8")


def listed(heading: str) -> list[str]:
    """The code words of the list below a heading."""
    body = PAGE.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    return re.findall(r"^- `(.*)`$", body, re.MULTILINE)


def test_every_kind_action_attribute_and_group_is_explained():
    for kind, names in attributes.OPERATION_ATTRIBUTES.items():
        section = PAGE.split(f"### `{kind}`:", 1)[1].split("\n#", 1)[0]
        for word in (*names, *vocabulary.OPERATION_ACTIONS[kind]):
            assert f"`{word}`" in section, (kind, word)
    for word in (*attributes.COMMON_ATTRIBUTES, *vocabulary.FILE_GROUPS, *vocabulary.HOST_GROUPS):
        assert f"| `{word}` |" in PAGE, word
    assert f"vocabulary {vocabulary.VOCABULARY}," in PAGE


def test_the_lists_of_what_is_free_are_those_of_the_data():
    groups = group_data()
    assert listed("Files under `/etc` that may be read") == list(groups["harmless_system"].paths)
    free = [*groups["scratch"].paths, *groups["agent_work"].paths]
    assert listed("Places outside the project that may be written") == free


def test_every_role_of_an_mcp_argument_is_named_and_the_example_is_a_configuration():
    for role in mcp_data().all_roles:
        assert f"`{role}`" in PAGE, role
    example = yaml.safe_load(PAGE.split("```yaml\n", 1)[1].split("```", 1)[0])
    assert set(example["facts"]) <= {
        key.path.split(".")[1] for key in config_keys() if key.path.startswith("facts.")
    }
