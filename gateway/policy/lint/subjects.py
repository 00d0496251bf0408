"""Rules as the lint sees them: with their kind, their whole condition as trees, and the place of every part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from gateway.policy.cel import CelCompileError
from gateway.policy.cel.ast import Call, MapExpr, Node
from gateway.policy.expressions import (
    AND,
    DIFFERS,
    EQUALS,
    NOT,
    OR,
    Path,
    checked_tree,
    literal_text,
    path_of,
    paths_in,
    walk,
)
from gateway.policy.model import (
    Body,
    Document,
    ExportVariables,
    ExpressionText,
    Match,
    PrincipalPolicy,
    ResourcePolicy,
    RuleText,
)
from gateway.policy.problems import Place


class Part(Struct, frozen=True, eq=False):
    """One expression of a rule and where it stands."""

    tree: Node
    place: Place


class Atom(Struct, frozen=True, eq=False):
    """One test of a condition: a tree without `&&`, `||`, `!` and `!=` on top.

    `positive`: the rule wants it true. `needed`: the rule cannot hold when it is the other way.
    """

    tree: Node
    place: Place
    positive: bool
    needed: bool


class Subject(Struct, frozen=True, eq=False, kw_only=True):
    """One rule of a resource or principal policy about one kind (a name, or a glob in principal policies)."""

    policy: Body
    rule: RuleText
    kind: str
    parts: tuple[Part, ...]
    """Every expression its condition rests on: its own, and those of the variables it uses."""
    atoms: tuple[Atom, ...]
    output: Part | None

    @property
    def named(self) -> bool:
        """Whether its author gave it a name; others are numbered."""
        return not self.rule.name.startswith("rule-") and "_rule-" not in self.rule.name

    @property
    def asks(self) -> bool:
        """Whether its output leaves the call to a person."""
        return self.decision == "ask"

    @property
    def decision(self) -> str:
        """The `decision` its output always names, "" when it names none or one that depends."""
        if self.output is None or not isinstance(self.output.tree, MapExpr):
            return ""
        for key, value, _ in self.output.tree.entries:
            if literal_text(key) == "decision":
                return literal_text(value) or ""
        return ""

    @property
    def stops(self) -> bool:
        """Whether it holds calls back: a denial, or a question to a person."""
        return self.rule.effect == "EFFECT_DENY" or self.asks

    def reads(self) -> Iterator[tuple[Path, Node, Place]]:
        """Every path its condition reads."""
        for part in self.parts:
            for path, node in paths_in(part.tree):
                yield path, node, part.place


def subjects(documents: Sequence[Document]) -> tuple[Subject, ...]:
    """The rules of every resource and principal policy. Expressions that do not compile are left out."""
    exports = {document.name: document for document in documents if isinstance(document, ExportVariables)}
    found: list[Subject] = []
    for document in documents:
        if isinstance(document, ResourcePolicy | PrincipalPolicy):
            variables = _variables(document, exports)
            found += [_subject(document, rule, variables) for rule in document.rules]
    return tuple(found)


def _subject(
    policy: ResourcePolicy | PrincipalPolicy, rule: RuleText, variables: Mapping[str, Part]
) -> Subject:
    collector = _Collector(variables)
    if rule.condition is not None:
        collector.match(rule.condition, positive=True, needed=True)
    output = rule.output.activated if rule.output else None
    return Subject(
        policy=policy,
        rule=rule,
        kind=policy.name if isinstance(policy, ResourcePolicy) else rule.resource,
        parts=tuple(collector.parts.values()),
        atoms=tuple(collector.atoms),
        output=_part(output) if output else None,
    )


class _Collector:
    """Takes a condition apart, variables opened."""

    def __init__(self, variables: Mapping[str, Part]) -> None:
        self._variables = variables
        self._open: list[str] = []
        self.parts: dict[Place, Part] = {}
        self.atoms: list[Atom] = []

    def match(self, match: Match, *, positive: bool, needed: bool) -> None:
        """A condition: below `all` every member is needed, below `any` none, below `none` each must be false."""
        if match.expression is not None:
            part = _part(match.expression)
            if part is not None:
                self._expression(part, positive=positive, needed=needed)
        kind = match.kind
        if kind == "none":
            positive = not positive
        joined = (kind == "all" and positive) or (kind in {"any", "none"} and not positive)
        for member in match.members:
            self.match(member, positive=positive, needed=needed and (joined or len(match.members) == 1))

    def _expression(self, part: Part, *, positive: bool, needed: bool) -> None:
        self.parts[part.place] = part
        self._tree(part.tree, part.place, positive=positive, needed=needed)
        for node in walk(part.tree):
            self._variable(node, positive=None, needed=False)

    def _tree(self, node: Node, place: Place, *, positive: bool, needed: bool) -> None:
        if isinstance(node, Call) and node.target is None:
            if node.function in {AND, OR}:
                joined = (node.function == AND) == positive
                for arg in node.args:
                    self._tree(arg, place, positive=positive, needed=needed and joined)
                return
            if node.function == NOT:
                self._tree(node.args[0], place, positive=not positive, needed=needed)
                return
            if node.function == DIFFERS:
                node = Call(EQUALS, node.args, node.offset)
                positive = not positive
        if not self._variable(node, positive=positive, needed=needed):
            self.atoms.append(Atom(node, place, positive, needed))

    def _variable(self, node: Node, *, positive: bool | None, needed: bool) -> bool:
        """Open a variable: as part of the condition, or (`positive` None) only to know what it reads."""
        path = path_of(node)
        if path is None or len(path) != 2 or path[0] != "V" or path[1] in self._open:
            return False
        part = self._variables.get(path[1])
        if part is None:
            return False
        self._open.append(path[1])
        if positive is None:
            if part.place not in self.parts:
                self.parts[part.place] = part
                for below in walk(part.tree):
                    self._variable(below, positive=None, needed=False)
        else:
            self._expression(part, positive=positive, needed=needed)
        self._open.pop()
        return True


def _part(text: ExpressionText) -> Part | None:
    try:
        return Part(checked_tree(text.text), text.place)
    except CelCompileError:
        return None


def _variables(policy: Body, exports: Mapping[str, ExportVariables]) -> dict[str, Part]:
    texts: dict[str, ExpressionText] = {}
    for name, _ in policy.definitions.variable_imports:
        if name in exports:
            texts |= exports[name].definitions.variables
    texts |= {**policy.definitions.old_variables, **policy.definitions.variables}
    return {name: part for name, text in texts.items() if (part := _part(text)) is not None}
