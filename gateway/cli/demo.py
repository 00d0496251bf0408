"""`ostiary demo`: play a recorded agent session against the gateway, and show what was decided and why, call by call."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from gateway.assurance.synthetic import HEADER, Call, Marks
from gateway.cli.configured import reachable
from gateway.cli.demo_gateway import Target, gateway_for
from gateway.cli.demo_stories import AGENT, EVENT, Request, Stories, requests, stories
from gateway.cli.gateway_api import QUERY_SOCKET, NotRunning, Reply, ask_socket, ask_url
from gateway.cli.output import console, show
from gateway.cli.record_source import data_dir_from
from gateway.cli.record_words import DECISION_STYLES, decided, microseconds, rule_of, visible, would_do_of
from gateway.clock import now, random_bytes
from gateway.domain.query import Page
from gateway.domain.record import Record, short_id
from gateway.errors import StoreError
from gateway.processes.instance import attach_instance

_CLERK_SECONDS = 20.0
_STOPPED = ("deny", "ask", "would deny", "would ask", "would fail", "failed open")


class Folded:
    """Calls of one story that were decided the same, shown once with how many they were."""

    def __init__(self, first: Record) -> None:
        self.first = first
        self.count = 1


@click.command("demo")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Data directory of the running gateway.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file that names it.")
def command(data_dir: Path | None, config: Path | None) -> None:
    """Play a recorded agent session: seven stories, what each call would do, and what is or would be decided.

    No agent is needed and nothing is touched: only the gateway is asked. The records are synthetic and stay out of searches.
    """
    on = console()
    with gateway_for(data_dir_from(data_dir, config, os.environ)) as target:
        _introduce(on, target)
        totals = Player(on, target).play(stories())
        _conclude(on, target, totals)


class Player:
    """Plays stories against one gateway."""

    def __init__(self, console: Console, target: Target) -> None:
        self._console = console
        self._target = target
        self._url = (
            f"http://{reachable(target.status['listeners']['hooks'], 'server.listen')}/v1/hooks/{AGENT}"
        )
        self._marks = Marks(attach_instance(target.data_dir).key, now)
        self._run = random_bytes(3).hex()

    def play(self, told: Stories) -> dict[str, int]:
        """Play all of them; how many calls were decided in which way."""
        totals: dict[str, int] = {}
        for number, story in enumerate(told.stories, 1):
            who = f"{story.user} ({', '.join(story.roles)})"
            self._console.print(Text.assemble((f"{number}  {story.title}", "bold"), (f"  {who}", "dim")))
            asked = list(requests(told, number, self._run))
            for request in asked:
                self._post(told, request, story.user, story.roles)
            for folded in fold(self._records(asked)):
                show(self._console, Padding(call_lines(folded), (0, 0, 0, 3)))
                verdict = decided(folded.first)
                totals[verdict] = totals.get(verdict, 0) + folded.count
        return totals

    def _post(self, told: Stories, request: Request, user: str, roles: tuple[str, ...]) -> None:
        call = Call(EVENT, request.session_id, request.call_id, request.tool)
        headers = {
            HEADER: self._marks.make(call, user, roles),
            "Content-Type": "application/json",
            "X-Ostiary-Project-Dir": told.project,
            "X-Ostiary-Home": told.home,
        }
        reply = ask_url(self._url, body=request.body, headers=headers)
        if reply.status != 200:
            said = reply.body.get("message", "") if isinstance(reply.body, dict) else ""
            raise StoreError(
                f"The gateway answered {reply.status} to a call: {said}", number=17, remedy="Look at its log."
            )

    def _records(self, asked: list[Request]) -> list[Record]:
        """The records of a story's calls, in the order they were made."""
        found: dict[str, Record] = {}
        filters = {
            "session_id": asked[0].session_id,
            "synthetic": "true",
            "newest_first": "false",
            "limit": "1000",
        }
        reply = self._ask_clerk(filters)
        if reply.status == 200:
            found = {row.record.call_id: row.record for row in msgspec.convert(reply.body, Page).rows}
        missing = [request.call_id for request in asked if request.call_id not in found]
        if missing:
            raise StoreError(
                f"{len(missing)} calls of the demo are not in the record.",
                number=18,
                remedy="Look at the gateway's log; `ostiary doctor` tests the whole installation.",
            )
        return [found[request.call_id] for request in asked]

    def _ask_clerk(self, filters: dict[str, str]) -> Reply:
        """The clerk's answer; it starts after the gate, and comes back by itself when it died."""
        end = time.monotonic() + _CLERK_SECONDS
        while True:
            try:
                return ask_socket(self._target.data_dir, QUERY_SOCKET, "/v1/records", filters, timeout=60)
            except NotRunning:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)


def fold(records: Iterable[Record]) -> list[Folded]:
    """Neighbouring calls of one tool with one decision by one rule, as one."""
    folded: list[Folded] = []
    for record in records:
        if folded and _kind(folded[-1].first) == _kind(record):
            folded[-1].count += 1
        else:
            folded.append(Folded(record))
    return folded


def _kind(record: Record) -> tuple[Any, ...]:
    return (
        record.tool,
        decided(record),
        rule_of(record),
        tuple((item.kind, item.action) for item in record.operations),
    )


def call_lines(folded: Folded) -> Text:
    """One call, or several of a kind: what was asked and would be done, and what was decided by which rule's words."""
    record = folded.first
    verdict = decided(record)
    times = f" ×{folded.count}" if folded.count > 1 else ""
    text = Text()
    text.append(f"{record.tool + times:<12} ")
    text.append(f"{visible(would_do_of(record))}\n")
    text.append(" " * 13)
    text.append(verdict, style=DECISION_STYLES.get(verdict, "dim"))
    rule = rule_of(record)
    if rule:
        text.append(f"  {rule}")
    said = next((reason.text for reason in record.reasons if reason.text), "")
    if said and verdict in _STOPPED:
        text.append(f"  “{visible(said)}”", style="italic")
    text.append(f"  {microseconds(record)} µs  {short_id(record.decision_id)}", style="dim")
    return text


def _introduce(on: Console, target: Target) -> None:
    status = target.status
    mode = status.get("mode", "")
    if target.private:
        on.print(f"{target.why} A private one with the shipped policies plays along; it is gone afterwards.")
    else:
        on.print(f"Playing against the gateway of {target.data_dir}.")
    on.print(
        f"It is in {mode} mode, policy {status.get('revision', '')}. Nothing is executed: only the gateway is asked.\n"
    )


def _conclude(on: Console, target: Target, totals: dict[str, int]) -> None:
    counted = ", ".join(
        f"{count} {name}" for name, count in sorted(totals.items(), key=lambda item: -item[1])
    )
    on.print(f"\n{sum(totals.values())} calls: {counted}.")
    if not target.private:
        on.print("One decision in full: ostiary why ID. All of them: ostiary audit search --synthetic")
