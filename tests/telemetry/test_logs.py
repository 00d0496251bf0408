"""Logs: one JSON line an event, and of an exception its type and places, never a value."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from gateway.processes.logs import configure_logging, frames_of

SECRET = "hunter2-in-a-variable"


@pytest.fixture
def log():
    """A stream that everything is logged to as JSON; the process's loggers are put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream, "info", as_json=True)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(argument: str) -> None:
    local = argument * 2
    raise ValueError(f"cannot use {local}")


def test_an_event_is_one_json_line(log):
    structlog.stdlib.get_logger("ostiary.test").warning("something", number=7)
    (line,) = lines(log)
    assert (line["event"], line["number"], line["level"]) == ("something", 7, "warning")
    assert line["logger"] == "ostiary.test"
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_told_by_type_and_places(log):
    try:
        fail(SECRET)
    except ValueError as error:
        structlog.stdlib.get_logger("ostiary.test").error("broke", exc_info=error)
    (line,) = lines(log)
    assert line["error_type"] == "ValueError"
    assert line["frames"][-1].endswith("fail")
    assert SECRET not in log.getvalue()


def test_a_librarys_exception_and_arguments_are_not_told_either(log):
    try:
        fail(SECRET)
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request from %s", SECRET)
    (line,) = lines(log)
    assert line["event"] == "Error handling request from %s"
    assert line["error_type"] == "ValueError"
    assert SECRET not in log.getvalue()


def test_a_deep_stack_is_cut():
    def down(depth: int) -> None:
        if depth == 0:
            raise RuntimeError
        down(depth - 1)

    with pytest.raises(RuntimeError) as raised:
        down(200)
    assert len(frames_of(raised.value.__traceback__)) == 20


def test_below_its_level_nothing_is_logged(log):
    structlog.stdlib.get_logger("ostiary.test").info("shown")
    structlog.stdlib.get_logger("ostiary.test").debug("hidden")
    assert [line["event"] for line in lines(log)] == ["shown"]
