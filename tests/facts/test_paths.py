"""Spellings of paths: what a text may stand for, and the form in which protected places are compared."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.facts.paths import MAX_PATH, folded, is_under, lexically_normal, readings, without_drive

CWD = "/home/dev/project"
HOMES = ("/home/dev",)
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=8)
PATHS = st.lists(NAMES, min_size=1, max_size=6).map(lambda names: "/" + "/".join(names))


def places(text: str, cwd: str = CWD, homes: tuple[str, ...] = HOMES) -> list[str]:
    return [reading.path for reading in readings(text, cwd, homes)]


@given(st.text())
def test_every_reading_of_any_text_is_absolute_and_normal(text):
    for place in places(text):
        assert place.startswith("/")
        assert place == lexically_normal(place)


@given(PATHS)
def test_an_absolute_path_is_among_its_own_readings(path):
    assert unicodedata.normalize("NFC", lexically_normal(path)) in places(path) or path.startswith(
        ("/proc", "/private", "/System", "/Volumes", "/dev/fd")
    )


SPELLINGS = {
    "doubled slashes": lambda path: path.replace("/", "//"),
    "single dots": lambda path: path.replace("/", "/./"),
    "a detour": lambda path: "/x/.." + path,
    "a slash at the end": lambda path: path + "/",
    "a URI": lambda path: "file://" + path,
    "a URI with a host": lambda path: "FILE://localhost" + path,
    "encoded": lambda path: "".join(f"%{ord(character):02X}" for character in path),
    "encoded twice": lambda path: "".join(f"%25{ord(character):02x}" for character in path),
    "an encoded URI": lambda path: "file:///" + path[1:].replace("/", "%2f"),
    "the root of a process": lambda path: "/proc/self/root" + path,
    "the root of a thread": lambda path: "/proc/thread-self/task/1/root" + path,
    "the root of a process's root": lambda path: "/proc/1/root/proc/self/root" + path,
    "macOS's second root": lambda path: "/system/volumes/data" + path,
    "macOS's disk": lambda path: "/Volumes/Macintosh HD" + path,
    "blanks around": lambda path: f"\t {path}\n",
    "a mark for the order of bytes": lambda path: "\ufeff" + path,
    "backslashes": lambda path: path.replace("/", "\\"),
    "backslashes and dots": lambda path: CWD.replace("/", "\\") + "\\..\\..\\.." + path.replace("/", "\\"),
    "a text that ends": lambda path: path + "\0.txt",
    "a NUL within": lambda path: path[:3] + "\0" + path[3:],
    "climbing from the working directory": lambda path: "../../.." + path,
    "climbing further than there is": lambda path: "../" * 20 + path[1:],
    "climbing through links": lambda path: "/proc/self/cwd/../../.." + path,
    "climbing from a descriptor": lambda path: "/dev/fd/../root" + path,
    "full-width letters": lambda path: "".join(
        chr(ord(character) + 0xFEE0) if character != "/" else character for character in path
    ),
    "a share of the Linux disk": lambda path: r"\\wsl.localhost\Debian" + path.replace("/", "\\"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("path", ["/etc/shadow", "/home/ada/.ssh/id_rsa"])
def test_a_place_is_found_however_it_is_spelled(spelling, path):
    assert path in places(SPELLINGS[spelling](path))


@pytest.mark.parametrize(
    "text", ["~/.netrc", "$HOME/.netrc", "${HOME}/.netrc", "%USERPROFILE%/.netrc", "%HOME%/.netrc"]
)
def test_the_home_is_found_however_it_is_spelled(text):
    assert "/home/dev/.netrc" in places(text)


def test_without_a_known_home_the_place_is_in_some_home():
    assert places("~/.netrc", homes=()) == ["/home/~/.netrc"]


def test_every_home_the_client_may_have_counts():
    assert places("~/x", homes=("/data/a", "/home/b")) == ["/data/a/x", "/home/b/x", "/home/~/x"]


def test_plain_paths_have_one_reading():
    for text in ["/home/dev/project/src/a b.py", "src/[slug]/page.tsx", "/x/.env", "Makefile", "/"]:
        assert len(places(text)) == 1


def test_a_path_too_long_for_any_system_is_cut_and_said():
    reading = readings("/" + "x" * MAX_PATH, CWD, HOMES)[0]
    assert reading.oddities == ("too_long",)
    assert readings("/a/.." * 1000 + "/etc/shadow", CWD, HOMES)[0].path == "/etc/shadow"


def test_a_relative_path_without_a_working_directory_is_said():
    assert readings("x", "", ())[0].oddities == ("no_cwd",)
    assert readings("x", "not/absolute", ())[0].oddities == ("no_cwd",)
    assert readings(r"C:\x", "", ())[0].oddities == ()


@pytest.mark.parametrize(
    "name",
    [
        ".ENV",
        ".env.",
        ".env ",
        ".env::$DATA",
        ".e\u200bnv",
        ".e\u00adnv",
        "\uff0eenv",
        ".\u1d49nv",
        ".env\ufe0f",
        ".en\u2c7d",
    ],
)
def test_names_that_open_the_same_file_somewhere_are_compared_as_equal(name):
    assert folded(f"/x/{name}") == "/x/.env"


@given(st.text())
def test_folding_is_done_in_one_step(text):
    assert folded(folded(text)) == folded(text)


def test_a_directory_holds_itself_and_what_is_below_it():
    assert is_under("/a/b", "/a")
    assert is_under("/a", "/a")
    assert is_under("/a", "/")
    assert not is_under("/ab", "/a")
    assert not is_under("/a", "")
    assert is_under("/c:/USERS/x", "/C:/users")


def test_protected_places_are_the_same_on_every_drive():
    assert without_drive("/D:/Users/ada") == "/Users/ada"
    assert without_drive("/C:") == "/"
    assert without_drive("/home") == "/home"
