"""Every key as data, and the configuration as a file: nothing undocumented, nothing that YAML turns into something else."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import Config
from gateway.configuration.keys import config_keys, find_key
from gateway.configuration.sources import Settings, convert, gather, load
from gateway.configuration.text import DEFAULT, commented_file, reference, values_in_force
from gateway.domain.principal import CredentialClass
from gateway.domain.vocabulary import ANSWERS, CAUSES, DECISIONS, MODES, ROLES
from tests.support.cli import golden, ostiary
from tests.support.processes import ROOT

HASH = f"sha256:{'ab' * 32}"


def plain_words() -> list[str]:
    """Every key, every word a value can be, every key of a mapping that is ours."""
    found: set[str] = {
        *CAUSES,
        *MODES,
        *DECISIONS,
        *ANSWERS,
        *ROLES,
        *msgspec.inspect.type_info(CredentialClass).values,
    }
    for key in config_keys():
        found |= set(key.path.replace("[]", "").replace("<name>", "x").split("."))
        found |= {word for word in key.words if not word.isdigit()}
        if isinstance(key.default, dict):
            found |= set(key.default)
    return sorted(found)


@pytest.mark.parametrize("word", plain_words())
def test_no_key_and_no_word_of_ours_is_a_yaml_boolean(word):
    assert yaml.load(word, Loader=yaml.CSafeLoader) == word
    assert word.lower() not in {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}


def test_every_key_says_what_it_does():
    assert [key.path for key in config_keys() if not key.text] == []


def test_a_key_is_found_by_the_path_it_is_set_with():
    assert find_key("modes[2].role").path == "modes[].role"
    assert find_key("packs.secrets.files").path == "packs"
    assert find_key("failure_policy.opaque").path == "failure_policy"
    assert find_key("server").section
    assert find_key("server.x") is None
    assert find_key("nothing") is None


def test_every_value_has_its_origin(tmp_path):
    file = tmp_path / "ostiary.yaml"
    file.write_text(
        "mode: enforce\nserver:\n  listen: 127.0.0.1:1\nmodes:\n- {mode: observe, role: a}\n- mode: observe\n  role: b\n"
        "packs:\n  baseline.x: false\n"
    )
    sources = gather(
        file,
        {"OSTIARY__SERVER": "{deadline_ms: 5}", "OSTIARY__PACKS__BASELINE.Y": "true"},
        ["audit.durability=disk"],
        {"backend": "local"},
    )
    origins = {value.path: value.origin for value in values_in_force(convert(sources), sources)}
    assert origins["mode"] == f"{file}:1"
    assert origins["server.listen"] == f"{file}:3"
    assert origins["server.deadline_ms"] == "the environment variable OSTIARY__SERVER"
    assert origins["server.admin_listen"] == DEFAULT
    assert origins["modes[0].role"] == f"{file}:5"
    assert origins["modes[1].role"] == f"{file}:7"
    assert origins["modes[1].agent"] == DEFAULT
    assert origins["packs.baseline.x"] == f"{file}:9"
    assert origins["packs.baseline.y"] == "the environment variable OSTIARY__PACKS__BASELINE.Y"
    assert origins["audit.durability"] == "--set audit.durability"
    assert origins["backend"] == "the command line"
    assert origins["failure_policy.opaque"] == DEFAULT


def test_what_is_secret_is_not_shown():
    sources = Settings()
    sources.set("identity.tokens", [{"hash": HASH, "user": "alice"}], "here")
    sources.set("cerbos.url", "http://user:password@127.0.0.1:1", "here")
    shown = str(values_in_force(convert(sources), sources))
    assert HASH not in shown
    assert "password" not in shown
    assert "sha256:abababab…" in shown


TEXT = st.text(max_size=12)
OWN = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(MODES),
        "modes": st.lists(
            st.fixed_dictionaries({"mode": st.sampled_from(MODES)}, optional={"role": TEXT, "event": TEXT}),
            max_size=3,
        ),
        "server": st.fixed_dictionaries(
            {},
            optional={
                "hosts": st.lists(TEXT, max_size=2),
                "drain_seconds": st.floats(0, 600),
                "listen": TEXT,
            },
        ),
        "data_dir": TEXT,
        "packs": st.dictionaries(
            st.from_regex(r"[a-z]{1,5}(\.[a-z_]{1,5})?", fullmatch=True), st.booleans(), max_size=3
        ),
        "identity": st.fixed_dictionaries(
            {},
            optional={
                "tokens": st.lists(
                    st.fixed_dictionaries(
                        {"hash": TEXT, "user": TEXT},
                        optional={
                            "roles": st.lists(TEXT, max_size=2),
                            "attr": st.dictionaries(TEXT, TEXT, max_size=2),
                        },
                    ),
                    max_size=2,
                ),
            },
        ),
        "failure_policy": st.dictionaries(
            st.sampled_from(CAUSES), st.sampled_from(["deny", "pass"]), max_size=3
        ),
        "messages": st.fixed_dictionaries({}, optional={"contact": TEXT}),
        "facts": st.fixed_dictionaries(
            {},
            optional={
                "mcp": st.dictionaries(
                    st.from_regex(r"[a-z]{1,5}", fullmatch=True),
                    st.fixed_dictionaries(
                        {},
                        optional={
                            "others": st.sampled_from(["", "text", "read"]),
                            "tools": st.just({"t": {"a": "read"}}),
                        },
                    ),
                    max_size=2,
                ),
                "groups": st.just({"secrets": ("/srv/**",), "site_a": ("**/a",)}),
                "commands": st.just({"mk.all": {"operands": "read", "options": {"-o": "write"}}}),
                "registries": st.just(("*.example.com",)),
            },
        ),
    },
)


@settings(max_examples=60, deadline=None)
@given(OWN)
def test_a_written_file_sets_exactly_what_is_in_force(tmp_path_factory, own):
    config = msgspec.convert(own, Config)
    config = msgspec.structs.replace(
        config, failure_policy={**Config().failure_policy, **own.get("failure_policy", {})}
    )
    file = tmp_path_factory.mktemp("config") / "ostiary.yaml"
    file.write_text(commented_file(config, "ostiary"))
    assert load(file, {}) == config


def test_a_written_file_says_what_every_key_does():
    text = " ".join(
        line.strip().removeprefix("# ") for line in commented_file(Config(), "ostiary").splitlines()
    )
    for key in config_keys():
        if not key.repeated:
            assert key.path.rpartition(".")[2] in text
            assert key.text.replace("\n", " ").removesuffix(".") in text


def test_init_writes_once_and_the_file_starts_a_gateway(tmp_path):
    file = tmp_path / "ostiary.yaml"
    first = ostiary("config", "init", file, "--set", "mode=enforce", home=tmp_path)
    assert first.returncode == 0
    assert f"serve --config {file}" in first.stderr
    assert load(file, {}).mode == "enforce"
    again = ostiary("config", "init", file, home=tmp_path)
    assert again.returncode == 2
    assert "exists" in again.stderr
    assert load(file, {}).mode == "enforce"


def test_init_without_a_file_prints_it(tmp_path):
    ended = ostiary("config", "init", home=tmp_path, environment={"OSTIARY__MODE": "enforce"})
    assert "\nmode: enforce\n" in ended.stdout


def test_show_and_explain_are_public_surfaces(tmp_path):
    given = {"OSTIARY__MODE": "enforce", "XDG_STATE_HOME": "/state"}
    shown = ostiary(
        "config", "show", "--json", "--set", "server.listen=127.0.0.1:1", home=tmp_path, environment=given
    )
    golden("config-show", msgspec.json.decode(shown.stdout))
    explained = ostiary("config", "explain", "server.listen", "--json", home=tmp_path, environment=given)
    golden("config-explain", msgspec.json.decode(explained.stdout))


def test_show_tells_where_each_value_comes_from(tmp_path):
    ended = ostiary("config", "show", "--changed", "--set", "mode=enforce", home=tmp_path)
    assert ended.stdout.split() == ["mode", "enforce", "--set", "mode"]
    below = ostiary("config", "show", "server", home=tmp_path)
    assert all(line.startswith("server.") for line in below.stdout.splitlines())


def test_a_key_that_does_not_exist_is_told(tmp_path):
    for arguments in (["config", "explain", "server.x"], ["config", "show", "nothing"]):
        ended = ostiary(*arguments, home=tmp_path)
        assert ended.returncode == 2
        assert "no key" in ended.stderr


def test_explain_says_every_way_to_set_a_key(tmp_path):
    ended = ostiary(
        "config", "explain", "server.deadline_ms", home=tmp_path, environment={"OSTIARY__MODE": "enforce"}
    )
    for part in (
        "1 to 600000",
        "default",
        "4000",
        "OSTIARY__SERVER__DEADLINE_MS",
        "--set server.deadline_ms",
    ):
        assert part in ended.stdout
    listed = ostiary("config", "explain", home=tmp_path)
    assert {line.split()[0] for line in listed.stdout.splitlines()} == {
        key.path for key in config_keys() if not key.section
    }


def test_the_working_directory_is_never_read(tmp_path):
    for name in ("ostiary.yaml", "ostiary.yml", ".ostiary.yaml", ".env"):
        Path(tmp_path / name).write_text("mode: enforce\nOSTIARY__MODE=enforce\n")
    ended = ostiary("config", "show", "mode", home=tmp_path, directory=tmp_path)
    assert ended.stdout.split() == ["mode", "observe"]


def test_the_reference_lists_every_key_as_it_is():
    page = Path(ROOT / "docs" / "configuration.md")
    head, mark, listed = page.read_text().partition("## Every key\n\n")
    assert mark
    if os.environ.get("OSTIARY_WRITE_GOLDEN"):
        page.write_text(head + mark + reference())
        listed = reference()
    assert listed == reference(), "OSTIARY_WRITE_GOLDEN=1 writes it again"
