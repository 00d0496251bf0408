"""Whether every word of a JavaScript or Ruby one-liner does nothing by itself.

A lexer and lists of names, no parser: a text passes when the objects at hand (JSON, Math, Date, arrays, texts) cannot lead
out of themselves. What is not understood is never taken for harmless. Code of the project that a text calls (`Book.count`)
runs as it does when a script is started; a call that hands it a path, a URL or a command is not understood.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.facts.shell.python_modules import carries

_MAX_TEXT: Final = 4096
_STRING: Final = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_TOKENS: Final = {
    "node": re.compile(
        rf"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/)|(?P<string>{_STRING}|`(?:[^`\\]|\\.)*`)|(?P<number>\d[\w.]*)"""
        r"""|(?P<regex>(?<=[(,=:;!&|?{}])\s*/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[gimsuyd]*)"""
        r"""|(?P<name>[A-Za-z_$][\w$]*)|(?P<mark>=>|\?\.|\.\.\.|[-+*/%=<>!&|^~?:;,.(){}\[\]])|(?P<other>.)""",
        re.DOTALL,
    ),
    "ruby": re.compile(
        rf"""(?P<blank>\s+|\#[^\n]*)|(?P<string>{_STRING}|%[wi][\[(][^\])]*[\])])|(?P<number>\d[\w]*(?:\.\d+)?)"""
        r"""|(?P<regex>(?<=[(,=~])\s*/(?:[^/\\\n]|\\.)+/[imx]*)|(?P<symbol>(?<![\w:]):[A-Za-z_]\w*[?!]?)"""
        r"""|(?P<name>\$(?:stdin|stdout|stderr)\b|@{0,2}[A-Za-z_]\w*(?:[?!](?!=))?)"""
        r"""|(?P<mark>::|&\.|\.\.\.?|[-+*/%=<>!&|^~?:;,.(){}\[\]])|(?P<other>.)""",
        re.DOTALL,
    ),
}
_DECLARED: Final = {
    "node": re.compile(
        r"(?:const|let|var|class|import|for\s*\(\s*(?:const|let|var)?)\s+\{?\s*([\w$,\s:*]+?)\s*\}?\s*(?:=|\bfrom\b|\bof\b|\bin\b|;)"
        r"|\b([\w$]+)\s*=>|\(([\w$,\s{}\[\]]*)\)\s*=>|function\s*\w*\s*\(([\w$,\s]*)\)|function\s+(\w+)|catch\s*\((\w+)\)"
    ),
    "ruby": re.compile(r"\b([a-z_]\w*)\s*(?:\|\||[-+*/])?=(?![=~])|\|([\w,\s()*]*)\|"),
}
_INNER: Final = {"node": re.compile(r"\$\{([^{}]*)\}"), "ruby": re.compile(r"#\{([^{}]*)\}")}
_DOTS: Final = frozenset({".", "?.", "&.", "::"})
_LOADS: Final = frozenset({"require", "from", "import"})


class Token(NamedTuple):
    """A piece of program text: its kind (a group of the lexer) and how it is written."""

    kind: str
    text: str


