"""Policies from archives and several roots; archives made to hurt are refused whole."""

from __future__ import annotations

import gzip
import io
import shutil
import stat
import struct
import tarfile
import tracemalloc
import zipfile

import pytest

from gateway.policy import archive
from gateway.policy.directory import read_roots
from gateway.policy.problems import PolicyProblem, Problem
from tests.policy.writing import resource_policy, rule

POLICY = resource_policy("doc", rule("view")).encode()
FILES = {
    "doc.yaml": POLICY,
    "sub/other.yml": POLICY,
    "sub/Third.JSON": b"{}",
    "_schemas/a/b.json": b"{}",
    "doc_test.yaml": b"name: not a policy",
    "testdata/principals.yaml": b"nor this",
    "sub/testdata/x.yaml": b"nor this",
    ".hidden.yaml": b"nor this",
    ".git/x.yaml": b"nor this",
    "notes.txt": b"nor this",
}
FOUND = [("_schemas/a/b.json", "a/b.json"), ("doc.yaml", ""), ("sub/Third.JSON", ""), ("sub/other.yml", "")]


def lay_out(directory):
    """The files in a directory."""
    for name, data in FILES.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return directory


def zipped(path, entries):
    """A zip archive of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries:
            made.writestr(name, data)
    return path


def tarred(path, entries, mode="w:gz"):
    """A tar archive of (name or TarInfo, bytes)."""
    with tarfile.open(path, mode) as made:
        for name, data in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data) if info.isreg() else 0
            made.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("form", ["directory", "zip", "tar", "gztar"])
def test_a_directory_and_its_archives_hold_the_same_policies(tmp_path, form):
    directory = lay_out(tmp_path / "d")
    root = directory if form == "directory" else shutil.make_archive(str(tmp_path / "a"), form, directory)
    files = read_roots([type(tmp_path)(root)])
    assert [(file.name.removeprefix(f"{root}/"), file.schema) for file in files] == FOUND


def test_several_roots_and_single_files_are_one_set(tmp_path):
    (tmp_path / "one.yaml").write_bytes(POLICY)
    archived = zipped(tmp_path / "two.zip", [("two.yaml", POLICY)])
    names = [file.name for file in read_roots([tmp_path / "one.yaml", archived])]
    assert names == [str(tmp_path / "one.yaml"), f"{archived}/two.yaml"]


def test_a_root_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PolicyProblem, match="no such directory or archive"):
        read_roots([tmp_path / "nope"])


def test_schemas_below_the_top_are_refused_since_no_reference_names_them(tmp_path):
    (tmp_path / "sub" / "_schemas").mkdir(parents=True)
    (tmp_path / "sub" / "_schemas" / "x.json").write_text("{}")
    with pytest.raises(PolicyProblem, match="directly"):
        read_roots([tmp_path])


def test_a_config_map_mount_is_read_through_its_links_and_once(tmp_path):
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "doc.yaml").write_bytes(POLICY)
    (tmp_path / "doc.yaml").symlink_to(tmp_path / "..data" / "doc.yaml")
    assert [file.name for file in read_roots([tmp_path])] == [str(tmp_path / "doc.yaml")]


def _zip_entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def _tar_entry(name, kind, target="doc.yaml"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


HOSTILE_ZIPS = {
    "absolute": [("/etc/x.yaml", POLICY)],
    "parent": [("../x.yaml", POLICY)],
    "parent inside": [("a/../../x.yaml", POLICY)],
    "backslash": [("..\\x.yaml", POLICY)],
    "link": [(_zip_entry("x.yaml", stat.S_IFLNK | 0o777), b"/etc/passwd")],
    "device": [(_zip_entry("x.yaml", stat.S_IFCHR | 0o666), b"")],
    "twice": [("x.yaml", POLICY), ("x.yaml", b"other")],
    "case": [("x.yaml", POLICY), ("X.yaml", b"other")],
    "bomb": [("x.yaml", b"\0" * (archive.MAX_BYTES + 1))],
    "long name": [("x" * 5000 + ".yaml", POLICY)],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", HOSTILE_ZIPS)
def test_a_hostile_zip_is_refused_whole(tmp_path, name):
    made = zipped(tmp_path / "a.zip", [("good.yaml", POLICY), *HOSTILE_ZIPS[name]])
    with pytest.raises(PolicyProblem) as caught:
        read_roots([made])
    assert caught.value.problem is Problem.ARCHIVE
    assert caught.value.file.startswith(str(made))


HOSTILE_TARS = {
    "absolute": [("/etc/x.yaml", POLICY)],
    "parent": [("../x.yaml", POLICY)],
    "symbolic link": [(_tar_entry("x.yaml", tarfile.SYMTYPE, "/etc/passwd"), b"")],
    "hard link": [(_tar_entry("x.yaml", tarfile.LNKTYPE), b"")],
    "device": [(_tar_entry("x.yaml", tarfile.CHRTYPE), b"")],
    "pipe": [(_tar_entry("x.yaml", tarfile.FIFOTYPE), b"")],
    "twice": [("x.yaml", POLICY), ("./x.yaml", b"other")],
    "case": [("x.yaml", POLICY), ("X.YAML", b"other")],
    "bomb": [("x.yaml", b"\0" * (archive.MAX_BYTES + 1))],
}


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("name", HOSTILE_TARS)
def test_a_hostile_tar_is_refused_whole(tmp_path, name, mode):
    made = tarred(tmp_path / "a.tar", [("good.yaml", POLICY), *HOSTILE_TARS[name]], mode)
    with pytest.raises(PolicyProblem) as caught:
        read_roots([made])
    assert caught.value.problem is Problem.ARCHIVE


def test_a_tar_that_unpacks_to_gigabytes_is_left_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 3 * 1024 * 1024)
    made = tarred(tmp_path / "a.tgz", [(f"ignored{n}.bin", b"\0" * 1024 * 1024) for n in range(20)])
    with pytest.raises(PolicyProblem, match="unpacks to more"):
        read_roots([made])


def test_a_tar_of_very_many_entries_is_left_at_the_limit(tmp_path):
    blocks = b"".join(tarfile.TarInfo(f"d{n}.txt").tobuf() for n in range(archive.MAX_ENTRIES + 10))
    path = tmp_path / "a.tgz"
    path.write_bytes(gzip.compress(blocks, compresslevel=1))
    with pytest.raises(PolicyProblem, match="entries") as caught:
        read_roots([path])
    assert caught.value.problem is Problem.ARCHIVE


@pytest.mark.parametrize("ending", [".zip", ".tgz"])
def test_a_thousandfold_expansion_is_refused_before_it_is_held(tmp_path, ending):
    bomb = b"\0" * (64 * 1024 * 1024)
    path = tmp_path / f"a{ending}"
    (zipped if ending == ".zip" else tarred)(path, [("x.yaml", bomb)])
    assert path.stat().st_size < len(bomb) // 900
    del bomb
    tracemalloc.start()
    try:
        with pytest.raises(PolicyProblem, match="more than"):
            read_roots([path])
        assert tracemalloc.get_traced_memory()[1] < 4 * archive.MAX_BYTES
    finally:
        tracemalloc.stop()


def test_a_zip_whose_directory_is_huge_is_refused_unread(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 60_000, 60_000, 3_000_000, 0, 0))
    with pytest.raises(PolicyProblem, match="entries"):
        read_roots([path])


@pytest.mark.parametrize("data", [b"PK\x03\x04 nonsense", b"\x1f\x8b\x08 nonsense", b"x" * 1000])
@pytest.mark.parametrize("name", ["a.zip", "a.tgz", "a.tar"])
def test_a_damaged_archive_is_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PolicyProblem):
        read_roots([tmp_path / name])


def test_an_encrypted_zip_is_refused(tmp_path):
    made = zipped(tmp_path / "a.zip", [("x.yaml", POLICY)])
    data = bytearray(made.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    made.write_bytes(data)
    with pytest.raises(PolicyProblem, match="encrypted"):
        read_roots([made])
