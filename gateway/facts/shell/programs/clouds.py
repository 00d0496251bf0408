"""Clouds, forges and infrastructure as code: state elsewhere, and local files that go there.

Source: the command references of Terraform 1.9, AWS CLI 2, gcloud and the GitHub CLI 2.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Contact, Credential, Effect, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, looks_like_path
from gateway.facts.shell.options import Grammar, parse_arguments
from gateway.facts.shell.values import Field


def infrastructure(invocation: Invocation, model: Model) -> list[Effect]:
    """`terraform apply` and its like: the state of a whole environment."""
    del model
    arguments = parse_arguments(
        invocation.argv,
        Grammar(valued=frozenset({"-s", "--stack", "--stage", "-c", "--cwd", "-C"}), single_dash=True),
    )
    words = [operand.text for operand in arguments.operands]
    verb = words[0] if words else ""
    effects: list[Effect] = []
    for name in ("-var-file", "-state", "-backend-config", "--var-file"):
        effects.extend(
            Touch(action="read", path=path) for path in arguments.values(name) if looks_like_path(path)
        )
    effects.extend(Touch(action="write", path=path) for path in arguments.values("-out", "-state-out"))
    if verb in ("apply", "up", "deploy", "import", "refresh", "taint", "untaint") or words[:2] in (
        ["state", "mv"],
        ["state", "push"],
    ):
        effects.extend((Trait(name="remote_state"), Trait(name="deploys")))
    if (
        verb in ("destroy", "remove", "down", "delete")
        or words[:2] in (["state", "rm"], ["workspace", "delete"], ["stack", "rm"])
        or arguments.has("-destroy", "--destroy")
    ):
        effects.extend((Trait(name="remote_state"), Trait(name="irreversible"), Trait(name="destructive")))
    return effects


_READS: Final = re.compile(
    r"^(?:describe|list|get|ls|show|view|status|info|help|version|whoami|head|logs?|ps|search|lookup|read|check|validate|plan|diff|print)"
)


_DELETES: Final = re.compile(
    r"^(?:delete|remove|rm|rb|destroy|terminate|purge|drop|reset|wipe|detach|deregister|disable|revoke|apps:destroy)"
)


_SECRETS: Final = re.compile(
    r"secret|credential|password|token|login-password|access-key|print-access-token|get-session|assume-role|keyvault",
    re.IGNORECASE,
)


def cloud(invocation: Invocation, model: Model) -> list[Effect]:
    """Cloud CLIs: local paths that are sent, verbs that read, change or destroy, secrets that are printed."""
    del model
    argv = invocation.argv
    words = [field.text for field in argv if not field.text.startswith("-")]
    effects: list[Effect] = []
    for position, field in enumerate(argv):
        text = field.text
        if text.startswith(("fileb://", "file://")):
            effects.append(Touch(action="read", path=Field(text.partition("://")[2], field.glob)))
        elif text.startswith("-"):
            continue
        elif (
            looks_like_path(field) and "://" not in text and not text.startswith("projects/") and position > 0
        ):
            storing = invocation.name == "gsutil" or any(
                word in ("s3", "storage", "cp", "sync", "upload", "deploy", "put", "import") for word in words
            )
            effects.append(
                Touch(
                    action="read",
                    path=field,
                    tree="sync" in words or "-r" in {f.text for f in argv},
                    possible=not storing,
                )
            )
    hosts = [
        Field(text.partition("://")[2].partition("/")[0])
        for text in words
        if re.match(r"(?:s3|gs|az|r2)://", text)
    ]
    reads = tuple(effect.path for effect in effects if isinstance(effect, Touch))
    effects.extend(Contact(target=host, sends=reads) for host in hosts if host.text)
    if (
        any(_SECRETS.search(word) for word in words[1:])
        or words[:2] in (["auth", "print-access-token"], ["configure", "get"])
        or words[:1] == ["config:get"]
    ):
        effects.append(Credential(store="cloud", names=tuple(words[:3])))
    verbs = [word for word in words[:4] if not _READS.match(word)]
    if any(_DELETES.match(word) for word in words[:4]) or (
        {"--delete", "--force"} & {f.text for f in argv} and "sync" in words
    ):
        effects.extend((Trait(name="remote_state"), Trait(name="destructive")))
    elif "reset" in words and invocation.name == "supabase":
        effects.extend((Trait(name="remote_state"), Trait(name="irreversible")))
    elif any(
        re.match(
            r"^(?:deploy|create|update|put|run|start|stop|set|apply|push|publish|modify|attach|enable|promote|invoke|send|cp|mv|sync)",
            word,
        )
        for word in verbs
    ):
        effects.append(Trait(name="remote_state"))
        if any(word.startswith(("deploy", "publish", "promote")) for word in verbs):
            effects.append(Trait(name="deploys"))
    return effects


def forge(invocation: Invocation, model: Model) -> list[Effect]:
    """`gh` and `glab`: pull requests are work, releases publish, repositories can be deleted, tokens are credentials."""
    del model
    arguments = parse_arguments(
        invocation.argv,
        Grammar(
            valued=frozenset(
                [
                    "-R",
                    "--repo",
                    "-F",
                    "--body-file",
                    "-b",
                    "--body",
                    "-t",
                    "--title",
                    "-B",
                    "--base",
                    "-H",
                    "--head",
                    "-l",
                    "--label",
                    "-a",
                    "--assignee",
                    "-m",
                    "--milestone",
                    "-q",
                    "--jq",
                    "--json",
                    "-f",
                    "--raw-field",
                    "--field",
                    "-X",
                    "--method",
                    "--input",
                    "-D",
                    "--dir",
                    "-p",
                    "--pattern",
                    "-n",
                    "--notes",
                    "--notes-file",
                ]
            )
        ),
    )
    words = [operand.text for operand in arguments.operands]
    effects: list[Effect] = [
        Touch(action="read", path=path)
        for path in arguments.values("-F", "--body-file", "--notes-file", "--input")
        if path.text != "-" and "=" not in path.text
    ]
    for value in arguments.values("-F", "--field", "-f"):
        path = value.text.partition("=@")[2]
        if path:
            effects.append(Touch(action="read", path=Field(path)))
    two = tuple(words[:2])
    if two == ("auth", "token") or (two == ("auth", "status") and arguments.has("-t", "--show-token")):
        effects.append(Credential(store="git"))
    if two in (
        ("secret", "set"),
        ("variable", "set"),
        ("ssh-key", "add"),
        ("gpg-key", "add"),
        ("repo", "edit"),
        ("workflow", "run"),
        ("workflow", "disable"),
    ):
        effects.append(Trait(name="remote_state"))
    if two in (("release", "create"), ("release", "upload"), ("gist", "create")):
        effects.extend((Trait(name="publishes"), Trait(name="remote_state")))
        effects.extend(
            Touch(action="read", path=path)
            for path in arguments.operands[3:] or arguments.operands[2:]
            if looks_like_path(path)
        )
        effects.append(
            Contact(
                target=Field("github.com"),
                sends=tuple(path for path in arguments.operands[2:] if looks_like_path(path)),
            )
        )
    if len(words) > 1 and words[1] == "delete":
        effects.extend((Trait(name="remote_state"), Trait(name="irreversible")))
    if two in (("pr", "merge"), ("mr", "merge")):
        effects.append(Trait(name="remote_state"))
    if words[:1] == ["api"] and (arguments.value("-X", "--method") or Field("GET")).text.upper() not in (
        "GET",
        "HEAD",
    ):
        effects.append(Trait(name="remote_state"))
    if two in (("repo", "clone"), ("run", "download"), ("release", "download")):
        effects.append(
            Touch(action="write", path=arguments.value("-D", "--dir") or Field("."), tree=True, possible=True)
        )
    return effects
