"""Sizes beyond which an expression is refused before it can cost anything."""

from __future__ import annotations

from typing import Final

MAX_TEXT: Final = 100_000
"""Characters of one expression, as many as Cerbos takes."""

MAX_TOKENS: Final = 30_000
"""Tokens of one expression."""

MAX_NESTING: Final = 120
"""Brackets, calls and operators that may be open inside one another. The parser takes five of Python's frames for each, of
which there are a thousand; Cerbos takes 250."""

MAX_DEPTH: Final = 200
"""Levels of the parsed tree, for each of which checker and evaluator take three frames."""
