"""What the code offers that a page must name: commands with their options, error codes, metrics."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli import root
from gateway.telemetry import Telemetry

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_AREAS = {
    "OstiaryError": "GEN",
    "ConfigError": "CFG",
    "PolicyError": "POL",
    "PayloadError": "REQ",
    "CredentialError": "IDN",
    "PdpError": "PDP",
    "PdpUnavailable": "PDP",
    "PdpInvalid": "PDP",
    "StoreError": "STO",
    "IntegrityError": "INT",
}


def commands(group: click.Command = root, path: str = "ostiary") -> Iterator[tuple[str, click.Command]]:
    """Every command people call, by its whole name."""
    if not isinstance(group, click.Group):
        yield path, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, f"{path} {name}")


def commands_page() -> str:
    """The text of docs/commands.md."""
    lines = [
        "# Commands",
        "",
        (
            "Exit codes: 0 ok · 1 the check found something · 2 usage or configuration · 3 a policy does not compile ·"
            " 4 a policy test failed. Outputs of `--json` are versioned by their `schema` field. `--help` of each command"
            " says the same as this page, which a test compares with the code."
        ),
        "",
    ]
    for path, command in commands():
        help_text = " ".join((command.help or "").partition("\n\n")[0].split())
        context = click.Context(command, info_name=path)
        lines += [
            f"## {path}",
            "",
            help_text,
            "",
            f"```\n{command.get_usage(context).removeprefix('Usage: ')}\n```",
            "",
        ]
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        if options:
            lines += ["| option | what it does |", "|---|---|"]
            lines += [
                f"| `{' '.join(option.opts + option.secondary_opts)}` | {option.help or ''} |"
                for option in options
            ]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def error_codes() -> set[str]:
    """Every code that the sources raise, written out or by class and number."""
    found: set[str] = set()
    for file in [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("adapters/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                for keyword in node.keywords:
                    value = keyword.value
                    if name in _AREAS and keyword.arg == "number" and isinstance(value, ast.Constant):
                        found.add(f"OST-{_AREAS[name]}-{value.value:03d}")
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith("OST-")
            ):
                code = node.value[:11]
                if len(code) == 11 and code[8:].isdecimal():
                    found.add(code)
    return found


def metrics() -> set[str]:
    """The name of every metric."""
    telemetry = Telemetry(agents=(), tools=(), rules=(), version="0")
    return {metric.name for metric in telemetry.registry.collect()}
