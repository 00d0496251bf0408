"""How much work one check may cause, so that a hostile expression or request ends in an error and never in a hang."""

from __future__ import annotations

from gateway.policy.cel.errors import EvaluationError

DEFAULT_LIMIT = 1_000_000
"""Units of one check: some seconds at the very worst, when each is spent on what costs most."""
DEFAULT_EXPRESSION_LIMIT = 500_000
"""Units of one expression of a check, so that one cannot spend what the others need."""


class Budget:
    """A purse of work units shared by the expressions of one check.

    One unit is about one visited node of a macro's body or 16 characters handled. `charge` raises `EvaluationError` of
    kind "limit" when the purse is empty, and goes on raising: nothing may swallow the error and keep computing.
    """

    __slots__ = ("_ceiling", "expression_limit", "limit", "spent")

    def __init__(self, limit: int = DEFAULT_LIMIT, expression_limit: int = DEFAULT_EXPRESSION_LIMIT) -> None:
        self.limit = limit
        self.expression_limit = expression_limit
        self.spent = 0
        self._ceiling = min(limit, expression_limit)

    def begin(self) -> None:
        """Let the next expression have its share, as far as the check has one left."""
        ceiling = self.spent + self.expression_limit
        # min() would take as long as all the rest, before every condition.
        self._ceiling = ceiling if ceiling < self.limit else self.limit  # noqa: FURB136  # see above

    def charge(self, units: int) -> None:
        """Take `units` (≥ 0) from the purse before the work they pay for is begun."""
        self.spent += units
        if self.spent > self._ceiling:
            what = "check" if self._ceiling == self.limit else "expression"
            limit = self.limit if what == "check" else self.expression_limit
            raise EvaluationError(f"evaluation limit of {limit} units for one {what} exceeded", "limit")

    def charge_text(self, length: int) -> None:
        """Pay for handling `length` characters or bytes."""
        self.charge(1 + length // 16)
