"""Everything `policy new` would write, worked out before the first file is touched, and tried before it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from gateway.domain.vocabulary import ROLES
from gateway.errors import PolicyError
from gateway.policy.authoring.merge import with_rule
from gateway.policy.authoring.prove import prove
from gateway.policy.authoring.sentence import Wish, parse_sentence
from gateway.policy.authoring.targets import Target, WordTable, target_of
from gateway.policy.authoring.texts import open_root_text, policy_text, rule_lines, rule_name, suite_text
from gateway.policy.directory import SourceFile
from gateway.policy.engine import Engine
from gateway.policy.load import load_documents
from gateway.policy.model import ResourcePolicy
from gateway.policy.problems import Complaints
from gateway.policy.table import scope_chain

_WORDS = Path(__file__).with_name("words.yaml")


class ExistsError(PolicyError):
    """A rule of that name is there already; its author changes that one."""

    exit_status = 2


class Plan(Struct, frozen=True, kw_only=True):
    """Files by name below the directory, with their whole new text. `changed` existed before."""

    rule: str
    wish: Wish
    target: Target
    scope: str
    files: Mapping[str, str]
    changed: frozenset[str]

    def with_suite(self, engine: Engine) -> Plan:
        """The plan with the rule's test, as an engine over the planned files decides it. Raises MootError."""
        trial = prove(self.wish, self.target, self.rule, self.scope, ROLES, engine)
        suite = suite_text(self.wish, self.target, self.rule, self.scope, trial)
        return structs.replace(self, files={**self.files, self.suite: suite})

    @property
    def suite(self) -> str:
        """The file of the test."""
        return f"{self.scope}/{self.rule.rpartition('.')[2]}_test.yaml"


def word_table() -> WordTable:
    """The words of sentences."""
    return msgspec.yaml.decode(_WORDS.read_bytes(), type=WordTable)


def plan_rule(
    sentence: str, *, scope: str, own: Sequence[SourceFile], root: str, shipped_kinds: frozenset[str]
) -> Plan:
    """What to write for a sentence.

    `own` are the policy files of the author's directory `root`, `shipped_kinds` the kinds with a policy in the packs.
    Raises SentenceError, ExistsError or MergeError.
    """
    words = word_table()
    wish = _singular(parse_sentence(sentence, words.verbs, frozenset(words.everybody)))
    target = target_of(wish, words)
    name = rule_name(wish, scope.replace(".", "_"))
    present = _present(own)
    _refuse_twice(name, present)
    rule = rule_lines(wish, target, name)
    files: dict[str, str] = {}
    changed: set[str] = set()
    for level in scope_chain(scope):
        document = present.get((target.kind, level))
        if level == scope:
            if document is not None:
                file = document.place.file
                text = next(item.data for item in own if item.name == file).decode("utf-8-sig")
                below = file.removeprefix(f"{root.rstrip('/')}/")
                files[below] = with_rule(text, rule, kind=target.kind, scope=scope, file=file)
                changed.add(below)
            else:
                comment = (
                    f"Rules of the layer `{scope}` for {target.kind}: they tighten the shipped ones, never loosen them.",
                )
                files[f"{level}/{target.kind}.yaml"] = policy_text(target.kind, level, rule, comment)
        elif document is None and level:
            comment = (f"Empty: the layer `{scope}` needs a policy in every layer above it.",)
            files[f"{level}/{target.kind}.yaml"] = policy_text(target.kind, level, (), comment)
        elif document is None and target.kind not in shipped_kinds:
            files[f"root/{target.kind}.yaml"] = open_root_text(target.kind)
    return Plan(rule=name, wish=wish, target=target, scope=scope, files=files, changed=frozenset(changed))


def _singular(wish: Wish) -> Wish:
    """Roles are written in the plural as well; only the known ones are sure to have a singular."""
    if wish.role.endswith("s") and wish.role[:-1] in ROLES:
        return msgspec.structs.replace(wish, role=wish.role[:-1])
    return wish


def _present(own: Sequence[SourceFile]) -> dict[tuple[str, str], ResourcePolicy]:
    return {
        (document.name, document.scope): document
        for document in load_documents(own, Complaints())
        if isinstance(document, ResourcePolicy) and document.version == "default"
    }


def _refuse_twice(name: str, present: Mapping[tuple[str, str], ResourcePolicy]) -> None:
    for document in present.values():
        for rule in document.rules:
            if rule.name == name:
                raise ExistsError(
                    f"There is a rule {name!r} already.",
                    number=104,
                    remedy="Change that one.",
                    file=rule.place.file,
                    line=rule.place.line,
                    column=rule.place.column,
                )
