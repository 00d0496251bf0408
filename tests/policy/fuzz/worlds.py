"""Random policy sets, every feature of the language, each set in a namespace of its own so that one PDP serves many.

Kept off the ground of four defects of PDP 0.55 (tests/policy/test_pdp_defects.py): compound conditions carry a mark of
their own and what an output says when a condition is not met is said by no other, every scope with role policies has a
rule for every kind, a role policy has conditions only where its rules are about one resource, and a role has one version a
scope. Kept off chance, too: the PDP takes the resources of a principal policy and the derived roles of a rule in an order
that changes from start to start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

import yaml

from tests.policy.fuzz.conditions import Expressions

CONSENT = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS"
OVERRIDE = "SCOPE_PERMISSIONS_OVERRIDE_PARENT"
ACTIONS = ("view", "edit", "view:public", "view:private", "delete", "approve:a:b", "list")
ACTION_PATTERNS = (
    *ACTIONS,
    "*",
    "view:*",
    "v*",
    "*:public",
    "approve:**",
    "{view,edit}*",
    "[de]*",
    "approve:*",
    "?iew*",
    "*[!t]",
    "{view:{public,private},list*}",
    "view:p*",
    "*:*",
    "**",
)
SCHEMA = {
    "type": "object",
    "properties": {
        "s": {"type": "string", "minLength": 1},
        "n": {"type": "number", "maximum": 4},
        "b": {"type": "boolean"},
        "l": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["s"],
}


class World:
    """One policy set. `files` by name; the other attributes are what requests may draw from. `tokens`: they may carry one."""

    def __init__(self, random: Random, prefix: str, *, tokens: bool = False) -> None:
        self._random = random
        self.prefix = prefix
        self.tokens = tokens
        self._expressions = Expressions(random, prefix)
        self.kinds = [
            f"{prefix}{name}"
            for name in random.sample(("doc", "album:photo", "task", "xdoc"), random.randint(1, 3))
        ]
        self.roles = [f"{prefix}{name}" for name in ("user", "admin", "guest", "staff")]
        self.principals = [f"{prefix}{name}" for name in ("p1", "p2")]
        self.versions = ["default"] + ([f"{prefix}v2"] if random.random() < 0.3 else [])
        self.scopes = self._draw_scopes()
        self.role_scopes = {
            scope: random.choice(self.versions) for scope in self.scopes if random.random() < 0.3
        }
        # To the PDP a role policy says nothing of permissions, which the others of its scope must then not do either.
        self._permissions = {
            scope: random.choice(("", "", OVERRIDE, CONSENT))
            if scope and scope not in self.role_scopes
            else ""
            for scope in self.scopes
        }
        self._derived_names: dict[str, list[str]] = {}
        self._exports: dict[str, tuple[str, ...]] = {}
        self._constant_exports: dict[str, tuple[str, ...]] = {}
        self.files: dict[str, str] = {}
        self._top: dict[str, str] = {}
        self._write()

    def _draw_scopes(self) -> list[str]:
        found = [""]
        for name in self._random.sample(("a", "b"), self._random.randint(0, 2)):
            scope = f"{self.prefix}{name}"
            found.append(scope)
            if self._random.random() < 0.5:
                found.append(f"{scope}.sub")
                if self._random.random() < 0.4:
                    found.append(f"{scope}.sub.deep-1")
        return found

    def _add(self, kind: str, body: dict[str, Any], **more: Any) -> None:
        random = self._random
        document = {"apiVersion": "api.cerbos.dev/v1", **more, kind: body}
        if random.random() < 0.1:
            document["description"] = "é: a 'text'\nof two lines"
        if random.random() < 0.1:
            document["metadata"] = {"annotations": {"team": "x"}, "sourceFile": "elsewhere.yaml"}
        if self._top:
            document["variables"], self._top = self._top, {}
        name = f"{self.prefix}_{len(self.files):03d}"
        if random.random() < 0.15:
            self.files[f"{name}.json"] = json.dumps(document)
            return
        style = random.choice((None, None, True))
        text = yaml.safe_dump(
            document, sort_keys=False, allow_unicode=True, default_flow_style=style, width=10**6
        )
        self.files[f"{name}.yaml"] = text

    def _write(self) -> None:
        random = self._random
        if random.random() < 0.4:
            self._export()
        for number in range(random.randint(0, 2)):
            self._derived_set(f"{self.prefix}set{number}", number)
        for scope, version in self.role_scopes.items():
            self._role_policies(scope, version)
        for kind in self.kinds:
            for version in self.versions:
                self._resource_policies(kind, version)
        for principal in self.principals:
            if random.random() < 0.5:
                self._principal_policies(principal)
        if random.random() < 0.2:
            everything = {"actions": ["*"], "effect": "EFFECT_ALLOW", "roles": ["*"]}
            body = {"resource": self.kinds[0], "version": "default", "rules": [everything]}
            self._add("resourcePolicy", body, disabled=True)
        if not self.files:
            self._resource_policies(self.kinds[0], "default")

    def _export(self) -> None:
        names = (f"{self.prefix}ev1", f"{self.prefix}ev2")
        self._add(
            "exportVariables",
            {
                "name": f"{self.prefix}vars",
                "definitions": {name: self._expressions.value() for name in names},
            },
        )
        self._exports[f"{self.prefix}vars"] = names
        constants = {f"{self.prefix}ec1": self._constant(), f"{self.prefix}ec2": self._constant()}
        self._add("exportConstants", {"name": f"{self.prefix}consts", "definitions": constants})
        self._constant_exports[f"{self.prefix}consts"] = tuple(constants)

    def _constant(self) -> Any:
        return self._random.choice(("x", 5, 1.5, True, None, ["x", 1], {"k": "x", "n": [1, {"z": None}]}))

    def _names(self, body: dict[str, Any]) -> tuple[str, ...]:
        """Give a policy variables and constants; how its expressions may name them."""
        random = self._random
        names: list[str] = []
        if random.random() < 0.4:
            local: dict[str, str] = {"v1": self._expressions.value()}
            if random.random() < 0.6:
                local["v2"] = random.choice(("V.v1", "V.v1 == true", "!V.v1", "variables.v1 == 'x'"))
            section: dict[str, Any] = {"local": local}
            names += [f"V.{name}" for name in local]
            if self._exports and random.random() < 0.5:
                section["import"] = list(self._exports)
                names += [f"V.{name}" for found in self._exports.values() for name in found]
            if random.random() < 0.4:
                local["v3"] = random.choice(
                    (f"V.{self.prefix}ev1 == V.v1", "[V.v1, 'x']", "has(V.v1)", "G.limit > 2.0 && V.v1")
                )
                if "ev1" in local["v3"] and "import" not in section:
                    local["v3"] = "{'k': V.v1}"
                names.append("V.v3")
            body["variables"] = section
        elif random.random() < 0.1:
            self._top = {"old": self._expressions.value()}
            names.append("V.old")
        if random.random() < 0.3:
            section = {"local": {"c1": self._constant(), "c2": self._constant()}}
            names += ["C.c1", "constants.c2"]
            if self._constant_exports and random.random() < 0.5:
                section["import"] = list(self._constant_exports)
                names += [f"C.{name}" for found in self._constant_exports.values() for name in found]
            body["constants"] = section
        return tuple(names)

    def _match(self, names: tuple[str, ...], depth: int = 0, *, marked: bool = False) -> dict[str, Any]:
        random = self._random
        if depth > 1 or (not marked and random.random() < 0.6):
            return {"expr": self._expressions.condition(names)}
        kind = random.choice(("all", "any", "none"))
        mark = self._expressions.mark()
        members = [self._match(names, depth + 1) for _ in range(random.randint(1, 3))]
        members.insert(0, {"expr": f"'{mark}' {'!=' if kind == 'all' else '=='} ''"})
        return {kind: {"of": members}}

    def _condition(
        self, body: dict[str, Any], names: tuple[str, ...], chance: float = 0.6, *, marked: bool = False
    ) -> None:
        """Perhaps a condition; `marked` where the PDP turns it round, which must not look like another as it is."""
        if self._random.random() < chance:
            body["condition"] = {"match": self._match(names, marked=marked)}

    def _output(self, body: dict[str, Any], names: tuple[str, ...], chance: float = 0.25) -> None:
        random = self._random
        if random.random() >= chance:
            return
        when: dict[str, str] = {}
        if random.random() < 0.8:
            when["ruleActivated"] = self._expressions.output(names)
        if not when or random.random() < 0.4:
            when["conditionNotMet"] = f"[{self._expressions.output(names)}]"
        body["output"] = {"when": when}
        if list(when) == ["ruleActivated"] and random.random() < 0.15:
            body["output"] = {"expr": when["ruleActivated"]}

    def _derived_set(self, name: str, number: int) -> None:
        random = self._random
        body: dict[str, Any] = {"name": name, "definitions": []}
        names = self._names(body)
        found: list[str] = []
        for index in range(random.randint(1, 3)):
            role: dict[str, Any] = {
                "name": f"{self.prefix}d{number}{index}",
                "parentRoles": random.sample([*self.roles, "*", f"{self.prefix}u*"], random.randint(1, 2)),
            }
            self._condition(role, names)
            body["definitions"].append(role)
            found.append(role["name"])
        self._derived_names[name] = found
        self._add("derivedRoles", body)

    def _rules(self, body: dict[str, Any], derived: list[str]) -> list[dict[str, Any]]:
        random = self._random
        names = self._names(body)
        rules: list[dict[str, Any]] = []
        asks = body.get("scopePermissions") == CONSENT
        for number in range(random.randint(0, 5)):
            rule: dict[str, Any] = {
                "actions": random.sample(ACTION_PATTERNS, random.randint(1, 3)),
                "effect": random.choice(("EFFECT_ALLOW", "EFFECT_ALLOW", "EFFECT_DENY")),
            }
            if derived and random.random() < 0.4:
                # A DENY stops at the first of its derived roles: at which is chance.
                most = 1 if asks or rule["effect"] == "EFFECT_DENY" else 2
                rule["derivedRoles"] = random.sample(derived, random.randint(1, min(most, len(derived))))
            if "derivedRoles" not in rule or random.random() < 0.3:
                rule["roles"] = random.sample(
                    [*self.roles, "*", f"{self.prefix}*", f"{self.prefix}a*"], random.randint(1, 2)
                )
            if random.random() < 0.4:
                rule["name"] = f"n{number}"
            self._condition(rule, names, marked=asks)
            self._output(rule, names)
            rules.append(rule)
        return rules

    def _resource_policies(self, kind: str, version: str) -> None:
        random, role_scopes = self._random, self.role_scopes
        wanted = {scope for scope in self.scopes if not scope or random.random() < 0.7}
        wanted |= {scope for scope, of in role_scopes.items() if of == version}
        with_schema = random.random() < 0.4
        for scope in _closed(wanted):
            body: dict[str, Any] = {"resource": kind, "version": version}
            if scope:
                body["scope"] = scope
                if self._permissions[scope]:
                    body["scopePermissions"] = self._permissions[scope]
            derived: list[str] = []
            if self._derived_names and random.random() < 0.6:
                body["importDerivedRoles"] = list(self._derived_names)
                derived = [name for found in self._derived_names.values() for name in found]
            body["rules"] = self._rules(body, derived)
            if role_scopes.get(scope) == version:
                body["rules"].append({"actions": ["never"], "effect": "EFFECT_DENY", "roles": ["*"]})
            if with_schema:
                body["schemas"] = {"resourceSchema": {"ref": "cerbos:///fuzz.json"}}
                if random.random() < 0.4:
                    body["schemas"]["resourceSchema"]["ignoreWhen"] = {"actions": ["list", "view:*"]}
                if random.random() < 0.4:
                    body["schemas"]["principalSchema"] = {"ref": "cerbos:///fuzz.json"}
            self._add("resourcePolicy", body)

    def _principal_policies(self, principal: str) -> None:
        random = self._random
        version = random.choice(self.versions)
        for scope in _closed(random.sample(self.scopes, 1)):
            body: dict[str, Any] = {"principal": principal, "version": version}
            if scope:
                body["scope"] = scope
                if self._permissions[scope]:
                    body["scopePermissions"] = self._permissions[scope]
            names = self._names(body)
            patterns = random.sample([*self.kinds, "*", f"{self.prefix}*"], random.randint(1, 2))
            body["rules"] = []
            for pattern in patterns:
                actions = []
                for _ in range(random.randint(1, 2)):
                    action: dict[str, Any] = {
                        "action": random.choice(ACTION_PATTERNS),
                        "effect": random.choice(("EFFECT_ALLOW", "EFFECT_DENY")),
                    }
                    self._condition(action, names, 0.8, marked=body.get("scopePermissions") == CONSENT)
                    # The PDP takes resources in no fixed order: with several, which outputs appear is chance.
                    self._output(action, names, 0.4 if len(patterns) == 1 else 0.0)
                    actions.append(action)
                body["rules"].append({"resource": pattern, "actions": actions})
            self._add("principalPolicy", body)

    def _role_policies(self, scope: str, version: str) -> None:
        random = self._random
        written: list[str] = []
        for role in random.sample(self.roles, random.randint(1, 2)):
            body: dict[str, Any] = {"role": role}
            # Which of a role's ancestors comes first is chance, too: no more than one has a policy, and not itself.
            others = [name for name in self.roles if name not in (role, *written)]
            written.append(role)
            if version != "default":
                body["version"] = version
            if scope:
                body["scope"] = scope
            if random.random() < 0.7:
                body["parentRoles"] = random.sample(others, random.randint(1, 2))
            names = self._names(body)
            patterns = random.sample([*self.kinds, "*", f"{self.prefix}*"], random.randint(1, 2))
            body["rules"] = []
            for pattern in patterns:
                for _ in range(random.randint(1, 2)):
                    rule: dict[str, Any] = {
                        "resource": pattern,
                        "allowActions": random.sample(ACTION_PATTERNS, random.randint(1, 3)),
                    }
                    if len(patterns) == 1:
                        self._condition(rule, names, 0.4, marked=True)
                        self._output(rule, names, 0.3)
                    body["rules"].append(rule)
            self._add("rolePolicy", body)


def _closed(scopes: Iterable[str]) -> list[str]:
    """Scopes with every scope above them."""
    found = set(scopes) | {""}
    for scope in list(found):
        while scope:
            found.add(scope)
            scope = scope.rpartition(".")[0]  # noqa: PLW2901 - climbs
    return sorted(found)
