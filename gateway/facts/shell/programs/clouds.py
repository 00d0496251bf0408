"""Clouds, forges and infrastructure as code: state elsewhere, and local files that go there.

Source: the command references of Terraform 1.9, AWS CLI 2, gcloud and the GitHub CLI 2.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Contact, Credential, Effect, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, looks_like_path, option_effects
from gateway.facts.shell.options import Grammar, all_names, names_of, parse_arguments
from gateway.facts.shell.values import Field

_IDLE: Final = frozenset(
    {"-help", "--help", "-h", "--dry-run", "--dryrun", "--dry-run=client", "--preview-only"}
)


def infrastructure(invocation: Invocation, model: Model) -> list[Effect]:
    """`terraform apply` and its like: the state of a whole environment."""
    del model
    arguments = parse_arguments(
        [*invocation.argv, *_preset(invocation)],
        Grammar(valued=frozenset({"-s", "--stack", "--stage", "-c", "--cwd", "-C"}), single_dash=True),
    )
    words = [operand.text for operand in arguments.operands if operand.text not in ("run-all", "run", "--")]
    verb = words[0] if words else ""
    effects: list[Effect] = []
    for name in ("-var-file", "-state", "-backend-config", "--var-file"):
        effects.extend(
            Touch(action="read", path=path) for path in arguments.values(name) if looks_like_path(path)
        )
    effects.extend(Touch(action="write", path=path) for path in arguments.values("-out", "-state-out"))
    if any(name in _IDLE and not _denied(value) for name, value in arguments.options):
        return effects
    destroys = any(
        name in ("-destroy", "--destroy") and not _denied(value) for name, value in arguments.options
    )
    if verb in _APPLIES or words[:2] in (["state", "mv"], ["state", "push"]):
        effects.extend((Trait(name="remote_state"), Trait(name="deploys")))
    if (
        verb in _DESTROYS
        or words[:2] in (["state", "rm"], ["workspace", "delete"], ["stack", "rm"], ["state", "delete"])
        or (destroys and verb in _APPLIES)
    ):
        effects.extend((Trait(name="remote_state"), Trait(name="irreversible"), Trait(name="destructive")))
    return effects


def _preset(invocation: Invocation) -> list[Field]:
    """Options that Terraform takes from its environment, as far as they are assigned for this command."""
    texts = [
        value.text
        for name, value in invocation.prefix.items()
        if name.startswith("TF_CLI_ARGS") and value.known
    ]
    return [Field(word) for text in texts for word in text.split()]


def _denied(value: Field | None) -> bool:
    """Whether an option is given and switched off: `-destroy=false`."""
    return value is not None and value.text.lower() in ("false", "0")


_APPLIES: Final = frozenset({"apply", "up", "update", "deploy", "import", "refresh", "taint", "untaint"})
_DESTROYS: Final = frozenset({"destroy", "remove", "down", "dn", "delete"})


_READS: Final = re.compile(
    r"^(?:describe|list|get|ls|show|view|status|info|help|version|whoami|head|logs?|ps|search|lookup|read|check|validate|plan|diff|print)"
)


_DELETES: Final = re.compile(
    r"^(?:.+:)?(?:delete|remove|rm|rb|destroy|terminate|purge|drop|reset|wipe|detach|deregister|disable|revoke|cancel|schedule-key-deletion|empty)"
)
_CLEARING: Final = frozenset({"--delete", "--delete-unmatched-destination-objects", "--delete-removed"})


_SECRETS: Final = re.compile(
    r"secret|credential|password|token|access-key|keyvault|assume-role|get-session|^keys$|^config$|config:get",
    re.IGNORECASE,
)
_REVEALS: Final = re.compile(
    r"^(?:get-|access$|show$|get$|reveal|print-|create-access|create-service-specific|assume-role|config:get|download$|export$|pull$|generate)",
    re.IGNORECASE,
)
_CHANGES: Final = re.compile(
    r"^(?:.+:)?(?:deploy|create|update|put|run|start|stop|set|apply|push|publish|modify|attach|enable|promote|invoke|send|cp|mv|sync|rollback|scale|restart)"
)


def cloud(invocation: Invocation, model: Model) -> list[Effect]:
    """Cloud CLIs: local paths that are sent, verbs that read, change or destroy, secrets that are printed."""
    del model
    argv = invocation.argv
    words = [field.text for field in argv if not field.text.startswith("-")]
    options = {field.text.partition("=")[0] for field in argv if field.text.startswith("-")}
    effects: list[Effect] = []
    copied = _copied(argv)
    for position, field in enumerate(argv):
        text = field.text
        if text.startswith(("fileb://", "file://")):
            effects.append(Touch(action="read", path=Field(text.partition("://")[2], field.glob)))
        elif text.startswith("-"):
            continue
        elif (
            (looks_like_path(field) or position in copied)
            and "://" not in text
            and not text.startswith("projects/")
            and position > 0
        ):
            storing = invocation.name == "gsutil" or any(
                word in ("s3", "storage", "cp", "sync", "upload", "deploy", "put", "import") for word in words
            )
            effects.append(
                Touch(
                    action="write" if [position] == copied[1:] and "://" in argv[copied[0]].text else "read",
                    path=field,
                    tree="sync" in words or "rsync" in words or bool(options & {"-r", "--recursive"}),
                    possible=not storing,
                )
            )
    hosts = [
        Field(text.partition("://")[2].partition("/")[0])
        for text in words
        if re.match(r"(?:s3|gs|az|r2)://", text)
    ]
    reads = tuple(effect.path for effect in effects if isinstance(effect, Touch) and effect.action == "read")
    effects.extend(Contact(target=host, sends=reads) for host in hosts if host.text)
    if options & _IDLE or words[:1] == ["help"] or "help" in words[1:3]:
        return effects
    if _reveals(words, options):
        effects.append(Credential(store="cloud", names=tuple(words[:3])))
    effects.extend(Trait(name=name) for name in _cloud_traits(invocation.name, words, options))
    return effects


_LOOKING_MODULES: Final = frozenset(
    {"ping", "setup", "debug", "gather_facts", "stat", "find", "assert", "win_ping"}
)


def ansible(invocation: Invocation, model: Model) -> list[Effect]:
    """`ansible hosts -m module`: a module runs on every host; some only look."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    effects = option_effects(model, arguments)
    module = (arguments.value("-m", "--module-name") or Field("command")).text.rpartition(".")[2]
    if not arguments.has(*names_of(model.idle)) and module not in _LOOKING_MODULES:
        effects.extend((Trait(name="remote_state"), Trait(name="deploys")))
    return effects


