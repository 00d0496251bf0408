"""Commands that drop a whole database: one that is only for tests on this machine is made again by the next run.

Source: dropdb(1) of PostgreSQL 17 and its environment variables (libpq); the command line guide of Rails 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.facts.shell.effects import Effect, Trait
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field

_TEST_NAME: Final = re.compile(r"(?:\w+[_-])?(?:test|tests|testing|spec)(?:[_-]?\d+)?\Z", re.IGNORECASE)
"""`shop_test`, `test`, `shop_test_2` (one a worker); `latest` and `test_results` are other names."""
_LOCAL: Final = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|::1|/[\w./-]*)\Z", re.IGNORECASE)
"""This machine, or a directory with a socket of it."""
_ELSEWHERE: Final = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE")
_ADDRESS: Final = re.compile(r"[a-z0-9+]+://(?:[^/@]*@)?(?P<host>\[[^\]]*\]|[^/:?]*)", re.IGNORECASE)
_MADE_AGAIN: Final = frozenset({"test", "development"})


def dropdb(invocation: Invocation, model: Model) -> list[Effect]:
    """`dropdb [-h host] name`: lost for good, unless its name says that it is for tests and it is on this machine."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), single_dash=model.single_dash)
    )
    effects = option_effects(model, arguments)
    if arguments.has("--help", "-?", "--version", "-V"):
        return effects
    hosts = [
        *arguments.values("-h", "--host"),
        *(field for name, field in invocation.prefix.items() if name in _ELSEWHERE),
    ]
    for_tests = bool(arguments.operands) and all(
        name.known and not name.glob and _TEST_NAME.match(name.text) for name in arguments.operands
    )
    if for_tests and all(_is_local(host) for host in hosts) and not arguments.has("--maintenance-db"):
        return effects
    return [*effects, Trait(name="irreversible")]


def rails_database(invocation: Invocation, model: Model) -> list[Effect]:
    """`rails db:drop` and its like: the databases of `test` and `development` are local, and made again from the schema.

    The environment must be named in the command; without it the shell's own, or that of the machine, may be any.
    """
    del model
    named: dict[str, Field] = dict(invocation.prefix)
    for word in invocation.argv:
        name, separator, value = word.text.partition("=")
        if separator and re.fullmatch(r"[A-Z_]+", name):
            named[name] = Field(value, word.glob)
    environment = named.get("RAILS_ENV")
    if environment is not None and environment.text in _MADE_AGAIN and _databases_are_local(named):
        return []
    return [Trait(name="destructive"), Trait(name="irreversible")]


def _databases_are_local(named: Mapping[str, Field]) -> bool:
    """Whether no variable that stands here leads the application to a database elsewhere."""
    for name, value in named.items():
        if name in _ELSEWHERE and not _is_local(value):
            return False
        if name.endswith("DATABASE_URL"):
            found = _ADDRESS.match(value.text) if value.known else None
            if found is None or (found["host"] and not _is_local(Field(found["host"].strip("[]")))):
                return False
    return "DISABLE_DATABASE_ENVIRONMENT_CHECK" not in named


def _is_local(host: Field) -> bool:
    return host.known and bool(_LOCAL.match(host.text))
