"""Sizes beyond which an expression is refused before it can cost anything."""

from __future__ import annotations

from typing import Final

MAX_TEXT: Final = 32_768
"""Characters of one expression; Cerbos's own limit is 100,000 code points."""

MAX_TOKENS: Final = 8_192
"""Tokens of one expression."""

MAX_NESTING: Final = 60
"""Brackets, calls, operators and conditions that may be open inside one another."""

MAX_DEPTH: Final = 150
"""Levels of the parsed tree; checker, evaluator and code generator descend one call or two a level."""
