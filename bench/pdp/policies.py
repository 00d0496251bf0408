"""A policy set of any size and checks about it. Every kind has a policy of its own; each is like its neighbours, not equal."""

from __future__ import annotations

from typing import Any

import yaml

from gateway.policy.directory import SourceFile

ACTIONS = ("view", "edit", "delete")
EXPRESSIONS = 12
"""In one file."""

_ROLES = """apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: common
  definitions:
    - name: owner
      parentRoles: [user]
      condition: {match: {expr: R.attr.owner == P.id}}
"""
_POLICY = """apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: kind@
  version: default
  importDerivedRoles: [common]
  variables:
    local:
      is_owner: R.attr.owner == P.id
      is_big: R.attr.size > 10@
  rules:
    - actions: ["*"]
      effect: EFFECT_ALLOW
      roles: [admin]
    - actions: ["view", "view:*"]
      effect: EFFECT_ALLOW
      derivedRoles: [owner]
    - actions: ["edit"]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          all:
            of:
              - expr: V.is_owner
              - expr: R.attr.status == "DRAFT"
              - expr: '!V.is_big'
    - actions: ["view"]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          any:
            of:
              - expr: R.attr.public
              - expr: '"user@" in R.attr.readers'
              - expr: P.attr.department == R.attr.department && P.attr.level >= 3
    - actions: ["delete"]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: R.attr.locked == true
      output:
        when:
          ruleActivated: '"locked: " + R.id'
    - actions: ["approve"]
      effect: EFFECT_ALLOW
      roles: [manager]
      condition:
        match:
          expr: R.attr.readers.exists(r, r == P.id) && timestamp(R.attr.created) < now()
"""


def policy_set(kinds: int) -> list[SourceFile]:
    """The files of a set: one policy for each kind, and the derived roles they share."""
    files = [SourceFile("roles.yaml", _ROLES.encode())]
    return files + [
        SourceFile(f"kind{number}.yaml", _POLICY.replace("@", str(number)).encode())
        for number in range(kinds)
    ]


def check_body(kind: int, number: int) -> dict[str, Any]:
    """A CheckResources request: three actions on one resource. Owners, ids and sizes differ by `number`."""
    return {
        "requestId": f"bench-{number}",
        "principal": {
            "id": f"user{number % 7}",
            "roles": ["user"],
            "attr": {"department": "engineering", "level": number % 6},
        },
        "resources": [
            {
                "actions": list(ACTIONS),
                "resource": {
                    "kind": f"kind{kind}",
                    "id": f"thing-{number}",
                    "attr": {
                        "owner": f"user{number % 5}",
                        "public": number % 4 == 0,
                        "readers": ["ada", "bob", f"user{number % 3}"],
                        "department": "engineering" if number % 2 else "marketing",
                        "status": "DRAFT",
                        "size": number % 20,
                        "locked": number % 10 == 0,
                        "created": "2021-01-01T00:00:00Z",
                    },
                },
            }
        ],
    }


def check_bodies(size: int, count: int, kinds: int) -> list[dict[str, Any]]:
    """`count` different checks of a set of `size` policies, about as many of its kinds in turn, spread over the set."""
    step = max(1, size // kinds)
    return [check_body(number % kinds * step % size, number) for number in range(count)]


def node_work(files: list[SourceFile]) -> None:
    """What any loader has to do first: the files to YAML nodes, by the C parser."""
    for file in files:
        yaml.compose(file.data, Loader=yaml.CSafeLoader)
