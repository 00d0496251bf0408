"""A check written in a file: the request of Cerbos' CheckResources, as JSON or YAML, read with the rules of suite files.

principal: {id: ada, roles: [engineer], attr: {team: core}}
resources:
  - actions: [read]
    resource: {kind: file, id: /etc/passwd, attr: {path: /etc/passwd}}
auxData: {jwt: {groups: [staff]}}        # claims instead of a token
now: "2026-01-01T00:00:00Z"
"""

from __future__ import annotations

from gateway.domain.check import AuxData, Check, CheckRequest, Resource
from gateway.domain.principal import ANONYMOUS
from gateway.policy.suites.model import SuiteFault
from gateway.policy.suites.nodes import Fields
from gateway.policy.suites.parse import (
    PRINCIPAL_FIELDS,
    RESOURCE_FIELDS,
    parse_message,
    read_aux_data,
    read_now,
    read_principal,
    read_resource,
)

_REQUEST = frozenset(
    {"$schema", "requestId", "includeMeta", "requestContext", "principal", "resources", "auxData", "now"}
)


def parse_request(data: bytes, file: str) -> tuple[CheckRequest, int | None]:
    """The request of a file, and the time it names. Raises SuiteFault with everything that is wrong."""
    return parse_message(data, file, _REQUEST, _request)


def _request(fields: Fields) -> tuple[CheckRequest, int | None]:
    given = fields.message("principal", PRINCIPAL_FIELDS)
    fields.demand("principal", present=given is not None)
    checks = tuple(
        check
        for number, node in enumerate(fields.items("resources"))
        if (below := fields.enter(node, f"resources[{number}]", frozenset({"actions", "resource"})))
        is not None
        and (check := _check(below)) is not None
    )
    fields.demand("resources", present=bool(fields.items("resources")))
    aux_data = fields.message("auxData", frozenset({"jwt", "jwts"}))
    request = CheckRequest(
        principal=ANONYMOUS if given is None else read_principal(given),
        checks=checks,
        aux_data=AuxData() if aux_data is None else read_aux_data(aux_data),
    )
    return request, read_now(fields)


def _check(fields: Fields) -> Check | None:
    actions = fields.texts("actions", unique=True)
    fields.demand("actions", present=bool(actions))
    given = fields.message("resource", RESOURCE_FIELDS)
    fields.demand("resource", present=given is not None)
    resource: Resource | None = None if given is None else read_resource(given)
    return None if resource is None else Check(resource, actions)


__all__ = ["SuiteFault", "parse_request"]
