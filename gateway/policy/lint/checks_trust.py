"""Checks of trust: rules that rest on names the adversary picks, and denials that a value of his choice switches off."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy.cel.ast import Call, Macro, Node
from gateway.policy.expressions import (
    EQUALS,
    IN,
    INDEX,
    Path,
    is_test,
    literal_texts,
    path_of,
    paths_in,
    unparse,
    walk,
)
from gateway.policy.lint.findings import Findings, Rule
from gateway.policy.lint.subjects import Atom, Subject
from gateway.policy.lint.words import Words

_ANY_TYPE = frozenset({"type", "dyn", EQUALS, "_!=_", "_&&_", "_||_", "!_", "_?_:_", *INDEX})
"""Functions that take a value of every type (an index is checked where its value is used)."""
_RULES_OFF = ("R", "attr", "rules_off")
_MCP_TOOL = "mcp__"


def check_trust(subject: Subject, words: Words, findings: Findings) -> None:
    """All checks of trust of one rule."""
    if subject.stops:
        _check_escape(subject, words, findings)
        _check_types(subject, words, findings)
    else:
        _check_chosen(subject, words, findings)


def _check_chosen(subject: Subject, words: Words, findings: Findings) -> None:
    """An ALLOW must rest on something beside names that whoever writes a repository can pick."""
    tests = [atom for atom in subject.atoms if not _is_rules_off(atom)]
    chosen = [atom for atom in tests if _only_chosen(atom, subject.kind, words)]
    loosening = "skips the prompt" if subject.decision == "skip_prompt" else "allows"
    if tests and len(chosen) == len(tests):
        findings.add(
            Rule.CHOSEN_NAME,
            chosen[0].place,
            f"The rule {loosening} by `{unparse(chosen[0].tree)}` alone, a name that the agent or a repository picks.",
            "Test something proven as well: P.roles, P.attr, or R.attr.source of an MCP tool.",
        )
    elif not tests and words.is_call(subject.kind):
        names = [action for action in subject.rule.actions if action.startswith(_MCP_TOOL)]
        if names:
            findings.add(
                Rule.CHOSEN_NAME,
                subject.rule.place,
                f"The rule {loosening} {names[0]!r}, a name that any repository's .mcp.json can take.",
                'Write a rule for mcp_tool that also tests R.attr.source == "managed".',
            )


def _check_escape(subject: Subject, words: Words, findings: Findings) -> None:
    """A denial must not hold only while a chosen name is another one."""
    for atom in subject.atoms:
        if atom.needed and not atom.positive and _only_chosen(atom, subject.kind, words):
            findings.add(
                Rule.CHOSEN_ESCAPE,
                atom.place,
                f"Whoever makes `{unparse(atom.tree)}` true is not stopped, and the agent or a repository picks that name.",
                "Except by something proven: P.roles, P.attr, or R.attr.source of an MCP tool.",
            )


def _only_chosen(atom: Atom, kind: str, words: Words) -> bool:
    paths = [path for path, _ in paths_in(atom.tree)]
    return bool(paths) and all(words.is_chosen(kind, path) for path in paths)


def _is_rules_off(atom: Atom) -> bool:
    return any(path == _RULES_OFF for path, _ in paths_in(atom.tree))


def _check_types(subject: Subject, words: Words, findings: Findings) -> None:
    """A function of texts over a value whose type the client chooses: a list there makes the denial an error."""
    guarded = {path for atom in subject.atoms if atom.needed and atom.positive for path in _guards(atom.tree)}
    for part in subject.parts:
        for path, node in _typed_uses(part.tree):
            if words.is_untyped(subject.kind, path) and path not in guarded:
                value = ".".join(path)
                findings.add(
                    Rule.TYPE_ERROR,
                    part.place,
                    f"`{unparse(node)}` is an error when {value} is no text, and an error does not deny on a remote PDP.",
                    f"Write `type({value}) == string && …` and deny other types, or test an operation, whose types are sure.",
                )


def _guards(tree: Node) -> Iterator[Path]:
    """The paths whose type a test makes sure."""
    if isinstance(tree, Call) and tree.function == EQUALS:
        for side in tree.args:
            if isinstance(side, Call) and side.function == "type" and side.target is None:
                path = path_of(side.args[0])
                if path is not None:
                    yield path


def _typed_uses(tree: Node) -> Iterator[tuple[Path, Node]]:
    """Paths that something needs to be of a certain type, with what needs it."""
    for node in walk(tree):
        needing: list[Node] = []
        if isinstance(node, Macro):
            needing = [node.operand]
        elif isinstance(node, Call):
            if node.function == IN:
                needing = [node.args[1]]
            elif node.function not in _ANY_TYPE:
                needing = [*([node.target] if node.target is not None else []), *node.args]
        for operand in needing:
            path = path_of(operand)
            if path is not None and not is_test(operand):
                yield path, node


def check_command_text(subject: Subject, words: Words, findings: Findings) -> None:
    """Patterns over a command's text: what the command does is an operation, however it is written."""
    if not words.is_call(subject.kind):
        return
    for part in subject.parts:
        for node in walk(part.tree):
            if not isinstance(node, Call) or node.function in {"_&&_", "_||_", "!_", "type"}:
                continue
            sides = [*([node.target] if node.target is not None else []), *node.args]
            if any(path_of(side) == _COMMAND for side in sides):
                texts = [text for side in sides for text in literal_texts(side)]
                findings.add(
                    Rule.COMMAND_TEXT,
                    part.place,
                    f"`{unparse(node)}` looks at the text of a command, which can be written in many ways.",
                    f"Write the rule for {_operation(' '.join(texts))}, which holds whichever way it is done.",
                )


_COMMAND = ("R", "attr", "tool_input", "command")
_HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("rm", "unlink", "shred", "rmdir"), "the kind file, action delete"),
    (("curl", "wget", "http", "nc", "ssh", "scp"), "the kind host, actions connect and send"),
    (("git",), "the kind git"),
    (("npm", "pip", "apt", "brew", "cargo", "yarn", "pnpm", "uv"), "the kind package"),
    (
        ("env", "printenv", "token", "secret", "password"),
        "the kind credential, or the group secrets of the kind file",
    ),
    (("cat", "less", "head", "tail", "/etc", ".env", "cp"), "the kind file, action read"),
)


def _operation(text: str) -> str:
    """The operation that a pattern probably means."""
    for words, operation in _HINTS:
        if any(word in text for word in words):
            return operation
    return "the kind command, action execute, which knows R.attr.name and R.attr.argv"
