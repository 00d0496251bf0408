"""Tampering with a journal: whatever is edited, cut, moved, added or swapped is found, with the place where it stands."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.chain import is_commit
from gateway.audit.verify import Report, verify
from tests.audit.journals import begin, record, write


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chains of a gate, two of a clerk, in several segments each, all closed."""
    audit_dir = tmp_path_factory.mktemp("original") / "audit"

    async def run() -> None:
        for worker, chains in (("gate", 3), ("clerk", 2)):
            for _ in range(chains):
                journal = begin(audit_dir, worker=worker, segment_bytes=1500)
                for turn in range(12):
                    await write(journal, *(record(number) for number in range(turn % 3 + 1)))
                journal.close()

    asyncio.run(run())
    return audit_dir


@pytest.fixture
def audit_dir(original: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "audit"
    shutil.copytree(original, copy)
    return copy


def chain(audit_dir: Path, number: int, worker: str = "gate") -> Path:
    return sorted(path for path in audit_dir.iterdir() if f".{worker}." in path.name)[number]


def segment(audit_dir: Path, number: int, at: int = 0) -> Path:
    return sorted(chain(audit_dir, number).glob("*.jsonl"))[at]


def rewrite(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def broken(report: Report, path: Path, line: int | None = None) -> bool:
    return any(
        finding.severity == "broken" and finding.file == str(path) and line in (None, finding.line)
        for finding in report.findings
    )


def test_an_untouched_journal_has_no_finding(audit_dir: Path) -> None:
    report = verify(audit_dir)
    assert report.intact
    assert not report.findings
    assert len(report.chains) == 5
    assert "Trusted: nothing but the files themselves" in report.trust


def first(lines: list[bytes], commit: bool) -> int:
    return next(at for at, line in enumerate(lines) if at and is_commit(line) is commit)


def test_an_edited_record_is_named_at_the_commit_that_covers_it(audit_dir: Path) -> None:
    path = segment(audit_dir, 0)
    lines = path.read_bytes().splitlines(keepends=True)
    at = first(lines, commit=False)
    commit = next(n for n in range(at, len(lines)) if is_commit(lines[n]))
    lines[at] = lines[at].replace(b'"call"', b'"Call"', 1)
    path.write_bytes(b"".join(lines))
    report = verify(audit_dir)
    found = [finding for finding in report.findings if finding.severity == "broken"]
    assert [(finding.file, finding.line) for finding in found] == [(str(path), commit + 1)]
    assert found[0].seq == 1


def test_a_damaged_commit_does_not_hide_what_comes_after_it(audit_dir: Path) -> None:
    early, late = segment(audit_dir, 1, 0), segment(audit_dir, 1, -1)
    rewrite(
        early, lambda lines: [line.replace(b'"commit":"', b'"commit":"0', 1)[:-1] + b"\n" for line in lines]
    )
    rewrite(late, lambda lines: [*lines[:1], *lines[2:]])
    report = verify(audit_dir)
    assert broken(report, early)
    assert broken(report, late)


def delete_record(audit_dir: Path) -> Path:
    path = segment(audit_dir, 1, 1)
    rewrite(path, lambda lines: lines[1:])
    return path


def delete_commit(audit_dir: Path) -> Path:
    path = segment(audit_dir, 1, 1)
    rewrite(path, lambda lines: [line for at, line in enumerate(lines) if at != first(lines, commit=True)])
    return path


def delete_group(audit_dir: Path) -> Path:
    path = segment(audit_dir, 1, 1)
    rewrite(path, lambda lines: lines[first(lines, commit=True) + 1 :])
    return path


def reorder_records(audit_dir: Path) -> Path:
    path = segment(audit_dir, 0)
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(n for n in range(1, len(lines) - 1) if not is_commit(lines[n]) and not is_commit(lines[n + 1]))
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    path.write_bytes(b"".join(lines))
    return path


def reorder_groups(audit_dir: Path) -> Path:
    path = segment(audit_dir, 0)

    def swap(lines: list[bytes]) -> list[bytes]:
        ends = [at for at, line in enumerate(lines) if is_commit(line)]
        one, two = lines[1 : ends[0] + 1], lines[ends[0] + 1 : ends[1] + 1]
        return [lines[0], *two, *one, *lines[ends[1] + 1 :]]

    rewrite(path, swap)
    return path


def insert_record(audit_dir: Path) -> Path:
    path = segment(audit_dir, 2, 1)
    rewrite(path, lambda lines: [lines[0], *lines])
    return path


def insert_another_chains_group(audit_dir: Path) -> Path:
    path = segment(audit_dir, 2)
    other = chain(audit_dir, 0, "clerk") / path.name
    path.write_bytes(
        path.read_bytes().splitlines(keepends=True)[0]
        + b"".join(other.read_bytes().splitlines(keepends=True)[1:])
    )
    return path


def cut_the_tail_of_a_followed_chain(audit_dir: Path) -> Path:
    path = segment(audit_dir, 0, -1)
    rewrite(path, lambda lines: lines[:-3])
    return segment(audit_dir, 1).parent


def append_after_the_close(audit_dir: Path) -> Path:
    path = segment(audit_dir, 2, -1)
    path.write_bytes(path.read_bytes() + segment(audit_dir, 2).read_bytes().splitlines(keepends=True)[1])
    return path


def remove_a_segment(audit_dir: Path) -> Path:
    segment(audit_dir, 1, 1).unlink()
    return segment(audit_dir, 1, 1)


def remove_the_first_segment(audit_dir: Path) -> Path:
    segment(audit_dir, 1, 0).unlink()
    return segment(audit_dir, 1, 0)


def swap_segments(audit_dir: Path) -> Path:
    one, two = segment(audit_dir, 0, 1), segment(audit_dir, 1, 1)
    first_bytes, second_bytes = one.read_bytes(), two.read_bytes()
    one.write_bytes(second_bytes)
    two.write_bytes(first_bytes)
    return one


def rename_a_segment(audit_dir: Path) -> Path:
    path = segment(audit_dir, 1, 1)
    path.rename(path.with_name(f"{int(path.stem) + 1:016d}.jsonl"))
    return segment(audit_dir, 1, 1)


def remove_a_chain(audit_dir: Path) -> Path:
    shutil.rmtree(chain(audit_dir, 1))
    return chain(audit_dir, 1)


def remove_the_first_chain(audit_dir: Path) -> Path:
    shutil.rmtree(chain(audit_dir, 0))
    return chain(audit_dir, 0)


def a_second_genesis(audit_dir: Path) -> Path:
    stranger = audit_dir.parent / "stranger"

    async def run() -> None:
        journal = begin(stranger)
        await write(journal, record())
        journal.close()

    asyncio.run(run())
    source = next(stranger.iterdir())
    shutil.copytree(source, audit_dir / source.name)
    return audit_dir / source.name


def a_chain_under_another_name(audit_dir: Path) -> Path:
    path = chain(audit_dir, 2)
    renamed = path.with_name(path.name[:-1] + "9")
    path.rename(renamed)
    return renamed


def a_file_that_does_not_belong(audit_dir: Path) -> Path:
    path = chain(audit_dir, 0) / "0000000000000001.jsonl.bak"
    path.write_bytes(b"")
    return path


def a_link_in_place_of_a_segment(audit_dir: Path) -> Path:
    path = segment(audit_dir, 0, 1)
    moved = audit_dir.parent / "moved.jsonl"
    path.rename(moved)
    path.symlink_to(moved)
    return path


def a_changed_header(audit_dir: Path) -> Path:
    path = segment(audit_dir, 0)
    path.write_bytes(path.read_bytes().replace(b'"ostiary":"0"', b'"ostiary":"1"', 1))
    return path


TAMPERS = [
    delete_record,
    delete_commit,
    delete_group,
    reorder_records,
    reorder_groups,
    insert_record,
    insert_another_chains_group,
    cut_the_tail_of_a_followed_chain,
    append_after_the_close,
    remove_a_segment,
    remove_the_first_segment,
    swap_segments,
    rename_a_segment,
    remove_a_chain,
    remove_the_first_chain,
    a_second_genesis,
    a_chain_under_another_name,
    a_file_that_does_not_belong,
    a_link_in_place_of_a_segment,
    a_changed_header,
]


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.__name__)
def test_tampering_is_found_where_it_stands(audit_dir: Path, tamper: Callable[[Path], Path]) -> None:
    place = tamper(audit_dir)
    report = verify(audit_dir)
    assert not report.intact
    assert any(
        finding.severity == "broken" and (finding.file == str(place) or finding.file.startswith(f"{place}/"))
        for finding in report.findings
    ), report.findings


def test_a_last_chain_without_its_close_line_is_pointed_out(audit_dir: Path) -> None:
    path = segment(audit_dir, 2, -1)
    rewrite(path, lambda lines: lines[:-1])
    report = verify(audit_dir)
    assert report.intact
    assert [finding.file for finding in report.findings] == [str(path.parent)]


def in_a_commits_time(content: bytes, at: int) -> bool:
    """Whether a byte belongs to the one part of a chain that no hash covers."""
    start = content.rfind(b"\n", 0, at) + 1
    line = content[start : content.find(b"\n", at)]
    time = line.find(b'"ts":')
    return is_commit(line) and time >= 0 and time + 5 <= at - start < time + 5 + 19


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_single_changed_byte_goes_unseen(
    original: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    files = sorted(original.glob("*/*.jsonl"))
    path = data.draw(st.sampled_from(files))
    content = bytearray(path.read_bytes())
    at = data.draw(
        st.integers(0, len(content) - 1).filter(lambda at: not in_a_commits_time(bytes(content), at))
    )
    content[at] = data.draw(st.integers(0, 255).filter(lambda value: value != content[at]))
    copy = tmp_path_factory.mktemp("changed") / "audit"
    shutil.copytree(original, copy)
    (copy / path.relative_to(original)).write_bytes(content)
    assert verify(copy).findings
