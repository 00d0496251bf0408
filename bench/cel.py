"""Microseconds of one condition, prepared request to answer: the generated code and the exact evaluator in turn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.report import Options, Table
from bench.timing import per_call
from gateway.policy.cel import Activation, compile_expression

SHAPES = {
    "an owner": "R.attr.owner == P.id",
    "three joined by and": 'R.attr.status in ["PENDING", "OPEN"] && R.attr.geo == "GB" && P.attr.level >= 3',
    "a role by exists": 'P.roles.exists(r, r == "manager")',
    "a regular expression": 'R.attr.cmd.matches("\\\\brm\\\\s+-rf\\\\b") || R.attr.path.startsWith("/home/")',
    "times and sizes": 'timestamp(R.attr.created) < timestamp("2030-01-01T00:00:00Z") && size(P.attr.tags) > 2',
    "guards of a shipped rule": "has(R.attr.groups) && type(R.attr.groups) == list "
    "&& has(R.attr.path) && type(R.attr.path) == string && has(R.attr.in_project) && type(R.attr.in_project) == bool",
    "a shipped rule": '!("baseline.no_secrets" in R.attr.rules_off) && "secrets" in R.attr.groups',
}
PRINCIPAL = {
    "id": "john",
    "roles": ["employee", "manager"],
    "attr": {"level": 5, "tags": ["a", "b", "c"]},
}
RESOURCE = {
    "kind": "file",
    "id": "XX125",
    "attr": {
        "owner": "john",
        "status": "PENDING",
        "geo": "GB",
        "cmd": "rm -rf /tmp/x && ls",
        "path": "/home/john/src/app.py",
        "created": "2024-02-29T23:59:59Z",
        "groups": ["in_project", "source"],
        "rules_off": [],
        "in_project": True,
    },
}
ROUNDS = 40


def run(options: Options) -> Iterator[Table]:
    """One table of every shape."""
    activation = Activation(principal=PRINCIPAL, resource=RESOURCE)
    # Macros pay as they go: one evaluation after the other would empty a purse that is meant for one check.
    activation.budget.limit = activation.budget.expression_limit = 10**15
    programs = {name: compile_expression(text) for name, text in SHAPES.items()}
    fast = per_call(
        {name: partial(program.evaluate, activation) for name, program in programs.items()}
        | {
            f"exact {name}": partial(program.evaluate_exact, activation) for name, program in programs.items()
        },
        options.rounds(ROUNDS),
    )
    rows = [
        (name, fast[name], fast[f"exact {name}"], f"{fast[f'exact {name}'] / fast[name]:.0f}x")
        for name in SHAPES
    ]
    yield Table(
        "Microseconds a condition",
        ("shape", "generated code", "exact evaluator", "times faster"),
        rows,
        "The aim is 1 microsecond each. The generated code hands over to the exact evaluator wherever it is unsure.",
    )
