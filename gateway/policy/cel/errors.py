"""What can go wrong with an expression: before it runs (compile errors) and while it runs (evaluation errors)."""

from __future__ import annotations


class CelCompileError(Exception):
    """The text is not a valid expression.

    `line` and `column` are 1-based places in the expression's own text, `offset` counts its characters from 0.
    """

    def __init__(self, message: str, *, line: int = 1, column: int = 1, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class CelSyntaxError(CelCompileError):
    """The text cannot be parsed, or it is larger or deeper than the limits of `limits.py`."""


class CelCheckError(CelCompileError):
    """The text parses, but its types do not fit, it names what does not exist, or a literal in it is malformed."""


class EvaluationError(Exception):
    """An expression ended in an error, which CEL treats as a value of its own.

    `message` has the words Cerbos uses. `kind` is one of: no_such_key, no_such_overload, type (a conversion between
    types), value (an argument out of range or malformed), limit (the budget is spent), division, overflow,
    unknown_function.
    """

    def __init__(self, message: str, kind: str = "value") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


def no_such_overload(what: str = "") -> EvaluationError:
    """The error of an operation that has no meaning for the types it got."""
    return EvaluationError(f"no such overload: {what}" if what else "no such overload", "no_such_overload")


def no_such_key(key: object) -> EvaluationError:
    """The error of a lookup that found nothing."""
    return EvaluationError(f"no such key: {key}", "no_such_key")


def overflow(what: str) -> EvaluationError:
    """The error of a result outside its type: `what` is integer, unsigned integer or timestamp."""
    return EvaluationError(f"{what} overflow", "overflow")
