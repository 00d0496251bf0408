"""Copies of the shipped policies: a commented start for a site's own rules, and a store for a remote Cerbos PDP.

Both are made from the packs' text, so that comments stay. The packs keep one form for that (a test holds them to it): a
rule begins with `    - name: <pack>.<rule>`, the last rule is the ALLOW, a test case begins with `  - name: `.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from gateway.domain.vocabulary import CANARY_KIND, OPERATION_ACTIONS, SITE_SCOPE
from gateway.policy_sets.packs import SCHEMAS, TEST_ENDING
from gateway.policy_sets.switches import known_packs

_RULE_NAME = re.compile(rf"\b(?:{'|'.join(pack.name for pack in known_packs())})\.([a-z][a-z0-9_]*)\b")
_RULE = re.compile(r"^    - name: ", re.MULTILINE)
_CASE = re.compile(r"^  - name: ", re.MULTILINE)
_SCHEMA_SECTION = re.compile(r"^  schemas:\n(?:    .*\n)+", re.MULTILINE)
_KIND_INLINE = re.compile(r"\bkind: ([a-z_]+),")
_KIND_LINE = re.compile(r"^( +)kind: ([a-z_]+)$", re.MULTILINE)
_OUTPUT_SOURCE = re.compile(r"\bresource\.([a-z_]+)\.vdefault#")
_RESOURCE_LINE = re.compile(r"^  resource: ([a-z_]+)$", re.MULTILINE)

_HEAD = """\
# Your own rules for {kind} operations: scope `{scope}`, asked beside the shipped rules. The strictest answer of both wins,
# so that a rule here can tighten and never loosen; to loosen, switch a shipped rule off by its name:
#     packs: {{<pack>.<rule>: false}}
#
# Below stand the shipped rules as a start, commented out. Uncomment one, change it, and give it a name of your own. The last
# rule allows what no rule above it speaks about; without it everything would be denied.
#     ostiary policy test DIR              runs the tests beside this file
#     ostiary serve --set policies=[DIR]   puts the rules in force, with the shipped ones
"""
_TEST_HEAD = """\
# Tests of {name}. Uncomment those of the rules you take, and add your own.
"""


def site_start(packs: Mapping[str, str]) -> dict[str, str]:
    """The files of a start for one's own: file name to text. Every one compiles with the packs, and its tests pass."""
    found: dict[str, str] = {}
    for path, text in packs.items():
        directory, _, name = path.partition("/")
        if directory == SCHEMAS or name.startswith("canary"):
            continue
        found[name] = _own_suite(name, text) if name.endswith(TEST_ENDING) else _own_policy(text)
    return found


def pdp_store(packs: Mapping[str, str], kind_prefix: str = "") -> dict[str, str]:
    """The files of a store for a remote PDP: file name to text.

    With `kind_prefix` (as in `check.kind_prefix`) every kind carries it, for a PDP shared with applications; the suites
    name the kinds as they are shipped and are left out then.
    """
    if not kind_prefix:
        return dict(packs)
    return {
        path: text if path.startswith(f"{SCHEMAS}/") else _prefixed(text, kind_prefix)
        for path, text in packs.items()
        if not path.endswith(TEST_ENDING)
    }


def _own_policy(text: str) -> str:
    kind = yaml.safe_load(text)["resourcePolicy"]["resource"]
    body = _SCHEMA_SECTION.sub("", text[text.index("apiVersion:") :])
    body = _RESOURCE_LINE.sub(lambda found: f"{found.group()}\n  scope: {SITE_SCOPE}", body)
    parts = _split(_RULE, _RULE_NAME.sub(rf"{SITE_SCOPE}.\1", body))
    head = _HEAD.format(kind=kind, scope=SITE_SCOPE)
    return head + parts[0] + "".join(_commented(rule) for rule in parts[1:-1]) + parts[-1]


def _own_suite(name: str, text: str) -> str:
    body = _RULE_NAME.sub(rf"{SITE_SCOPE}.\1", text).replace("name: Baseline, ", "name: Our own rules, ")
    body = _KIND_INLINE.sub(rf"kind: \1, scope: {SITE_SCOPE},", body)
    body = _KIND_LINE.sub(rf"\1kind: \2\n\1scope: {SITE_SCOPE}", body)
    body = _OUTPUT_SOURCE.sub(rf"resource.\1.vdefault/{SITE_SCOPE}#", body)
    parts = _split(_CASE, body)
    suite = yaml.safe_load(text)
    principal, resource = next(iter(suite["principals"])), next(iter(suite["resources"]))
    # A kind whose actions are an open set (git's subcommands) is tested with one that its suite names.
    named = suite["tests"][0]["input"]["actions"]
    action = next(iter(OPERATION_ACTIONS[suite["resources"][resource]["kind"]]), named[0])
    first = (
        "  - name: what no rule of ours speaks about is allowed\n"
        f"    input: {{principals: [{principal}], resources: [{resource}], actions: [{action}]}}\n"
        "    expected:\n"
        f"      - {{principal: {principal}, resource: {resource}, actions: {{{action}: EFFECT_ALLOW}}}}\n"
    )
    head = _TEST_HEAD.format(name=name.replace(TEST_ENDING, ".yaml"))
    return head + parts[0] + first + "".join(_commented(case) for case in parts[1:])


def _prefixed(text: str, prefix: str) -> str:
    return _RESOURCE_LINE.sub(lambda found: f'  resource: "{prefix}{found.group(1)}"', text)


def _split(begin: re.Pattern[str], text: str) -> list[str]:
    """What stands before the first item, then each item with the comments above it."""
    places = [found.start() for found in begin.finditer(text)]
    starts = [_with_comments(text, place) for place in places]
    return [
        text[: starts[0]],
        *(text[at:to] for at, to in zip(starts, [*starts[1:], len(text)], strict=True)),
    ]


def _with_comments(text: str, place: int) -> int:
    """Where the comment lines directly above a place begin."""
    while True:
        line = text.rfind("\n", 0, place - 1) + 1
        if not text[line:place].lstrip().startswith("#"):
            return place
        place = line


def _commented(text: str) -> str:
    return "".join(f"# {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def kinds_of(files: Mapping[str, str]) -> tuple[str, ...]:
    """The resource kinds of policies, the canary's excepted."""
    kinds = {kind for text in files.values() for kind in _RESOURCE_LINE.findall(text)}
    return tuple(sorted(kinds - {CANARY_KIND}))
