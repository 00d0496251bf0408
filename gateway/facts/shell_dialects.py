"""What zsh reads otherwise than bash: named in the facts, since it is parsed as bash.

Source: zsh 5.9 manual, sections Expansion (14) and Shell Grammar (6).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.trace import Trace

_QUOTED: Final = re.compile(r"'[^']*'")
_RUNS: Final = re.compile(
    r"""
      [^\s'"]\((?:[^()\s]*[^()\w])?[e+][:\w][^()]*\)   # glob qualifiers that run code: *(e:'cmd':), *(+cmd)
    | (?:^|[\s=])=\(                                  # =(command): the name of a file with its output
    """,
    re.VERBOSE | re.MULTILINE,
)
_OTHERWISE: Final = re.compile(
    r"""
      (?:^|\s)=[A-Za-z_][\w.-]*(?=\s|$)               # =cmd: the path of a program
    | >{1,2}[!|]                                       # >! and >>|: clobbering
    | \$\{\([\w@#%^!~:.,\s-]+\)                       # ${(e)x}: parameter flags
    | \}\s*always\s*\{                                 # { … } always { … }
    | [*?\w\]]\([.@/=p*%\-^UGrwxRWXALmahc0-9,oOnNDY\[\]]+\)(?=\s|$)   # *(.): glob qualifiers
    """,
    re.VERBOSE | re.MULTILINE,
)


def note_zsh(command: str, trace: Trace) -> None:
    """Flag syntax of zsh alone as `zsh_syntax`; where it may run a command, nothing is known of what is run."""
    plain = _QUOTED.sub("''", command)
    if _RUNS.search(plain):
        trace.note("zsh_syntax", ("exec", "read", "write", "delete", "net"))
    elif _OTHERWISE.search(plain):
        trace.note("zsh_syntax", ())