class Lexicon:
    """The names of one language that do nothing by themselves; see `code_calls.yaml`."""

    def __init__(
        self,
        language: str,
        words: frozenset[str],
        files: frozenset[str],
        modules: frozenset[str],
        forbidden: frozenset[str],
        closed: frozenset[str],
    ) -> None:
        self._language = language
        self._words = words
        self._files = files
        self._modules = modules
        self._forbidden = forbidden
        self._closed = closed
        self._keys = forbidden | files

    def understands(self, text: str) -> bool:
        """Whether a text does nothing but what `calls` tells of it."""
        return len(text) <= _MAX_TEXT and self._harmless(text, self._declared(text))

    def _declared(self, text: str) -> frozenset[str]:
        found: set[str] = set()
        for match in _DECLARED[self._language].finditer(text):
            for group in match.groups():
                found.update(re.findall(r"[A-Za-z_$][\w$]*", group or ""))
        return frozenset(found) - self._words

    def _harmless(self, text: str, declared: frozenset[str]) -> bool:
        tokens = [
            Token(match.lastgroup or "other", match.group().strip())
            for match in _TOKENS[self._language].finditer(text)
            if match.lastgroup != "blank"
        ]
        foreign = False
        for at, token in enumerate(tokens):
            before, after = _beside(tokens, at - 1), _beside(tokens, at + 1)
            if token.kind == "other":
                return False
            if token.kind == "string" and not self._string(tokens, at, declared):
                return False
            if token.kind == "mark" and self._language == "node" and token.text == "]" and after.text == "(":
                return False
            if token.kind != "name" or _sets_variable(tokens, at):
                continue
            if before.text in _DOTS:
                if (token.text in self._forbidden and not _of_input(tokens, at)) or (
                    token.text in self._files and not _literal(tokens, at)
                ):
                    return False
            elif token.text in self._files:
                if not _literal(tokens, at) and after.text not in (",", "}"):
                    return False
            elif (
                token.text in self._words
                or token.text in declared
                or token.text[0] in "@$"
                or after.text == ":"
            ):
                continue
            elif self._language == "ruby" and token.text[0].isupper() and token.text not in self._closed:
                foreign = True
            else:
                return False
        return not foreign or not any(carries(token.text[1:-1]) for token in tokens if token.kind == "string")

    def _string(self, tokens: list[Token], at: int, declared: frozenset[str]) -> bool:
        """Whether a text in quotes may stand where it stands, and so may the code in it."""
        token, before, after = tokens[at], _beside(tokens, at - 1), _beside(tokens, at + 1)
        opened = _beside(tokens, at - 2).text if before.text == "(" else ""
        called = opened in ("require", "import") and _beside(tokens, at - 3).text not in _DOTS
        if called or (before.text in _LOADS and _beside(tokens, at - 2).text not in _DOTS):
            name = token.text[1:-1]
            return name in self._modules or (name.startswith(("./", "../")) and name.endswith(".json"))
        if before.text == "[" and after.text == "]" and token.text[1:-1] in self._keys:
            return False
        if token.text[0] not in '"`':
            return True
        inner = _INNER[self._language]
        left = inner.sub("", token.text)
        if self._language == "node" and token.text[0] == '"':
            return True
        if ("${" if self._language == "node" else "#{") in left:
            return False
        return all(self._harmless(code, declared) for code in inner.findall(token.text))


def _beside(tokens: list[Token], at: int) -> Token:
    return tokens[at] if 0 <= at < len(tokens) else Token("end", "")


def _literal(tokens: list[Token], at: int) -> bool:
    """Whether a call's first argument is a literal, and the only part of it."""
    opening, first, after = (_beside(tokens, at + step) for step in (1, 2, 3))
    return (
        opening.text == "("
        and first.kind in ("string", "number")
        and first.text[:1] != "`"
        and after.text in (")", ",")
    )


def _sets_variable(tokens: list[Token], at: int) -> bool:
    """Whether a variable of the environment is set to a literal here: `ENV["TZ"] = "UTC"`, `process.env.TZ = "UTC"`.

    Nothing is read by it, and what could run under it is judged where it stands.
    """
    kinds = "".join(f" {token.text if token.kind == 'mark' else token.kind}" for token in tokens[at : at + 6])
    if tokens[at].text == "ENV" and _beside(tokens, at - 1).text not in _DOTS:
        return kinds == " name [ string ] = string"
    if tokens[at].text == "env" and [_beside(tokens, at - 2).text, _beside(tokens, at - 1).text] == [
        "process",
        ".",
    ]:
        return kinds.startswith(" name . name = string")
    return False


def _of_input(tokens: list[Token], at: int) -> bool:
    """Whether a method is one of standard input: `STDIN.read`."""
    return tokens[at].text in ("read", "readlines") and _beside(tokens, at - 2).text in (
        "STDIN",
        "$stdin",
        "ARGF",
    )
