"""Logs of the gateway itself (not the audit): one JSON line an event, or a line for people.

An exception is told by its type and the places it passed, never by its message or the values of its variables: both can
hold what a client wrote, and nothing a client wrote reaches a log except through a redacted record.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_MAX_FRAMES = 20


def configure_logging(stream: TextIO, level: str, *, as_json: bool) -> None:
    """Send every logger of the process to `stream`, the standard library's included."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        place_of_failure,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[drop_arguments, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def place_of_failure(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the exception's type and frames."""
    raised = event.pop("exc_info", None)
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error_type"] = type(error).__name__
        event["frames"] = frames_of(error.__traceback__)
    return event


def frames_of(trace: TracebackType | None) -> list[str]:
    """`file:line function` of each frame, innermost last, paths cut to their last three parts."""
    found = traceback.extract_tb(trace)[-_MAX_FRAMES:]
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in found]


def drop_arguments(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Libraries format requests and addresses into their messages: the sentence stays, its arguments go."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["event"] = str(record.msg)[:200]
    return event
