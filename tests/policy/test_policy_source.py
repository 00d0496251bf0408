"""Policies of a running process: replaced whole or not at all, compiled and freed in slices, watched."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref

import pytest

from gateway.domain.check import Check, CheckRequest, Resource
from gateway.domain.principal import Principal
from gateway.errors import PolicyError
from gateway.policy.directory import SourceFile
from gateway.policy.engine import compile_policies, compile_steps
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.source import PolicySource
from gateway.processes.file_watch import FileWatch
from gateway.processes.slices import SLICE_NS, in_slices, let_go

LOOK = 0.02


def policy(effect="EFFECT_ALLOW", kind="doc", rules=1):
    listed = "".join(
        f"    - {{name: r{number}, actions: ['*'], effect: {effect}, roles: ['*'], condition: {{match: {{expr: R.id == 'x'}}}}}}\n"
        for number in range(rules)
    )
    return f"apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: {kind}\n  version: default\n  rules:\n{listed}"


def effect(engine):
    check = Check(Resource("doc", "x"), ("view",))
    answer = engine.check(CheckRequest(principal=Principal(id="ada", roles=("user",)), checks=(check,)), 0)
    return answer.results[0].actions["view"].effect


class Counter:
    """A stopwatch that a step moves."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now


@pytest.fixture
def site(tmp_path):
    (tmp_path / "doc.yaml").write_text(policy())
    return tmp_path


def source(site):
    return PolicySource([site], EngineSettings(), Counter())


def test_a_reload_replaces_the_engine(site):
    made = source(site)
    before = made.engine
    (site / "doc.yaml").write_text(policy("EFFECT_DENY"))
    revision = asyncio.run(made.reload())
    assert (effect(before), effect(made.engine)) == ("EFFECT_ALLOW", "EFFECT_DENY")
    assert revision == made.engine.revision != before.revision


def test_a_wrong_set_leaves_the_last_good_one(site):
    made = source(site)
    before = made.engine
    (site / "more.yaml").write_text(policy("EFFECT_SOMETIMES", "more"))
    with pytest.raises(PolicyError, match=r"more\.yaml:6:"):
        asyncio.run(made.reload())
    assert made.engine is before


def test_reloads_at_once_end_with_the_last_state_of_the_files(site):
    made = source(site)

    async def twice():
        first = asyncio.create_task(made.reload())
        await asyncio.sleep(0)
        (site / "doc.yaml").write_text(policy("EFFECT_DENY"))
        await asyncio.gather(first, made.reload())

    asyncio.run(twice())
    assert effect(made.engine) == "EFFECT_DENY"


def test_compiling_in_steps_comes_to_the_same_and_no_step_is_long():
    files = [
        SourceFile(f"{number}.yaml", policy(kind=f"k{number}", rules=20).encode()) for number in range(30)
    ]
    steps, count = compile_steps(files, EngineSettings()), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            engine = end.value
            break
        count += 1
    assert engine.revision == compile_policies(files, EngineSettings()).revision
    # A step for every rule at least: a file of a thousand rules is no longer wait than a file of one.
    assert count > 30 * 20


def test_work_in_slices_lets_others_run_between():
    clock, ran = Counter(), []

    def work():
        for number in range(6):
            clock.now += SLICE_NS // 2
            ran.append(number)
            yield
        return "done"

    async def other():
        while len(ran) < 9:
            if ran and ran[-1] != "other":
                ran.append("other")
            await asyncio.sleep(0)

    async def both():
        beside = asyncio.create_task(other())
        result = await in_slices(work(), clock)
        await beside
        return result

    assert asyncio.run(both()) == "done"
    assert ran == [0, 1, "other", 2, 3, "other", 4, 5, "other"]


def test_work_in_slices_raises_and_gives_the_collector_back():
    def work():
        yield
        raise PolicyError("no", number=1, remedy="yes")

    with pytest.raises(PolicyError):
        asyncio.run(in_slices(work(), Counter()))
    assert gc.isenabled()


class Part:
    """Something that can be watched being freed."""


def test_what_nobody_holds_is_freed_one_by_one_and_the_rest_stays():
    parts, kept = [Part() for _ in range(5)], Part()
    gone = [weakref.ref(part) for part in parts]
    parts.append(kept)
    asyncio.run(let_go(parts, Counter()))
    assert [ref() for ref in gone] == [None] * 5
    assert kept is not None


def test_an_engine_that_somebody_still_holds_stays_whole(site):
    made = source(site)
    asyncio.run(let_go(made.engine.parts(), Counter()))
    assert effect(made.engine) == "EFFECT_ALLOW"


async def _watched(watch, change, *, looks=6):
    """How often a change was told."""
    told = []

    async def changed():
        told.append(1)

    task = asyncio.create_task(watch.run(changed, LOOK))
    await asyncio.sleep(LOOK * 2)
    await change()
    await asyncio.sleep(LOOK * looks)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return len(told)


@pytest.mark.parametrize("how", ["write", "add", "remove", "rename"])
def test_a_change_of_the_files_is_told_once(site, how):
    (site / "deep").mkdir()
    (site / "deep" / "other.yaml").write_text("")
    watch = FileWatch([site])

    async def change():
        if how == "write":
            (site / "deep" / "other.yaml").write_text("longer")
        elif how == "add":
            (site / "new.yaml").write_text("")
        elif how == "remove":
            (site / "deep" / "other.yaml").unlink()
        else:
            (site / "deep" / "other.yaml").rename(site / "deep" / "another.yaml")

    assert asyncio.run(_watched(watch, change, looks=10)) == 1


def test_hidden_files_and_rings_of_links_are_no_change(site):
    (site / "ring").symlink_to(site)
    watch = FileWatch([site, site / "nowhere"])

    async def change():
        (site / ".doc.yaml.swp").write_text("")

    assert asyncio.run(_watched(watch, change)) == 0


def test_what_was_noted_is_not_told(site):
    watch = FileWatch([site])

    async def change():
        (site / "doc.yaml").write_text("longer than before")
        watch.note()

    assert asyncio.run(_watched(watch, change)) == 0


def test_files_that_go_on_changing_are_told_when_they_rest(site):
    watch, told = FileWatch([site]), []

    async def run():
        async def changed():
            told.append(len((site / "doc.yaml").read_text()))

        task = asyncio.create_task(watch.run(changed, 0.1))
        for length in range(1, 30):
            (site / "doc.yaml").write_text("x" * length)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.4)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert told == [29]
