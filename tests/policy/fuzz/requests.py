"""Random requests to a world, most of them valid."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.policy.fuzz.worlds import ACTIONS, World

_VALUES: dict[str, tuple[Any, ...]] = {
    "s": ("x", "y", "x,y", "X", "", "zz", "/home/x"),
    "n": (1, 2, 3, 5, -3, 1.5, 0, 7.25, 1e9),
    "b": (True, False),
    "l": (["x", "y"], ["x"], [], ["zz"], ["y", "q", "x"]),
    "m": ({"k": "x"}, {"k": "y", "z": 1}, {}, {"q": {"k": "x"}}),
    "t": ("2024-02-29T23:59:59Z", "2021-04-20T10:05:20.021-05:00", "nonsense"),
}
_ODD: tuple[Any, ...] = (None, 5, "text", [1, "x"], {"k": 1}, True, 2.5, [])


def attributes(random: Random) -> dict[str, Any]:
    """Attributes: each present most of the time, of its own type nearly always."""
    found: dict[str, Any] = {}
    for name, values in _VALUES.items():
        if random.random() < 0.85:
            found[name] = random.choice(_ODD) if random.random() < 0.08 else random.choice(values)
    if random.random() < 0.3:
        found["dept"] = random.choice(("eng", "ops"))
    return found


def _scope(random: Random, world: World) -> str:
    if random.random() < 0.1:
        return random.choice((f"{world.prefix}zz", f"{world.prefix}a.none", "."))
    return random.choice(world.scopes)


def request(random: Random, world: World) -> dict[str, Any]:
    """A valid CheckResources request."""
    principal: dict[str, Any] = {
        "id": random.choice(world.principals) if random.random() < 0.8 else f"{world.prefix}nobody",
        "roles": random.sample([*world.roles, f"{world.prefix}stranger"], random.choice((1, 1, 2, 3))),
        "attr": attributes(random),
    }
    if random.random() < 0.3:
        principal["scope"] = _scope(random, world)
    resources = []
    for number in range(random.randint(1, 4)):
        kind = random.choice(world.kinds)
        if random.random() < 0.15:
            kind = random.choice(
                (kind.replace(":", "_"), f"{world.prefix}unknown" if not world.role_scopes else kind)
            )
        resource: dict[str, Any] = {"kind": kind, "id": f"r{number}", "attr": attributes(random)}
        if random.random() < 0.6:
            resource["scope"] = _scope(random, world)
        if random.random() < 0.3:
            resource["policyVersion"] = random.choice([*world.versions, "none"])
        actions = random.sample([*ACTIONS, "other"], random.randint(1, 4))
        resources.append({"actions": actions, "resource": resource})
    found = {"requestId": "f", "principal": principal, "resources": resources}
    if random.random() < 0.9:
        found["includeMeta"] = True
    return found


def spoil(random: Random, given: dict[str, Any]) -> bytes:
    """A request that is not valid, or nearly so."""
    text = json.dumps(given)
    entry = given["resources"][0]
    choice = random.randrange(12)
    if choice == 0:
        given["extra"] = 1
    elif choice == 1:
        given["principal"]["roles"] = random.choice(([], ["a", "a"], [""], "a", [1], None))
    elif choice == 2:
        entry["actions"] = random.choice(([], ["a", "a"], [""], ["a", ""], None, {}))
    elif choice == 3:
        entry["resource"].pop(random.choice(("kind", "id")))
    elif choice == 4:
        entry["resource"]["scope"] = random.choice(("a b", "é", ".x", 5, None))
    elif choice == 5:
        given["principal"]["policyVersion"] = random.choice(("a-b", "a b", True))
    elif choice == 6:
        return text[: random.randrange(1, len(text))].encode()
    elif choice == 7:
        given["resources"] = random.choice(([], [None], {}, "x", [{}]))
    elif choice == 8:
        given["auxData"] = random.choice(({"jwt": {"token": ""}}, {"jwt": {}}, {"jwt": 5}, {"foo": 1}))
    elif choice == 9:
        given["principal"]["attr"][""] = 1
    elif choice == 10:
        given["resources"] = [entry] * 51
    else:
        entry["actions"] = [f"a{number}" for number in range(51)]
    return json.dumps(given).encode()
