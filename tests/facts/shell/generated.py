"""Scripts over the whole grammar of bash 5.2, made from a seed, that are safe to run.

The vocabulary is closed: programs are recorders (`tests.facts.shell.sandbox`) or builtins, files are relative names below
the working directory, loops end, functions call only functions that stand before them. No text is absolute, so that a
script can touch nothing but its sandbox.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable

PROGRAMS = ("cA", "cB", "cC", "cD", "cE", "cX", "rd")
"""Recorders: `cX` fails, `rd` also notes what it reads; the others work."""
INPUTS = ("in1", "d/in2", "d/e/in3")
OUTPUTS = ("o1", "o2", "d/o3", "d/e/o4", "o5")
_PLAIN = ("a", "b", "x1", "-n", "--k=v", "a.b", "%", "a=b", "+", "a#b", "if", "done", "[", "a:b")
_SCALARS = ("x", "y", "z")
_COMMANDS = ("n", "m")
"""Variables that hold the name of a recorder."""
_SET_CALLS = ("$1", '"$@"', "$@", '"$1" x', "${@:1:1}", '"${@}"', "$*")
_ESCAPED = ("a b", "\\n", "\\x41", "\\'", "\\u00e9", "\\101", "\\cA", "#", "\\e")
_QUOTED = ("q r", "#", "*", "a;b", "$x", "\\", "{a,b}", "&&", "`", "!", ")", "", "~", "\t", "cA")


class ScriptGenerator:
    """One script for each seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._depth = 0
        self._limit = self._random.choice((1, 2, 3))
        self._pending: list[str] = []
        self._functions: list[str] = []
        self._quiet = 0
        """Within text that is quoted again, no document and no name of a function."""

    def script(self) -> str:
        """The text."""
        head = "n=cB m=cC\nx=a y='b c'\nA=(a 'b c' cA)\n" if self._random.random() < 0.8 else ""
        return head + self._lines(self._random.randint(1, 4)) + self._newline()

    # Layout: documents wait for the next newline.

    def _newline(self) -> str:
        waiting, self._pending = self._pending, []
        return "\n" + "".join(waiting)

    def _separator(self) -> str:
        return self._newline() if self._pending or self._random.random() < 0.5 else "; "

    def _lines(self, count: int) -> str:
        text = self._list()
        for _ in range(count - 1):
            if self._random.random() < 0.12 and not text.endswith("&"):
                text += " & " + self._list()
            else:
                text += self._separator() + self._list()
        return text

    def _nested(self, make: Callable[[], str]) -> str:
        """Text of a substitution: documents within it end within it."""
        outer, self._pending = self._pending, []
        text = make()
        if self._pending:
            text += self._newline()
        self._pending = outer
        return text

    def _quoted_script(self) -> str:
        """A script as the text of one word."""
        outer, self._functions = self._functions, []
        self._quiet += 1
        text = self._nested(lambda: self._lines(self._random.randint(1, 2)))
        self._quiet -= 1
        self._functions = outer
        return text

    def _pick(self, options: tuple[str, ...] | list[str]) -> str:
        return self._random.choice(options)

    def _one_of(self, *makers: Callable[[], str]) -> str:
        return self._random.choice(makers)()

    @property
    def _deep(self) -> bool:
        return self._depth > self._limit

    # Commands.

    def _list(self) -> str:
        text = self._pipeline()
        for _ in range(self._random.choice((0, 0, 0, 0, 1))):
            text += self._pick([" && ", " || ", " &&\n", "&&"]) if not self._pending else " && "
            text += self._pipeline()
        return text

    def _pipeline(self) -> str:
        prefix = self._pick(["", "", "", "", "", "", "", "! ", "time ", "time -p "])
        text = self._command()
        for _ in range(self._random.choice((0, 0, 0, 0, 0, 1))):
            text += self._pick([" | ", "|", " |& "]) + self._command()
        return prefix + text

    def _command(self) -> str:
        self._depth += 1
        kind = self._random.random()
        if self._deep or kind < 0.45:
            text = self._simple()
        elif kind < 0.75:
            text = self._builtin()
        else:
            text = self._compound()
        self._depth -= 1
        return text

    def _simple(self) -> str:
        words = [self._assignment() for _ in range(self._random.choice((0, 0, 0, 0, 1)))]
        words.append(self._program())
        words += [self._word() for _ in range(self._random.choice((0, 0, 1, 1, 2)))]
        words += [self._redirect() for _ in range(self._random.choice((0, 0, 0, 1, 1, 2)))]
        if self._random.random() < 0.1:
            words.insert(0, self._redirect())
        blank = self._pick([" ", " ", " ", "  ", "\t", " \\\n "])
        return blank.join(words) if not self._pending else " ".join(words)

    def _program(self) -> str:
        name = self._pick(PROGRAMS)
        if self._functions and self._random.random() < 0.3:
            return self._pick(self._functions)
        half = name[0], name[1:]
        spelled = [
            name,
            name,
            name,
            name,
            f"{half[0]}''{half[1]}",
            f'"{name}"',
            f"\\{name}",
            f"{half[0]}\\{half[1]}",
            f"{half[0]}\\\n{half[1]}",
            f"$'{name}'",
            f"$'\\x{ord(half[0]):x}{half[1]}'",
            f"$'\\{ord(half[0]):03o}'{half[1]}",
            f'$"{name}"',
            f"${{unset-{name}}}",
            f"${{unset:+no}}{name}",
            f"$(echo {name})",
            f"`printf %s {name}`",
            f"$(printf '%s' '{half[0]}'){half[1]}",
            f"{{{name},{self._pick(_PLAIN[:3])}}}",
            "$n",
            '"$m"',
            "${n}",
            "${n/B/D}",
            "${A[2]}",
            "${A[@]:2:1}",
            "${n%B}A",
            f"command {name}",
            f"exec {name}" if self._depth > 2 else name,
            f"env {name}",
            f"env -u y K=1 {name}",
            "${n:0:1}A",
            f"builtin command {name}",
            f"xargs {name} <d/in2",
            f"{{{name}}}",
        ]
        return self._pick(spelled)

    def _builtin(self) -> str:
        return self._one_of(
            self._assignment,
            self._assignment,
            self._assignment,
            lambda: f"{self._assignment()} {self._assignment()}",
            lambda: f"set -- {self._word()} {self._word()}",
            lambda: f"set -- {self._pick(PROGRAMS)} {self._word()}; {self._pick(_SET_CALLS)}",
            lambda: self._pick(["shift", "shift 1", "set -f", "set +f", "set -u; set +u", "set -o noglob"]),
            lambda: self._pick(
                ["cd d", "cd d/e", "cd ..", "cd", "cd -", "cd missing", 'cd "$HOME"/d', "cd ./d/../d"]
            ),
            lambda: self._pick(["pushd d", "popd", "pushd d/e", "pushd"]),
            lambda: (
                f"{self._pick(['declare', 'typeset', 'export', 'declare -g', 'declare -x', 'declare -l', 'declare -u', 'declare -i'])} {self._pick(_SCALARS)}={self._value()}"
            ),
            lambda: f"declare -a A=({self._word()} {self._word()} cA)",
            lambda: f"declare -A M=([k]={self._value()} [l]=cD); ${{M[l]}} {self._word()}",
            lambda: "declare -n r=n; $r",
            lambda: f"read {self._pick(_SCALARS)} <<< {self._value()}",
            lambda: f"read -r n <<< {self._pick(PROGRAMS)}; $n",
            lambda: f"IFS=: read -r x n <<< a:{self._pick(PROGRAMS)}; $n",
            lambda: (
                f"printf -v {self._pick(_SCALARS)} {self._pick(['%s', '%s-', '%q', '%b'])} {self._value()}"
            ),
            lambda: f"printf -v n %s {self._pick(PROGRAMS)}; $n",
            lambda: f"mapfile -t A <<< {self._pick(PROGRAMS)}; ${{A[0]}} {self._word()}",
            lambda: f"unset {self._pick(_SCALARS)}",
            lambda: f"eval {shlex.quote(self._quoted_script())}",
            lambda: f"eval {self._pick(PROGRAMS)} {self._word()}",
            lambda: f'eval "$n {self._pick(_PLAIN[:4])}"',
            lambda: (
                f"trap {shlex.quote(self._quoted_script())} {self._pick(['EXIT', '0', 'ERR', 'DEBUG', 'RETURN', 'EXIT INT'])}"
            ),
            lambda: (
                f"shopt -s expand_aliases\nalias al={shlex.quote(self._pick(PROGRAMS) + ' q')}\nal {self._word()}"
                if not self._pending
                else "true"
            ),
            lambda: self._pick(["true", "false", ":", "[ -n a ]", "[ -z a ]", "test a = a", "test -f in1"]),
            lambda: f"let {self._pick(['x=1', 'y+=2', '1'])}",
            lambda: f": {self._redirect()}",
            self._redirect,
            lambda: f"exec {self._pick(['>o1', '3>o2', '>>d/o3', '4<in1', '2>o5', '3>&1'])}",
            lambda: f"bash -c {shlex.quote(self._quoted_script())}",
            lambda: "bash -c '$1 \"$0\"' " + f"{self._word()} {self._pick(PROGRAMS)}",
            lambda: f"echo {self._pick(PROGRAMS)} | bash",
            lambda: f"bash <<< {self._pick(PROGRAMS)}",
            lambda: f"bash <<< {shlex.quote(self._quoted_script())}",
            lambda: f"echo {self._word()} {self._word()}",
            lambda: (
                f"printf '%s\\n' {self._pick(PROGRAMS)} a | while read -r l k; do $l {self._word()}; break; done"
            ),
            lambda: (
                f"echo {shlex.quote(self._quoted_script())} > s; {self._pick(['. ./s', 'source ./s', 'bash s', 'bash ./s a'])}"
            ),
            lambda: f"cat {self._pick(INPUTS)} {self._redirect()}",
            lambda: f"echo a 'b c' | xargs {self._pick(['-n1', '-I{}', ''])} {self._pick(PROGRAMS)} {{}}",
            lambda: f"env {self._assignment_plain()} bash -c {shlex.quote(self._quoted_script())}",
            lambda: f"local q=1; {self._simple()}",
            lambda: f"getopts ab o -a; {self._simple()}",
            lambda: f"hash -p ./nothing zz; {self._simple()}",
            lambda: f"exit {self._pick(['', '0', '1'])}" if self._depth > 2 else "wait",
            lambda: "return 0" if self._depth > 2 else "wait",
        )

    def _assignment_plain(self) -> str:
        return f"{self._pick(_SCALARS)}={self._pick(['1', 'cA', 'v'])}"

    def _assignment(self) -> str:
        return self._one_of(
            lambda: f"{self._pick(_SCALARS)}={self._value()}",
            lambda: f"{self._pick(_SCALARS)}={self._value()}",
            lambda: f"{self._pick(_SCALARS)}+={self._value()}",
            lambda: f"{self._pick(_COMMANDS)}={self._pick(PROGRAMS)}",
            lambda: f"A[{self._pick(['0', '1', '$((1))', 'x=1'])}]={self._value()}",
            lambda: f"A=({self._word()} {self._word()})",
            lambda: f"A+=({self._word()})",
        )

    def _value(self) -> str:
        """A word that stands on the right of an assignment."""
        return self._word(arguments=False)

    def _compound(self) -> str:
        text = self._one_of(
            lambda: f"( {self._body()} )",
            lambda: f"({self._body()})",
            lambda: f"{{ {self._body()}{self._end()}}}",
            lambda: f"{{ {self._body()}{self._end()}}}",
            self._if,
            self._for,
            self._while,
            self._case,
            self._function,
            lambda: f"[[ {self._condition()} ]]",
            lambda: f"(( {self._arithmetic()} ))",
            lambda: f"coproc {self._pick(['', 'NAME '])}{{ {self._body()}{self._end()}}}; wait",
            lambda: f"for (( i=0; i<{self._pick(['1', '2'])}; i++ )); do {self._body()}{self._end()}done",
            lambda: f"select k in a; do {self._body()}; break; done <<< 1" if not self._pending else "true",
        )
        if text.endswith((")", "}", "i", "done", "c", "]")) and self._random.random() < 0.25:
            text += " " + self._redirect()
        return text

    def _body(self) -> str:
        return self._lines(self._random.choice((1, 1, 2)))

    def _end(self) -> str:
        return self._newline() if self._pending or self._random.random() < 0.4 else "; "

    def _if(self) -> str:
        text = f"if {self._body()}{self._end()}then {self._body()}{self._end()}"
        if self._random.random() < 0.3:
            text += f"elif {self._body()}{self._end()}then {self._body()}{self._end()}"
        if self._random.random() < 0.5:
            text += f"else {self._body()}{self._end()}"
        return text + "fi"

    def _for(self) -> str:
        name = self._pick([*_SCALARS, "n"])
        words = " ".join(self._word() if name != "n" else self._pick(PROGRAMS) for _ in range(2))
        head = self._pick([f"for {name} in {words}", f"for {name}", f"for {name} in {words}"])
        body = f"{self._body()}{self._end()}"
        if name == "n":
            body = f"$n {self._word()}; {body}"
        if self._random.random() < 0.2:
            return f"{head}; {{ {body}}}"
        return f"{head}; do {body}done"

    def _while(self) -> str:
        leave = self._pick(["break", "break 1"])
        start = self._pick(["while", "until"])
        test = self._pick(["true", "cA", ":"]) if start == "while" else self._pick(["false", "cX"])
        return f"{start} {test}; do {self._body()}{self._end()}{leave}; done"

    def _case(self) -> str:
        clauses = ""
        for _ in range(self._random.randint(1, 3)):
            pattern = self._pick(["a", "b*", "*", "a|b", "'q r'", "[a-c]", "$x", "${y}*", "\\*", "x1|*"])
            clauses += (
                f"{self._pick(['', '('])}{pattern}) {self._body()} {self._end() if self._pending else ''}"
            )
            clauses += self._pick([";; ", ";; ", ";;\n", ";& ", ";;& "])
        return f"case {self._word(arguments=False)} in {clauses}esac"

    def _function(self) -> str:
        if self._quiet:
            return self._simple()
        name = f"f{len(self._functions)}"
        head = self._pick([f"{name}() {{", f"function {name} {{", f"{name} ()\n{{", f"function {name}() {{"])
        if self._pending:
            head = f"{name}() {{"
        body = f"{self._body()}{self._end()}"
        arguments = self._pick(["", f"$1 {self._word()}; ", '"$@"; ', "local x=cB; $x; ", "local n; n=cD; "])
        self._functions.append(name)
        call = f"{name} {self._pick([*PROGRAMS, ''])}"
        return f"{head} {arguments}{body}}}; {call}"

    def _condition(self) -> str:
        return self._pick(
            [
                f"-n {self._word(arguments=False)}",
                f"{self._word(arguments=False)} == a*",
                "$x =~ ^(a|b c)$",
                "a < b && ( -z $x || -n $y )",
                f"! -f {self._pick(INPUTS)}",
                "1 -eq 1",
                "$(cC) == '' || -n `cD`",
                "$x == @(a|b)",
            ]
        )

    def _arithmetic(self) -> str:
        return self._pick(
            ["1", "0", "x = 1, 1", "1 + 2 > 2", "y++", "$(cA) 1", "A[$(cB)0]", "1 << 2", "2*(3)"]
        )

    # Words.

    def _word(self, *, arguments: bool = True) -> str:
        """One word; with `arguments` it may become several or none."""
        pieces = [self._piece() for _ in range(self._random.choice((1, 1, 1, 2)))]
        text = "".join(pieces)
        if arguments and self._random.random() < 0.1:
            text = self._pick(
                [
                    "{a,b}",
                    "{1..3}",
                    "x{a,'b c'}y",
                    "{a,{b,c}}",
                    '"$@"',
                    "$@",
                    '"${A[@]}"',
                    "${A[*]}",
                    '"${A[*]}"',
                    "*1",
                    "d/*",
                    "<(cE)",
                    "~",
                    "~/x",
                    "[a",
                    "${A[@]#a}",
                    '"${@:1}"',
                    "i?1",
                ]
            )
        return text

    def _piece(self) -> str:
        self._depth += 1
        text = self._one_of(
            lambda: self._pick(_PLAIN),
            lambda: self._pick(_PLAIN),
            lambda: shlex.quote(self._pick(_QUOTED)),
            self._double_quoted,
            self._double_quoted,
            lambda: self._parameter(quoted=False),
            lambda: self._parameter(quoted=False),
            lambda: self._substitution(quoted=False),
            lambda: self._pick(["\\ ", "\\;", "\\$", "\\*", "\\\\", "\\#", "\\'", "a\\\nb", "\\|"]),
            lambda: f"$'{self._pick(_ESCAPED)}'",
            lambda: f"$(( {self._pick(['1+2', '2*(3)', 'x', '1?2:3', '0x10', '1<<3', '7/2', '-7%3'])} ))",
            lambda: self._pick(["$[1+1]", "${#x}", "$#", "${#A[@]}"]),
        )
        self._depth -= 1
        return text

    def _double_quoted(self) -> str:
        inner = "".join(
            self._one_of(
                lambda: self._pick(["a", " ", "b c", "'", "\\$", '\\"', "\\`", "\\\\", "*", "#", "!x"]),
                lambda: self._parameter(quoted=True),
                lambda: self._substitution(quoted=True),
            )
            for _ in range(self._random.randint(0, 2))
        )
        return f'"{inner}"'

    def _parameter(self, *, quoted: bool) -> str:
        name = self._pick([*_SCALARS, *_SCALARS, "n", "unset", "1", "A"])
        argument = self._pick(["d", "'e f'", '"g h"', "$x", "${y}", "a\\ b", "*", "cA"])
        if self._random.random() < 0.15 and not self._deep:
            argument = self._substitution(quoted=False)
        return self._pick(
            [
                f"${name}",
                f"${{{name}}}",
                f"${{{name}:-{argument}}}",
                f"${{{name}-{argument}}}",
                f"${{{name}:+{argument}}}",
                f"${{{name}+{argument}}}",
                f"${{z:={self._pick(['v', 'w'])}}}",
                f"${{{name}#a}}",
                f"${{{name}##*b}}",
                f"${{{name}%c}}",
                f"${{{name}%%[bc]*}}",
                f"${{{name}/b/Z}}",
                f"${{{name}//[ac]/}}",
                f"${{{name}/#a/'q'}}",
                f"${{{name}/%c/$x}}",
                f"${{{name}^^}}",
                f"${{{name}^}}",
                f"${{{name},,}}",
                f"${{{name}:0:1}}",
                f"${{{name}:1}}",
                f"${{{name}: -1}}",
                f"${{#{name}}}",
                f"${{{name}@Q}}",
                f"${{{name}@U}}",
                "${A[0]}",
                "${A[1]}",
                "${A[-1]}",
                "${A[x=1]}",
                "${!unset-n}",
                f"${{{name}~~}}",
            ]
        )

    def _substitution(self, *, quoted: bool) -> str:
        if self._deep:
            return self._pick(["$(cE)", "$(echo e)", "`cE`"])
        inner = self._nested(
            lambda: self._lines(1) if self._random.random() < 0.6 else f"echo {self._word()}"
        )
        style = self._random.random()
        if style < 0.6 or self._quiet > 1 or "\n" in inner:
            return f"$({' ' if inner.startswith('(') else ''}{inner})"
        if style < 0.7:
            return f"$(<{self._pick(INPUTS)})"
        escaped = inner.replace("\\", "\\\\").replace("`", "\\`")
        return f"`{escaped.replace(chr(34), chr(92) + chr(34)) if quoted else escaped}`"

    # Redirections.

    def _redirect(self) -> str:
        self._depth += 1
        text = self._one_of(
            lambda: f">{self._target()}",
            lambda: f"> {self._target()}",
            lambda: f">>{self._target()}",
            lambda: f"2>{self._target()}",
            lambda: f">|{self._target()}",
            lambda: f"&>{self._target()}",
            lambda: f"&>>{self._target()}",
            lambda: f">&{self._target()}",
            lambda: f"<{self._pick(INPUTS)}",
            lambda: f"< {self._pick(INPUTS)}",
            lambda: f"<>{self._target()}",
            lambda: f"3>{self._target()}",
            lambda: "2>&1",
            lambda: ">&2",
            lambda: "3>&1",
            lambda: "<&-",
            lambda: f"{{fd}}>{self._target()}",
            lambda: f"<<<{self._word(arguments=False)}",
            lambda: f"< <({self._nested(lambda: self._lines(1))})" if not self._deep else "<in1",
            lambda: f"> >({self._nested(lambda: self._lines(1))})" if not self._deep else ">o1",
            self._document,
            self._document,
        )
        self._depth -= 1
        return text

    def _target(self) -> str:
        name = self._pick(OUTPUTS)
        return self._pick(
            [
                name,
                name,
                name,
                f"'{name}'",
                f'"{name}"',
                f"./{name}",
                f"${{x}}{name}",
                f'"$HOME"/{name}',
                f"~/{name}",
                f"${{u:-{name}}}",
                f"$(echo {name})",
                f"{name[0]}''{name[1:]}",
                f'"$PWD/{name}"',
            ]
        )

    def _document(self) -> str:
        if self._quiet:
            return "<<<a"
        word, mark = self._pick_pair(
            [("E", "E"), ("'E'", "E"), ('"E F"', "E F"), ("\\E", "E"), ("E''", "E"), ("E1", "E1"), ("''", "")]
        )
        dash = self._random.random() < 0.3
        lines = []
        for _ in range(self._random.randint(0, 2)):
            line = self._pick(
                [
                    "text",
                    "$x",
                    "it's",
                    '"',
                    "${y:-d}",
                    "\\$x",
                    "# no",
                    "cB",
                    "a\\",
                    "\\\\",
                    ")",
                    "$(cD)",
                    "`cE`",
                    "$((1+1))",
                    "${unset:-$(cC)}",
                    "'$(cB)'",
                    "$(echo a; cA)",
                ]
            )
            lines.append(("\t" if dash and self._random.random() < 0.5 else "") + line + "\n")
        tab = "\t" if dash and self._random.random() < 0.5 else ""
        end = f"{tab}{mark}\n"
        self._pending.append("".join(lines) + end)
        return f"{'<<-' if dash else '<<'}{self._pick(['', ' '])}{word}"

    def _pick_pair(self, options: list[tuple[str, str]]) -> tuple[str, str]:
        return self._random.choice(options)
