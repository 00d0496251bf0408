"""What a policy file may say: accepted and refused exactly where the real PDP's compiler accepts and refuses it."""

from __future__ import annotations

import itertools
import json
import subprocess

import pytest

from gateway.policy.directory import read_roots
from gateway.policy.engine import compile_policies
from gateway.policy.problems import PolicyProblems
from gateway.policy.settings import EngineSettings
from tests.policy.writing import API
from tests.support.processes import cerbos_binary

_numbers = itertools.count()
_RULE = "{actions: [view], effect: EFFECT_ALLOW, roles: [user]}"


def _resource(rule=_RULE, resource="", version="default", extra=""):
    name = resource or f"k{next(_numbers)}"
    return API + f"resourcePolicy:\n  resource: {name}\n  version: {version}\n{extra}  rules: [{rule}]\n"


def _rule(fields):
    return _resource("{" + fields + "}")


def _principal(principal="", rules="[{resource: k, actions: [{action: v, effect: EFFECT_ALLOW}]}]"):
    name = principal or f"p{next(_numbers)}"
    return API + f"principalPolicy:\n  principal: {name}\n  version: default\n  rules: {rules}\n"


def _role(role="", rules="[{resource: k, allowActions: [v]}]", extra=""):
    name = role or f"r{next(_numbers)}"
    return API + f"rolePolicy:\n  role: {name}\n{extra}  rules: {rules}\n"


def _derived(definition="{name: x, parentRoles: [y]}", name=""):
    return API + f"derivedRoles:\n  name: {name or f'd{next(_numbers)}'}\n  definitions: [{definition}]\n"


