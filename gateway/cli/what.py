"""`ostiary what 'COMMAND'`: what a shell command would read, write, delete, run and contact, for people."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from gateway.cli.output import print_json
from gateway.enforcement.obligations import printable
from gateway.facts.shell.analysis import Surroundings, analyse
from gateway.facts.shell.catalogue import shipped_models
from gateway.facts.shell.report import facts

_PARTS = (
    ("reads", "read", "cyan"),
    ("writes", "write", "yellow"),
    ("deletes", "delete", "red"),
    ("lists", "list", "dim"),
    ("executes", "execute files", "magenta"),
    ("hosts", "contact", "blue"),
)


@click.command("what")
@click.argument("text", metavar="COMMAND")
@click.option("--cwd", type=click.Path(path_type=Path), help="Where it would run; default: here.")
@click.option("--home", type=click.Path(path_type=Path), help="Whose home `~` is; default: yours.")
@click.option("--json", "as_json", is_flag=True, help="The facts as one JSON document.")
def command(text: str, cwd: Path | None, home: Path | None, as_json: bool) -> None:
    """Say what the shell command COMMAND would do. It is not run, and nothing is looked up on the disk.

    These are facts, not verdicts: what policy would decide is asked by running it under a gateway that observes.
    """
    place = str((cwd or Path.cwd()).absolute())
    around = Surroundings(
        cwd=place,
        project_dir=place,
        home=str(home.absolute()) if home else os.environ.get("HOME", ""),
        user=os.environ.get("USER", ""),
    )
    found = facts(text, analyse(text, around, shipped_models()))
    if as_json:
        print_json("ostiary.command_facts/1", found)
        return
    Console(highlight=False).print(tree(text, found))


def tree(text: str, found: dict[str, Any]) -> Tree:
    """The facts as a tree, everything that came from the command shown as text."""
    root = Tree(Text(printable(text), style="bold"))
    _branch(root, "run", [_program(item) for item in found["commands"]], "green")
    for key, title, style in _PARTS:
        _branch(root, title, found[key], style)
    _branch(root, "send", [f"{item['source']} → {item['host']}" for item in found["sends"]], "bold red")
    _branch(root, "git", [_git(item) for item in found["git"]], "yellow")
    _branch(
        root, "packages", [f"{one['action']} {' '.join(one['names'])}" for one in found["packages"]], "yellow"
    )
    _branch(root, "credentials", [one["store"] for one in found["credentials"]], "bold red")
    _branch(root, "project code", [f"{one['kind']}: {one['name']}" for one in found["indirect"]], "magenta")
    _branch(root, "not known to the command model", found["unknown_commands"], "yellow")
    _branch(root, "could not be told", found["opaque_reasons"], "bold yellow")
    return root


def _branch(root: Tree, title: str, items: Iterable[str], style: str) -> None:
    found = list(dict.fromkeys(items))
    if found:
        branch = root.add(Text(title, style="dim"))
        for item in found:
            branch.add(Text(printable(item), style=style))


def _program(item: dict[str, Any]) -> str:
    words = " ".join("…" if word is None else word for word in item["argv"])
    return f"{words}  ({item['via']})" if item["via"] != "direct" else words


def _git(item: dict[str, Any]) -> str:
    flags = [name for name in ("force", "delete", "hard", "all") if item[name]]
    return " ".join(part for part in (item["sub"], item["remote"], *item["refs"], *flags) if part)
