"""Path patterns against a plain reference, and the groups of paths, globs and trees."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.vocabulary import FILE_GROUPS
from gateway.facts.groups import PathGroups, group_data
from gateway.facts.patterns import PatternIndex, expand_home, may_overlap, split

ALPHABET = "ab."
NAMES = st.text(ALPHABET, min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
PIECES = st.one_of(
    NAMES, st.text(ALPHABET + "*?", min_size=1, max_size=3).filter(lambda text: "**" not in text)
)
PATTERNS = st.lists(st.one_of(PIECES, st.just("**")), min_size=1, max_size=4).map(tuple)
GROUPS = PathGroups(group_data())


def matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """The reference: name by name, `**` for any number of names, at least one where it is the last."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        least = 1 if len(pattern) == 1 else 0
        return any(matches(pattern[1:], path[count:]) for count in range(least, len(path) + 1))
    if not path:
        return False
    name = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern[0])
    return bool(re.fullmatch(name, path[0])) and matches(pattern[1:], path[1:])


@given(st.lists(PATTERNS, min_size=1, max_size=6), PATHS)
def test_many_patterns_at_once_match_what_each_would(patterns, path):
    index = PatternIndex((pattern, str(pattern)) for pattern in patterns)
    expected = {str(pattern) for pattern in patterns if matches(pattern, path)}
    assert index.find("/" + "/".join(path)) == expected


@given(PATTERNS, PATTERNS, PATHS)
def test_patterns_that_share_a_path_overlap(left, right, path):
    if matches(left, path) and matches(right, path):
        assert may_overlap(left, right)
        assert PatternIndex([(right, "r")]).may_meet(left) == {"r"}


@given(st.lists(PATTERNS, min_size=1, max_size=6), PATTERNS)
def test_the_index_meets_what_each_pattern_meets(patterns, wanted):
    index = PatternIndex((pattern, str(pattern)) for pattern in patterns)
    assert index.may_meet(wanted) == {str(pattern) for pattern in patterns if may_overlap(wanted, pattern)}


class Exhausted:
    """A set whose memory did not suffice: it answers nothing at all."""

    def Match(self, _path):  # noqa: N802 - the library's name
        return None


def test_a_set_without_memory_is_no_miss():
    index = PatternIndex([(("**", ".env"), "secrets"), (("etc", "**"), "system")])
    index._set = Exhausted()
    assert index.find("/a/.env") == {"secrets"}
    assert index.find("/etc/x") == {"system"}
    assert index.find("/a/b") == frozenset()


def test_a_home_is_wherever_homes_are():
    assert ("root", ".x") in expand_home("~/.x")
    assert ("Users", "*", ".x") in expand_home("~/.x")
    assert expand_home("/etc/x") == [("etc", "x")]


@pytest.mark.parametrize("group", FILE_GROUPS)
def test_every_group_has_places(group):
    # The project's own directory has no pattern: it is computed.
    assert bool(group_data()[group].paths) == (group != "project_root")


def test_the_data_file_holds_the_groups_of_the_vocabulary_and_no_other():
    assert set(group_data()) == set(FILE_GROUPS)


EXAMPLES = {
    "/home/ada/project/.env": {"secrets"},
    "/home/ada/project/.env.production.local": {"secrets"},
    "/home/ada/project/config/prod.env": {"secrets"},
    "/home/ada/project/.env.local.example": set(),
    "/home/ada/project/src/environment.ts": set(),
    "/home/ada/project/.envrc": {"secrets"},
    "/home/ada/project/terraform.tfstate": {"secrets"},
    "/home/ada/.ssh/known_hosts": {"secrets"},
    "/home/ada/.ssh/id_rsa.pub": set(),
    "/root/.aws/credentials": {"secrets"},
    "/Users/ada/Library/Keychains/x": {"secrets"},
    "/mnt/c/Users/ada/.bash_history": {"secrets"},
    "/C:/Users/ada/.kube/config": {"secrets"},
    "/run/secrets/db": {"secrets"},
    "/proc/1/environ": {"secrets", "system"},
    "/proc/self/task/7/environ": {"secrets", "system"},
    "/proc/cpuinfo": {"system"},
    "/dev/nvme0n1": {"secrets", "system"},
    "/dev/null": {"scratch"},
    "/etc": {"system_config", "system", "harmless_system"},
    "/etc/hosts": {"system_config", "system", "harmless_system"},
    "/ETC/HOSTS": {"system_config", "system"},
    "/etc/ssl/certs/ca.pem": {"system_config", "system", "harmless_system"},
    "/etc/sudoers": {"secrets", "system_config", "system"},
    "/etc/cron.d/x": {"system_config", "system", "persistence"},
    "/usr/local/bin/x": {"system"},
    "/usr/src/app/index.js": set(),
    "/home/ada/project/.claude/settings.local.json": {"agent_config"},
    "/home/ada/project/.claude/agents/x.md": {"agent_config"},
    "/home/ada/project/.claude/worktrees/x/src/a.py": set(),
    "/home/ada/project/sub/.mcp.json": {"agent_config"},
    "/home/ada/.claude.json": {"agent_config"},
    "/home/ada/.claude/shell-snapshots/s.sh": {"agent_config"},
    "/home/ada/.claude/projects/-x/memory/MEMORY.md": {"agent_work"},
    "/home/ada/.claude/CLAUDE.md": {"agent_instructions"},
    "/home/ada/project/docs/AGENTS.md": {"agent_instructions"},
    "/home/ada/project/.git/config": {"vcs_hooks"},
    "/home/ada/project/.git/HEAD": set(),
    "/home/ada/project/.gitignore": set(),
    "/home/ada/project/.husky/pre-push": {"vcs_hooks", "project_hooks"},
    "/home/ada/.zshrc": {"shell_rc"},
    "/home/ada/project/.zshrc": set(),
    "/home/ada/.ssh/authorized_keys": {"secrets", "persistence"},
    "/home/ada/project/.github/workflows/x.yml": {"ci"},
    "/home/ada/project/Jenkinsfile.release": {"ci"},
    "/home/ada/project/uv.lock": {"lockfiles"},
    "/home/ada/.local/state/ostiary/audit/1": {"gateway_self"},
    "/var/folders/ab/cd/T/x": {"scratch"},
    "/tmp": {"scratch"},
    "/tmp/x": {"scratch"},
    "/home/ada/.cache/pip/x": {"scratch"},
}