_ALLOW = "effect: EFFECT_ALLOW"
_HOLDS = f"actions: [view], {_ALLOW}, roles: [user]"
FILES = [
    *(_resource(version=value) for value in ["a-b", "1.0", '"v 1"', "ünï", '""', "20210210", "true", "null", "1e3"]),
    *(
        _resource(resource=value)
        for value in ["q b", '"q*"', "q/c", '"1q"', '"üq"', '"q:d"', '":q"', '"q?"', '"q[b"', '"!q"', '""', "q@b", "789"]
    ),
    *(
        _resource(extra=f"  scope: {value}\n")
        for value in ['""', '"a b"', '".a"', '"a."', '"a..b"', '"-a"', '"_a"', '"é"', '"a.-b"']
    ),
    *(_rule(f"{_HOLDS}, name: {value}") for value in ["a", '"1a"', '"a b"', '"a:b"', "a.b-c@d", "é", '""', "true"]),
    *(
        _rule(f"actions: [view], {_ALLOW}, roles: {value}")
        for value in ["[]", '["*"]', '["a b"]', '[""]', "[a, a]", "user", "[1]", "[null]", '["a[b"]', '["@x"]', "[[x]]"]
    ),
    *(
        _rule(f"actions: {value}, {_ALLOW}, roles: [u]")
        for value in ["[]", '["*"]', '["a b"]', '[""]', "[a, a]", "view", '["a[*"]', '["{a*"]', "[[x]]"]
    ),
    *(
        _rule(f"actions: [view], effect: {value}, roles: [u]")
        for value in ["EFFECT_UNSPECIFIED", "EFFECT_NO_MATCH", "ALLOW", "1", "2", "0", "effect_allow", '""', "EFFECT_DENY"]
    ),
    *(_rule(f"{_HOLDS}, derivedRoles: {value}") for value in ['["*"]', '["a b"]', '[""]', "[]"]),
    _rule(f"actions: [view], {_ALLOW}"),
    _rule(f"{_ALLOW}, roles: [u]"),
    _rule("actions: [view], roles: [u]"),
    _resource("null"),
    _resource(f"{{{_HOLDS}, name: x}}, {{{_HOLDS}, name: x}}"),
    *(
        _rule(f"{_HOLDS}, condition: {value}")
        for value in [
            "null", "{}", "{match: {}}", "{match: null}", "{match: {all: {}}}", "{match: {all: {of: []}}}", '{match: {expr: "true"}}',
            '{match: {any: {of: [{expr: "true"}]}}}', '{match: {expr: "true", any: {of: [{expr: "true"}]}}}', "{match: {expr: [x]}}",
        ]
    ),
    *(_rule(f"{_HOLDS}, output: {value}") for value in ["null", '{expr: "1"}', '{when: {ruleActivated: "1"}}', "{when: null}", "[]"]),
    _rule(f"{_HOLDS}, derived_roles: []"),
    _rule(f"{_HOLDS}, nope: 1"),
    *(_resource(extra=f"  {field}\n") for field in [
        "scopePermissions: FOO", "scope_permissions: SCOPE_PERMISSIONS_UNSPECIFIED", "importDerivedRoles: []", 'importDerivedRoles: ["a b"]',
        "schemas: {}", "schemas: {principalSchema: {}}", 'schemas: {principalSchema: {ref: ""}}', "schemas: null", "variables: {local: {}}",
        "variables: {local: {a: 1}}", "variables: {local: {a: [1]}}", "constants: {local: {a: [1, {b: null}]}}", "variables: {nope: 1}",
    ]),
    API + f"resourcePolicy:\n  resource: k{next(_numbers)}\n",
    API + "resourcePolicy:\n  version: default\n",
    API + f"resourcePolicy:\n  resource: k{next(_numbers)}\n  version: default\n",
    API + f"resourcePolicy:\n  resource: k{next(_numbers)}\n  version: default\n  rules:\n",
    *(_principal(value) for value in ["a b", '"a*"', '""', "üp", '"a:p"', '"a?"', "7788"]),
    *(
        _principal(rules=f"[{{resource: k, actions: [{value}]}}]")
        for value in ['{action: "", effect: EFFECT_ALLOW}', "{effect: EFFECT_ALLOW}", "{action: v}", "{action: v, effect: EFFECT_ALLOW, roles: [x]}", ""]
    ),
    _principal(rules="[{resource: k, actions: [{action: v, effect: EFFECT_ALLOW}]}, {resource: k, actions: [{action: w, effect: EFFECT_DENY}]}]"),
    _principal(rules="[{resource: '', actions: [{action: v, effect: EFFECT_ALLOW}]}]"),
    _principal(rules="[]"),
    *(_role(value) for value in ["a b", '"a*"', '""', '"*"', "ür", "4455"]),
    *(
        _role(rules=f"[{value}]")
        for value in [
            "{resource: k, allowActions: []}", "{resource: k}", "{allowActions: [v]}", '{resource: "", allowActions: [v]}',
            '{resource: k, allowActions: [""]}', "{resource: k, allowActions: [v, v]}", '{resource: k, allowActions: [v], name: "1"}',
            "{resource: k, allowActions: [v], effect: EFFECT_DENY}", "{resource: k, allowActions: [v], name: x}", "",
        ]
    ),
    *(_role(extra=f"  {field}\n") for field in ["parentRoles: []", "parentRoles: [a, a]", 'parentRoles: [""]', 'version: "a b"', 'version: ""']),
    *(_derived(name=value) for value in ["a b", '""', "ü", "a.b-c", '"a*"']),
    *(_derived(value) for value in [
        "", "{name: x}", "{parentRoles: [y]}", '{name: "a b", parentRoles: [y]}', "{name: x, parentRoles: []}", "{name: x, parentRoles: [y, y]}",
        "{name: x, parentRoles: [y]}, {name: x, parentRoles: [z]}", '{name: x, parentRoles: ["a b", "c*"]}', '{name: x, parentRoles: [""]}',
    ]),
    *(API + f"exportVariables: {value}\n" for value in [
        '{name: "a b", definitions: {x: "1"}}', '{name: "", definitions: {}}', "{name: ev1, definitions: {}}", "{name: ev2}", "{definitions: {}}",
        "{name: ev3, definitions: {x: 1, y: true}}", "{name: ev4, definitions: {x: [1]}}",
    ]),
    *(API + f"exportConstants: {value}\n" for value in [
        '{name: "a b", definitions: {x: 1}}', "{name: ec1, definitions: {x: [1, null]}}", "{name: ec2}", "{name: ec3, definitions: null}",
    ]),
    *(field + _resource() for field in [
        "description: x\n", "disabled: true\n", 'disabled: "true"\n', "disabled: yes\n", "metadata: {annotations: {a: b}}\n", "metadata: {foo: x}\n",
        "$schema: x\n", 'variables: {a: "1"}\n', "variables: {local: {a: x}}\n", "name: x\n",
    ]),
    API, "hello\n", "- a\n", "", "# nothing\n", "null\n", _resource().replace(API, ""), _resource().replace("/v1", "/v2"),
    API + "resourcePolicy: {resource: a1, resource: a2, version: default}\n",
    API + "resourcePolicy:\n\tresource: x\n",
    API + "resourcePolicy: {resource: *x, version: a}\n",
]  # fmt: skip


@pytest.mark.pdp
def test_files_are_accepted_and_refused_where_the_pdp_does(tmp_path):
    for number, text in enumerate(FILES):
        (tmp_path / f"{number:03d}.yaml").write_text(text)
    done = subprocess.run(
        [str(cerbos_binary()), "compile", "--output=json", str(tmp_path)],
        capture_output=True, text=True, check=False, env={"HOME": str(tmp_path)},
    )  # fmt: skip
    refused = {failure["file"] for failure in json.loads(done.stdout)["lintErrors"]["load_failures"]}
    with pytest.raises(PolicyProblems) as caught:
        compile_policies(read_roots([tmp_path]), EngineSettings())
    ours = {
        problem.file.rpartition("/")[2]
        for problem in caught.value.problems
        if problem.problem.stage == "load"
    }
    described = {f"{number:03d}.yaml": text for number, text in enumerate(FILES)}
    assert {name: described[name] for name in refused - ours} == {}
    assert {name: described[name] for name in ours - refused} == {}
