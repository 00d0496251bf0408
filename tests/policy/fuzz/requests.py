"""Random requests to a world, most of them valid."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

from tests.policy.cel.generate import request as expression_request
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
    if random.random() < 0.5:
        found.update(expression_request(random)["resource"]["attr"])
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
    if random.random() < 0.2:
        principal["policyVersion"] = random.choice([*world.versions, "none"])
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
    if world.tokens and random.random() < 0.5:
        found["auxData"] = {"jwt": {"token": token(random)}}
    if random.random() < 0.1:
        found["requestContext"] = {"annotations": {"a": random.choice((1, "x", [None]))}}
    return _snake(found) if random.random() < 0.05 else found


_CLAIMS: tuple[dict[str, Any], ...] = (
    {},
    {"sub": "alice", "groups": ["dev", "x"], "level": 3},
    {"sub": "bob", "groups": "dev", "level": "3", "iat": 1_600_000_000},
    {"aud": "admin", "iat": 1_600_000_000.5, "exp": 4_000_000_000, "nested": {"k": [1, None]}},
    {"aud": ["admin", "user"], "nbf": 5, "groups": []},
    {"exp": 5},
    {"nbf": 4_000_000_000},
    {"sub": 5},
    {"iss": "i", "jti": "j", "big": 9_007_199_254_740_993, "neg": -1.5},
)


def token(random: Random) -> str:
    """A token that nobody signed, now and then no token."""
    if random.random() < 0.03:
        return random.choice(("", "a.b.c", "x", "e30.e30.", "e30.W10.AA"))
    parts = ({"alg": "HS256", "typ": "JWT"}, random.choice(_CLAIMS))
    return ".".join([*(_segment(json.dumps(part).encode()) for part in parts), _segment(b"signature")])


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _snake(given: dict[str, Any]) -> dict[str, Any]:
    """The same request with the names of its messages' fields as they are in the protocol files."""
    names = {"requestId": "request_id", "includeMeta": "include_meta", "auxData": "aux_data"}
    found = {names.get(name, name): value for name, value in given.items()}
    for record in (found["principal"], *(entry["resource"] for entry in found["resources"])):
        if "policyVersion" in record:
            record["policy_version"] = record.pop("policyVersion")
    return found


def spoil(random: Random, given: dict[str, Any]) -> bytes:
    """A request that is not valid, or nearly so."""
    if random.random() < 0.3:
        return _spoilt_text(random, json.dumps(given))
    entry = given["resources"][0]
    choice = random.randrange(6)
    if random.random() < 0.5:
        _spoil_message(random, given, entry, choice)
    else:
        _spoil_list(random, given, entry, choice)
    return json.dumps(given).encode()


def _spoil_message(random: Random, given: dict[str, Any], entry: dict[str, Any], choice: int) -> None:
    """A field that is wrong, or not there."""
    if choice == 0:
        random.choice((given, given["principal"], entry, entry["resource"]))["extra"] = 1
    elif choice == 1:
        entry["resource"].pop(random.choice(("kind", "id")))
    elif choice == 2:
        entry["resource"]["scope"] = random.choice(("a b", "é", ".x", "a..b", 5, None))
    elif choice == 3:
        given["principal"]["policyVersion"] = random.choice(("a-b", "a b", True))
    elif choice == 4:
        given[random.choice(("requestId", "includeMeta"))] = random.choice((5, "true", None, [], "x" * 300))
    else:
        entry["resource"][random.choice(("kind", "id"))] = random.choice((5, None, "", [], "a b", "é"))


def _spoil_list(random: Random, given: dict[str, Any], entry: dict[str, Any], choice: int) -> None:
    """A list or mapping that is wrong, empty or too long."""
    if choice == 0:
        given["principal"]["roles"] = random.choice(([], ["a", "a"], [""], "a", [1], None))
    elif choice == 1:
        wrong = ([], ["a", "a"], [""], ["a", ""], None, {}, [f"a{number}" for number in range(51)])
        entry["actions"] = random.choice(wrong)
    elif choice == 2:
        given["resources"] = random.choice(([], [None], {}, "x", [{}], [entry] * 51))
    elif choice == 3:
        given["auxData"] = random.choice(({"jwt": {"token": ""}}, {"jwt": {}}, {"jwt": 5}, {"foo": 1}))
    elif choice == 4:
        given["principal"] = random.choice((None, {}, [], "p", {"id": "p"}, {"roles": ["r"]}))
    else:
        odd: tuple[Any, ...] = (
            [],
            "x",
            None,
            5,
            {"": 1},
            {"s": 2**70, "n": -0.0, "l": [[[[]]]], "m": "\0é🦉"},
        )
        entry["resource"]["attr"] = random.choice(odd)


def _spoilt_text(random: Random, text: str) -> bytes:
    """A body that is no JSON, not all JSON, or JSON of the odder kind."""
    choice = random.randrange(4)
    if choice == 0:
        return text[: random.randrange(1, len(text))].encode()
    if choice == 1:
        return (text + random.choice((" ", "x", "{}", "\n", "]"))).encode()
    if choice == 2:
        odd = random.choice(('"\\u0041"', '"\\ud800"', "NaN", "1e400", '"\\x"', "'f'"))
        return text.replace('"f"', odd, 1).encode()
    return text.encode().replace(b'"f"', random.choice((b'"\xff"', b'"f", "requestId": "g"')), 1)
