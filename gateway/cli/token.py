"""`ostiary token new`: make a credential. It is shown once; the configuration keeps only its hash."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import click
import yaml

from gateway import clock
from gateway.cli.invocation import invocation
from gateway.cli.output import print_json
from gateway.domain.principal import CredentialClass
from gateway.domain.vocabulary import ROLES
from gateway.errors import ConfigError
from gateway.identity.tokens import hash_token, new_token

SCHEMA = "ostiary.token/1"
CLASSES: tuple[CredentialClass, ...] = get_args(CredentialClass)
_SPAN = re.compile(r"(?P<count>[1-9]\d{0,4})(?P<unit>[dh])\Z")
_NEED_ROLES = ("agent", "application")


@click.group("token")
def command() -> None:
    """Make credentials."""


@command.command("new")
@click.option(
    "--user", required=True, metavar="NAME", help="Whose it is: the principal's id in policies and records."
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE",
    help=f"A role in policies: {', '.join(ROLES[:-1])}, or your own.",
)
@click.option(
    "--class",
    "credential_class",
    type=click.Choice(CLASSES),
    default="agent",
    show_default=True,
    help="What it opens: hooks, the Cerbos API, own records, all records, everything.",
)
@click.option("--agent", "agents", multiple=True, metavar="AGENT", help="Only for this agent id (a glob).")
@click.option(
    "--attr",
    "attributes",
    multiple=True,
    metavar="KEY=VALUE",
    help="An attribute policies see: team=payments.",
)
@click.option("--expires", metavar="TIME", help="After 90d or 12h, or at an ISO 8601 time.")
@click.option(
    "--header-file",
    type=click.Path(path_type=Path),
    help="Write the header there, and do not show the token.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def new(
    *,
    user: str,
    roles: tuple[str, ...],
    credential_class: CredentialClass,
    agents: tuple[str, ...],
    attributes: tuple[str, ...],
    expires: str | None,
    header_file: Path | None,
    as_json: bool,
) -> None:
    """Make a token, and the entry for identity.tokens that knows it by its hash."""
    if credential_class in _NEED_ROLES and not roles:
        raise ConfigError(
            f"A credential of class {credential_class} needs a role.",
            number=80,
            remedy="Add --role engineer, for one.",
        )
    if not user.strip() or not user.isprintable():
        raise ConfigError(f"--user: {user!r} is no name.", number=80, remedy="Write printable letters.")
    token = new_token(clock.random_bytes)
    entry: dict[str, Any] = {"hash": hash_token(token), "user": user, "class": credential_class}
    if roles:
        entry["roles"] = sorted(set(roles))
    if agents:
        entry["agents"] = list(agents)
    if attributes:
        entry["attr"] = _attributes(attributes)
    if expires:
        entry["expires"] = _expiry(expires, datetime.fromtimestamp(clock.now() / 1e9, UTC))
    if header_file is not None:
        _write_header(header_file, token)
    if as_json:
        shown = {"token": token} if header_file is None else {"header_file": str(header_file)}
        print_json(SCHEMA, {**shown, "entry": entry})
        return
    _tell(token, entry, header_file)


def _tell(token: str, entry: dict[str, Any], header_file: Path | None) -> None:
    if header_file is None:
        click.echo("The token, shown this once; only its hash is kept:\n")
        click.echo(f"  {token}\n")
    else:
        click.echo(f"The header is in {header_file}; give the file to the user whose agent sends it.\n")
    click.echo("Its entry for the configuration:\n")
    click.echo(entry_text(entry))
    program = invocation(sys.argv[0], os.environ, Path.cwd())
    click.echo(f"Then start the gateway again: {program} serve --config FILE")


def entry_text(entry: dict[str, Any]) -> str:
    """The entry as it stands below `identity` in a configuration file."""
    whole = {"identity": {"tokens": [entry]}}
    return str(
        yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)
    )


def _attributes(texts: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise ConfigError(
                f"--attr {text!r} has no value.", number=81, remedy="Write --attr team=payments."
            )
        found[name] = value
    return found


def _expiry(text: str, now: datetime) -> str:
    """The time a token ends, as the configuration writes it. Raises ConfigError for the past and for no time."""
    span = _SPAN.match(text)
    if span:
        hours = int(span["count"]) * (24 if span["unit"] == "d" else 1)
        ends = now + timedelta(hours=hours)
    else:
        try:
            ends = datetime.fromisoformat(text)
        except ValueError:
            raise ConfigError(
                f"--expires: {text!r} is no time.",
                number=82,
                remedy="Write 90d, 12h or 2027-01-31T00:00:00Z.",
            ) from None
        ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    if ends <= now:
        raise ConfigError(f"--expires: {text} is over.", number=82, remedy="Write a time to come.")
    return ends.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_header(file: Path, token: str) -> None:
    """A new file that only its owner reads: what is there already is somebody's credential."""
    try:
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as new_file:
            new_file.write(f"Authorization: Bearer {token}\n")
    except FileExistsError:
        raise ConfigError(f"{file} exists.", number=83, remedy="Remove it, or name another file.") from None
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.",
            number=83,
            remedy="Make its directory, or name another file.",
        ) from None
