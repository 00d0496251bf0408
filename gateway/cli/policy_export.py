"""`ostiary policy export`: the shipped policies as a store for a remote PDP."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.policy_sets.pack_copies import kinds_of, pdp_store
from gateway.policy_sets.packs import pack_files, shipped_packs, write_new


@click.command("export")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--for", "target", type=click.Choice(["cerbos"]), required=True, help="Which PDP will read the directory."
)
@click.option(
    "--kind-prefix", default="", metavar="PREFIX",
    help="Put before every resource kind, as `check.kind_prefix` says, e.g. agent:",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(directory: Path, target: str, kind_prefix: str, as_json: bool) -> None:
    """Write the shipped policies, their tests and schemas to DIRECTORY, for the store of a Cerbos PDP.

    The canary is among them: the gateway uses a PDP only after it denied the canary. Nothing that is there is overwritten.
    """
    files = pdp_store(pack_files(shipped_packs()), kind_prefix)
    write_new(directory, files)
    if as_json:
        facts = {
            "directory": str(directory),
            "for": target,
            "kind_prefix": kind_prefix,
            "files": sorted(files),
        }
        click.echo(json.dumps(facts))
        return
    click.echo(f"Wrote {len(files)} files to {directory}, for the kinds {', '.join(kinds_of(files))}.")
    click.echo(
        "Next:  let the PDP's store hold them, then   ostiary serve --backend cerbos --set cerbos.url=URL"
    )
