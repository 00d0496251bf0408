"""Sentences become policies that compile, whose test passes on both engines, and that leave what is there as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.principal import Principal
from gateway.policy.authoring.merge import MergeError, with_rule
from gateway.policy.authoring.plan import ExistsError, plan_rule
from gateway.policy.authoring.sentence import FORMS, SentenceError
from gateway.policy.directory import SourceFile, read_roots
from gateway.policy.engine import Engine, compile_policies
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.packs import shipped_packs
from tests.policy_tools.commands import cerbos_compile, ostiary, with_packs

SENTENCES = (
    *FORMS,
    "no agent reads secrets",
    "nobody touches files outside the project",
    "agents must not delete ~/.config/app",
    "agents never run rm or dd",
    "no agent of product writes ci files",
    "no agent force-pushes to protected branches",
    "no agent installs left-pad",
    "agents never call shell/*",
    "no analyst starts subagents",
    "no agent reads environment variables",
    "ask before sending to any host",
    "ask engineers before installing packages because the lock file is shared",
    "no agent contacts the metadata service",
    "no agent reads '/data/two words/x.csv'",
)


def planned(sentence: str, own: tuple[SourceFile, ...] = (), scope: str = "site") -> dict[str, str]:
    kinds = frozenset({"file", "host"})
    return dict(plan_rule(sentence, scope=scope, own=own, root="own", shipped_kinds=kinds).files)


def engine_of(sentence: str) -> Engine:
    own = [SourceFile(f"own/{name}", text.encode()) for name, text in planned(sentence).items()]
    return compile_policies([*read_roots([shipped_packs()]), *own], EngineSettings())


def decided(
    engine: Engine, kind: str, action: str, attr: dict[str, object], roles: tuple[str, ...] = ("engineer",)
) -> str:
    defaults = {"rules_off": [], "groups": [], "groups_may": [], "shape": "path", "in_project": True}
    if kind == "host":
        defaults |= {
            "sources": [],
            "source_groups": [],
            "source_groups_may": [],
            "sources_outside": False,
            "runs": False,
        }
    resource = Resource(kind, "x", {**defaults, **attr}, scope="site")
    request = CheckRequest(principal=Principal(id="x", roles=roles), checks=(Check(resource, (action,)),))
    return engine.check(request, 0).results[0].actions[action].effect.removeprefix("EFFECT_")


@pytest.mark.pdp
def test_every_form_is_written_compiles_and_passes_on_both_engines(tmp_path: Path) -> None:
    """One layer a sentence: what one rule denies, the next could no longer ask about."""
    own = tmp_path / "own"
    for number, sentence in enumerate(SENTENCES):
        done = ostiary("policy", "new", sentence, "--dir", own, "--scope", f"site.team{number}")
        assert done.returncode == 0, f"{sentence}: {done.stderr}"
        assert "its test passes" in done.stdout
    assert ostiary("policy", "lint", own).returncode == 0
    cerbos = cerbos_compile(with_packs(own, tmp_path / "all"))
    assert cerbos.returncode == 0, cerbos.stdout + cerbos.stderr


@pytest.mark.parametrize(
    ("path", "shape", "effect"),
    [
        ("/data/customers", "path", "DENY"),
        ("/data/customers/a/b.csv", "path", "DENY"),
        ("/data/customers.bak", "path", "ALLOW"),
        ("/data/customersx/y", "path", "ALLOW"),
        ("/data", "path", "ALLOW"),
        ("/data", "tree", "DENY"),
        ("/", "tree", "DENY"),
        ("/dat", "tree", "ALLOW"),
        ("/data/*/a.csv", "glob", "DENY"),
        ("/data/customers/*.csv", "glob", "DENY"),
        ("/other/*.csv", "glob", "ALLOW"),
    ],
)
def test_a_directory_is_closed_with_everything_in_it_and_to_searches_above_it(
    path: str, shape: str, effect: str
) -> None:
    engine = engine_of("no agent reads /data/customers")
    assert decided(engine, "file", "read", {"path": path, "shape": shape}) == effect


@pytest.mark.parametrize(
    ("glob", "path", "effect"),
    [
        ("*.sql", "/p/a/b.sql", "DENY"),
        ("*.sql", "/p/a.sql.txt", "ALLOW"),
        ("infra/**", "/p/infra/a/b.tf", "DENY"),
        ("infra/**", "/p/infrared/a", "ALLOW"),
        ("src/*/secret.py", "/p/src/a/secret.py", "DENY"),
        ("src/*/secret.py", "/p/src/a/b/secret.py", "ALLOW"),
        ("/etc/app/**/x.conf", "/etc/app/a/b/x.conf", "DENY"),
        ("/etc/app/**/x.conf", "/etc/app/x.conf", "DENY"),
        ("~/.aws", "/home/max/.aws/credentials", "DENY"),
        ("~/.aws", "/home/max/x/.aws/credentials", "ALLOW"),
        ("a+b.txt", "/p/a+b.txt", "DENY"),
        ("a+b.txt", "/p/aab.txt", "ALLOW"),
    ],
)
def test_globs_mean_what_they_mean_in_a_shell(glob: str, path: str, effect: str) -> None:
    assert decided(engine_of(f"no agent reads {glob}"), "file", "read", {"path": path}) == effect


def test_a_rule_for_others_holds_whatever_further_roles_somebody_has() -> None:
    engine = engine_of("only engineers write to /srv/app")
    attr = {"path": "/srv/app/x", "in_project": True}
    assert decided(engine, "file", "write", attr, ("engineer", "contractor")) == "ALLOW"
    assert decided(engine, "file", "write", attr, ("contractor",)) == "DENY"


def test_everything_but_some_hosts(tmp_path: Path) -> None:
    engine = engine_of("agents never contact hosts other than github.com or docs.python.org")
    hosts = {
        "github.com": "ALLOW",
        "api.github.com": "ALLOW",
        "evilgithub.com": "DENY",
        "github.com.evil.org": "DENY",
    }
    for host, effect in hosts.items():
        assert decided(engine, "host", "connect", {"host": host}) == effect, host


def test_the_reason_is_said_to_whoever_is_stopped() -> None:
    text = planned("no agent reads /x because it's regulated")["site/file.yaml"]
    rule = yaml.safe_load(text)["resourcePolicy"]["rules"][0]
    assert rule["output"]["when"]["ruleActivated"] == '"It\'s regulated; tell the user what you need it for"'


def test_a_team_gets_empty_policies_in_the_layers_above_it(tmp_path: Path) -> None:
    done = ostiary("policy", "new", "no agent reads /x", "--dir", tmp_path, "--scope", "site.payments")
    assert done.returncode == 0, done.stderr
    above = yaml.safe_load((tmp_path / "site" / "file.yaml").read_text())["resourcePolicy"]
    assert "rules" not in above
    assert ostiary("policy", "test", tmp_path).returncode == 0
    again = ostiary("policy", "new", "no agent reads /y", "--dir", tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "site" / "file.yaml").read_text().startswith("# Empty:")


def test_a_rule_is_added_to_a_file_whose_text_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "# ours\napiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: file   # everything\n  version: default\n"
        "  scope: site\n  rules:\n  # the first\n  - actions: [read]\n    effect: EFFECT_ALLOW\n    roles: ['*']\n"
        "    # its end\n\n# below\n"
    )
    before = mine.read_text()
    done = ostiary("policy", "new", "no agent reads /x", "--dir", tmp_path)
    assert done.returncode == 0, done.stderr
    head, tail = before.split("\n\n# below")
    after = mine.read_text()
    assert after.startswith(f"{head}\n\n  # no agent reads /x\n  - name: site.no_read_x\n")
    assert after.endswith(f"\n\n# below{tail}")
    rules = yaml.safe_load(mine.read_text())["resourcePolicy"]["rules"]
    assert [rule.get("name") for rule in rules] == [None, "site.no_read_x"]
    assert list(tmp_path.rglob("*.yaml")) != [mine]


@pytest.mark.parametrize(
    "text",
    [
        "resourcePolicy: {resource: file, version: default, scope: site, rules: [{actions: [a], effect: EFFECT_DENY, roles: [b]}]}",
        "resourcePolicy:\n  resource: file\n  scope: other\n  rules: []",
        "principalPolicy:\n  principal: x",
    ],
)
def test_a_form_that_cannot_be_added_to_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(MergeError) as refused:
        with_rule(text, ["- name: site.x"], kind="file", scope="site", file="f.yaml")
    assert "- name: site.x" in refused.value.remedy


@pytest.mark.parametrize("rules", ["", "  rules: []\n", "  rules: []  # none yet\n"])
def test_an_empty_policy_gets_its_first_rule(rules: str) -> None:
    text = f"apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: file\n  version: default\n  scope: site\n{rules}"
    done = with_rule(text, ["- name: site.x", "  actions: [read]"], kind="file", scope="site", file="f.yaml")
    assert yaml.safe_load(done)["resourcePolicy"]["rules"] == [{"name": "site.x", "actions": ["read"]}]


def test_the_same_sentence_twice_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    assert ostiary("policy", "new", "no agent reads /x", "--dir", tmp_path).returncode == 0
    texts = {file: file.read_text() for file in tmp_path.rglob("*.yaml")}
    again = ostiary("policy", "new", "no agent reads /x", "--dir", tmp_path)
    assert again.returncode == 2
    assert "already" in again.stderr
    assert {file: file.read_text() for file in tmp_path.rglob("*.yaml")} == texts
    own = tuple(read_roots([tmp_path]))
    with pytest.raises(ExistsError):
        plan_rule(
            "no agent reads /x", scope="site", own=own, root=str(tmp_path), shipped_kinds=frozenset({"file"})
        )


def test_a_question_about_what_is_denied_anyway_is_refused(tmp_path: Path) -> None:
    assert ostiary("policy", "new", "no agent contacts any host", "--dir", tmp_path).returncode == 0
    done = ostiary("policy", "new", "ask before contacting foo.example", "--dir", tmp_path)
    assert done.returncode == 2
    assert "denied by another rule" in done.stderr


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "hello",
        "please no agent reads /x",
        "no agent frobnicates /x",
        "no agent reads",
        "no agent reads something vague",
        "ask",
        "no agent contacts not a host",
        "only engineers",
        "no agent reads /x\n- injected: yes",
        "allow everything",
        "agents may read /x",
    ],
)
def test_what_is_no_known_form_is_refused_with_the_forms(sentence: str) -> None:
    if "\n" in sentence:
        # A line break is a space: nothing of the sentence becomes structure of the file.
        text = planned("no agent reads '/x - injected: yes'")["site/file.yaml"]
        assert len(yaml.safe_load(text)["resourcePolicy"]["rules"]) == 1
        return
    with pytest.raises(SentenceError) as refused:
        planned(sentence)
    assert FORMS[0] in refused.value.remedy


_OBJECTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40
)


@settings(max_examples=150, deadline=None)
@given(
    lead=st.sampled_from(
        [
            "no agent reads",
            "ask before writing to",
            "only engineers run",
            "no agent contacts",
            "no agent calls",
        ]
    ),
    name=_OBJECTS,
)
def test_whatever_is_named_the_sentence_is_refused_or_the_files_load(lead: str, name: str) -> None:
    """Quotes, colons, braces, percent signs and letters of every script end as text of the rule, never as its structure."""
    try:
        plan = plan_rule(f"{lead} {name}", scope="site", own=(), root="own", shipped_kinds=frozenset())
    except SentenceError:
        return
    files = plan.files
    sources = [SourceFile(f"own/{file}", text.encode()) for file, text in files.items()]
    engine = compile_policies(sources, EngineSettings())
    own = [rule for rule in engine.rules() if rule.file.startswith("own/site/")]
    assert len(own) == 1
    assert own[0].name.startswith("site.")


def test_the_shipped_packs_are_not_written_into() -> None:
    done = ostiary("policy", "new", "no agent reads /x", "--dir", shipped_packs())
    assert done.returncode == 2
    assert "directory of your own" in done.stderr


def test_a_dry_run_prints_the_files_and_writes_none(tmp_path: Path) -> None:
    done = ostiary("policy", "new", "no agent reads /x", "--dir", tmp_path / "own", "--dry-run")
    assert done.returncode == 0
    assert "site.no_read_x" in done.stdout
    assert not (tmp_path / "own").exists()
