"""How much work one check may cause, so that a hostile expression or request ends in an error and never in a hang."""

from __future__ import annotations

from gateway.policy.cel.errors import EvaluationError

DEFAULT_LIMIT = 1_000_000


class Budget:
    """A purse of work units shared by the expressions of one check.

    One unit is about one visited element or 16 characters handled. `charge` raises `EvaluationError` of kind
    "limit" when the purse is empty, and goes on raising: nothing may swallow the error and keep computing.
    """

    __slots__ = ("limit", "spent")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self.spent = 0

    def charge(self, units: int) -> None:
        """Take `units` (≥ 0) from the purse before the work they pay for is begun."""
        self.spent += units
        if self.spent > self.limit:
            raise EvaluationError(f"evaluation limit of {self.limit} units exceeded", "limit")

    def charge_text(self, length: int) -> None:
        """Pay for handling `length` characters or bytes."""
        self.charge(1 + length // 16)