@pytest.mark.parametrize("path", EXAMPLES)
def test_a_path_is_in_the_groups_one_expects(path):
    assert set(GROUPS.of(path, "path").groups) == EXAMPLES[path]


def test_a_tree_is_in_a_guarded_group_by_its_root_and_in_an_everyday_one_by_everything_below():
    assert "secrets" in GROUPS.of("/home/ada/.ssh", "tree").groups
    assert "secrets" in GROUPS.of("/home/ada/project", "tree").may
    assert GROUPS.of("/tmp/x", "tree").groups == ("scratch",)
    assert "scratch" in GROUPS.of("/home/ada", "tree").may
    assert "harmless_system" not in GROUPS.of("/etc", "tree").groups


def test_a_glob_is_certain_where_every_name_it_can_stand_for_is():
    assert GROUPS.of("/p/**/.env*", "glob").groups == ("secrets",)
    assert GROUPS.of("/etc/*", "glob").groups[:2] == ("system_config", "system")
    assert "secrets" in GROUPS.of("/p/*.json", "glob").may
    assert "secrets" not in GROUPS.of("/p/*.py", "glob").groups


PROTECTED = [
    path for path, groups in EXAMPLES.items() if groups & {"secrets", "agent_config", "vcs_hooks", "ci"}
]


@given(st.sampled_from(PROTECTED), st.data())
def test_a_pattern_that_stands_for_a_protected_path_says_so(path, data):
    names = list(split(path))
    for at in range(len(names)):
        choice = data.draw(st.sampled_from(["keep", "star", "question", "deep", "class"]))
        if choice == "star":
            cut = data.draw(st.integers(0, len(names[at])))
            names[at] = names[at][:cut] + "*"
        elif choice == "question":
            cut = data.draw(st.integers(0, len(names[at]) - 1))
            names[at] = names[at][:cut] + "?" + names[at][cut + 1 :]
        elif choice == "deep":
            names[at] = "**"
    pattern = "/" + "/".join(names)
    if not matches(split(pattern), split(path)):
        return
    member = GROUPS.of(pattern, "glob")
    assert set(GROUPS.of(path, "path").groups) <= {*member.groups, *member.may}


@given(st.sampled_from(PROTECTED), st.integers(0, 5))
def test_a_tree_around_a_protected_path_says_so(path, depth):
    names = split(path)[:depth]
    member = GROUPS.of("/" + "/".join(names), "tree")
    assert set(GROUPS.of(path, "path").groups) <= {*member.groups, *member.may}


def test_a_claimed_home_adds_protected_places_and_excuses_none():
    home = "/data/people/ada"
    assert GROUPS.of(f"{home}/.zshrc", "path").groups == ()
    assert GROUPS.under_home(f"{home}/.zshrc", "path", home).groups == ("shell_rc",)
    assert GROUPS.under_home(f"{home}/.cache/x", "path", home).groups == ()
    assert GROUPS.under_home("/data/people/bob/.zshrc", "path", home).groups == ()


def test_further_homes_of_the_operator_are_homes_in_every_way():
    groups = PathGroups(group_data(), homes=("/data/people/*",))
    assert groups.of("/data/people/ada/.zshrc", "path").groups == ("shell_rc",)
    assert groups.of("/data/people/ada/.cache/x", "path").groups == ("scratch",)
    assert groups.holds_home("/data/people/ada")
    assert groups.holds_home("/data")
    assert not groups.holds_home("/data/people/ada/project")


def test_the_gateways_own_places_are_its_own():
    groups = PathGroups(group_data(), ("/srv/Gateway",))
    for path in ["/srv/Gateway", "/srv/gateway/x", "/SRV/GATEWAY/x/y"]:
        assert "gateway_self" in groups.of(path, "path").groups
    assert groups.of("/srv/gateways", "path").groups == ()


def test_long_paths_and_patterns_end_in_time():
    deep = "/" + "/".join(itertools.repeat("a", 2000))
    assert GROUPS.of(deep, "path").groups == ()
    GROUPS.of("/" + "/".join(["**", "a"] * 500), "glob")
