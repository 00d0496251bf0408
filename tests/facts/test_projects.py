"""Projects and homes: claims of the agent's own process say where it works and can never open a protected place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.events import Claims, HookEvent
from gateway.facts.analyser import CallAnalyser, FactsSettings, facts_data
from gateway.facts.project import ProjectRule, slug

DATA = facts_data()
ANALYSER = CallAnalyser(FactsSettings(), DATA)


def event(
    path: str = "/home/dev/project/x",
    *,
    cwd: str = "/home/dev/project",
    started_in: str = "/home/dev/project",
    transcript_home: str = "/home/dev",
    project: str = "",
    home: str = "",
    tool: str = "Write",
) -> HookEvent:
    return HookEvent(
        agent="claude-code",
        event="PreToolUse",
        tool=tool,
        tool_input={"file_path": path},
        cwd=cwd,
        transcript_path=f"{transcript_home}/.claude/projects/{slug(started_in)}/1.jsonl",
        claims=Claims(project_dir=project, home=home),
    )


def inside(given: HookEvent, analyser: CallAnalyser = ANALYSER) -> bool:
    return analyser.analyse(given).operations[0].attr["in_project"]


def test_a_subdirectory_as_working_directory_changes_nothing():
    assert inside(event("../x", cwd="/home/dev/project/sub"))
    assert inside(event("x", cwd="/home/dev/project/sub"))
    assert not inside(event("../../x", cwd="/home/dev/project/sub"))


def test_a_working_directory_outside_takes_nothing_along():
    assert not inside(event("x", cwd="/home/dev/other"))
    assert inside(event("/home/dev/project/x", cwd="/home/dev/other", project="/home/dev/project"))
    assert not inside(event("x", cwd="/"))


@pytest.mark.parametrize(
    "directory",
    [
        "/",
        "/home",
        "/home/dev",
        "/root",
        "/Users",
        "/Users/dev",
        "/export/home/dev",
        "/mnt/c/Users/dev",
        "/var",
        "/usr",
        "/usr/lib",
        "/etc",
        "/etc/app",
        "/bin",
        "/var/lib",
        "/proc",
        "/dev",
        "/Library",
        "/mnt/c",
    ],
)
@pytest.mark.parametrize("roots", [(), ("/",)])
def test_the_root_homes_system_directories_and_what_holds_them_are_no_projects(directory, roots):
    analyser = CallAnalyser(FactsSettings(project=ProjectRule(roots=roots)), DATA)
    started = event(f"{directory}/x", cwd=directory, started_in=directory, project=directory)
    found = analyser.analyse(started)
    assert (found.project, found.project_dir) == ("refused", "")
    assert "project_refused" in found.flags
    assert not inside(started, analyser)


def test_a_project_counts_only_under_the_operators_roots():
    analyser = CallAnalyser(FactsSettings(project=ProjectRule(roots=("/srv/work",))), DATA)
    assert inside(event("/srv/work/a/x", cwd="/srv/work/a", started_in="/srv/work/a"), analyser)
    assert not inside(event(), analyser)


def test_a_system_directory_may_hold_projects_where_the_operator_says_so():
    analyser = CallAnalyser(FactsSettings(project=ProjectRule(roots=("/usr/local/app",))), DATA)
    assert inside(
        event("/usr/local/app/a/x", cwd="/usr/local/app/a", started_in="/usr/local/app/a"), analyser
    )


def test_where_no_project_is_found_the_operators_default_counts():
    analyser = CallAnalyser(FactsSettings(project=ProjectRule(default="/srv/work/")), DATA)
    found = analyser.analyse(event("/srv/work/x", cwd="/tmp", started_in="/somewhere"))
    assert (found.project, found.project_dir) == ("default", "/srv/work")


def test_further_directories_count_as_the_project_does():
    analyser = CallAnalyser(FactsSettings(extra=("/srv/assets/",)), DATA)
    assert inside(event("/srv/assets/x"), analyser)
    assert not inside(event("/srv/assets2/x"), analyser)


def test_a_session_in_a_worktree_and_one_that_entered_it_work_there():
    worktree = "/home/dev/project/.claude/worktrees/fix"
    assert inside(event(f"{worktree}/x", cwd=worktree))
    assert inside(event(f"{worktree}/x", cwd=worktree, started_in=worktree))
    assert inside(
        event("/home/dev/project/x", cwd=worktree, project="/home/dev/project", started_in=worktree)
    )


def test_two_users_of_one_gateway_have_their_own_homes_and_projects():
    for user in ("ada", "bob"):
        project = f"/home/{user}/app"
        given = event(
            "~/.zshrc", cwd=project, started_in=project, transcript_home=f"/home/{user}", project=project
        )
        found = ANALYSER.analyse(given)
        assert found.project_dir == project
        assert found.operations[0].id == f"/home/{user}/.zshrc"
        assert not inside(
            event("/home/ada/app/x" if user == "bob" else "/home/bob/app/x", cwd=project, started_in=project)
        )


def test_a_temporary_project_on_macos_has_two_names():
    assert inside(event("/tmp/app/x", cwd="/private/tmp/app", started_in="/private/tmp/app"))
    assert inside(
        event("/private/tmp/app/x", cwd="/tmp/app", started_in="/private/tmp/app", project="/tmp/app")
    )
    assert not inside(event("/home/x/y", cwd="/home/x", started_in="/private/home/x", project="/home/x"))


def test_a_claim_counts_only_with_the_transcripts_folder():
    assert ANALYSER.analyse(event(project="/home/dev")).flags == ("project_claim_refused",)
    assert not inside(event("/home/dev/y", project="/home/dev"))
    assert inside(event(project="/home/dev/project"))


@pytest.mark.parametrize("home", ["", "/nowhere", "/", "~", "relative", "/home/dev/project/sub", "/etc"])
@pytest.mark.parametrize(
    "path", ["/home/dev/.zshrc", "/root/.bashrc", "~/.profile", "/home/dev/.local/bin/x"]
)
def test_a_forged_home_makes_no_protected_place_free(home, path):
    groups = set(ANALYSER.analyse(event(path, home=home)).groups)
    assert groups & {"shell_rc", "persistence"}


@pytest.mark.parametrize("name", ["project_dir", "home", "shell", "os"])
@given(value=st.text(max_size=40))
def test_no_forged_claim_opens_a_secret_or_the_outside(name, value):
    claims = Claims(**{name: value})
    for path, tool in [("/home/dev/.ssh/id_rsa", "Read"), ("/home/dev/other/x", "Write")]:
        given_event = HookEvent(
            agent="claude-code",
            event="PreToolUse",
            tool=tool,
            tool_input={"file_path": path},
            cwd="/home/dev/project",
            transcript_path="/home/dev/.claude/projects/-home-dev-project/1.jsonl",
            claims=claims,
        )
        attr = ANALYSER.analyse(given_event).operations[0].attr
        assert "secrets" in attr["groups"] or attr["in_project"] is False


def test_a_slug_is_what_the_client_makes_of_a_directory():
    assert slug("/home/dev/my_app.v2") == "-home-dev-my-app-v2"
    assert slug("/home/dev/\U0001f600x") == "-home-dev---x"
    assert slug("/home/dev/\u00fc") == "-home-dev--"
    assert slug("/C:/Users/dev") == "C--Users-dev"


def test_a_long_slug_is_cut_and_ends_in_a_digest():
    deep = "/home/dev/" + "/".join(["directory"] * 30)
    name = slug(deep)
    assert name.startswith("-home-dev-directory-directory")
    assert name[200] == "-"
    assert name[201:].isalnum()
    found = ANALYSER.analyse(event(f"{deep}/x", cwd=f"{deep}/sub", started_in=deep))
    assert (found.project, found.project_dir) == ("transcript", deep)


def test_the_digest_of_a_long_slug_is_the_string_hash_of_java():
    # "a" * 201: computed by hand as the sum of 97 * 31**k modulo 2**32, as a signed number, its absolute value.
    number = sum(97 * 31**power for power in range(201)) % 2**32
    number = number if number < 2**31 else 2**32 - number
    assert int(slug("a" * 201)[201:], 36) == number