def _copied(argv: tuple[Field, ...]) -> list[int]:
    """The positions of what is copied and where to (`s3 sync build s3://site`), when a bucket is one of the two."""
    verb = next((at for at, field in enumerate(argv) if field.text in ("cp", "mv", "sync", "rsync")), None)
    if verb is None:
        return []
    pair = [at for at in range(verb + 1, len(argv)) if not argv[at].text.startswith("-")][:2]
    return pair if any("://" in argv[at].text for at in pair) else []


def _reveals(words: list[str], options: set[str]) -> bool:
    """Whether the value of a secret is printed; names and descriptions of secrets are none."""
    if "--with-decryption" in options or words[:2] == ["configure", "get"] or words[-2:] == ["keys", "list"]:
        return True
    return any(_SECRETS.search(word) for word in words[:6]) and any(
        _REVEALS.match(word) for word in words[:6] if word != "get-caller-identity"
    )


def _cloud_traits(name: str, words: list[str], options: set[str]) -> tuple[str, ...]:
    verbs = [word for word in words[:4] if not _READS.match(word)]
    mirrored = "sync" in words or "rsync" in words
    if name == "supabase" and "reset" in words:
        return ("remote_state", "irreversible")
    if any(_DELETES.match(word) for word in verbs) or (
        mirrored and (options & _CLEARING or (name == "gsutil" and any("d" in one for one in options)))
    ):
        return ("remote_state", "destructive")
    if "--prod" in options or any(word.startswith(("deploy", "publish", "promote")) for word in verbs):
        return ("remote_state", "deploys")
    return ("remote_state",) if any(_CHANGES.match(word) for word in verbs) else ()


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
        if two[0] in ("secret", "variable", "ssh-key", "gpg-key"):
            effects.append(Trait(name="deploys"))
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
