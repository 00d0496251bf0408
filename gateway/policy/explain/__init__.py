"""Why a check was decided as it was: the rule, its place, the conditions with what they saw, and what would change it.

`explain(engine, request, now)` gives an `Explanation` a resource and action; `text.lines` renders it for people.
"""

from __future__ import annotations

from gateway.policy.explain.explanation import Explanation, RuleTrace, Seen, Test, Turn
from gateway.policy.explain.observe import explain

__all__ = ["Explanation", "RuleTrace", "Seen", "Test", "Turn", "explain"]
