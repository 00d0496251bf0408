"""Containers, clusters, clouds, forges and databases: state elsewhere, and local files that go there.

Source: the command references of Docker 28, kubectl 1.37, Terraform 1.9, AWS CLI 2, gcloud, GitHub CLI 2, psql 17, sqlite3.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Credential, Effect, Indirect, Note, Run, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, looks_like_path, option_effects
from gateway.facts.shell.options import Arguments, Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field

_CONTAINER: Final = Grammar(
    valued=frozenset(
        [
            "-H",
            "--host",
            "--context",
            "--config",
            "-f",
            "--file",
            "-t",
            "--tag",
            "-v",
            "--volume",
            "--mount",
            "-e",
            "--env",
            "--env-file",
            "-p",
            "--publish",
            "--name",
            "-w",
            "--workdir",
            "-u",
            "--user",
            "--network",
            "--entrypoint",
            "-h",
            "--hostname",
            "--platform",
            "--build-arg",
            "--secret",
            "--ssh",
            "-l",
            "--label",
            "--label-file",
            "-m",
            "--memory",
            "--cpus",
            "--device",
            "--gpus",
            "--add-host",
            "--cap-add",
            "--cap-drop",
            "--security-opt",
            "--restart",
            "--log-driver",
            "--volumes-from",
            "--tmpfs",
            "--ulimit",
            "-o",
            "--output",
            "--target",
            "--cidfile",
            "--iidfile",
            "--project-name",
            "--profile",
            "--filter",
            "--format",
            "-n",
            "--tail",
            "--since",
            "--until",
            "--progress",
            "--cache-from",
            "--cache-to",
            "-c",
            "--index",
            "-s",
            "--signal",
            "--pid",
            "--ipc",
            "--userns",
            "--pull",
            "--runtime",
            "--shm-size",
            "--dns",
            "--ip",
            "--mac-address",
            "--annotation",
            "--detach-keys",
            "--project-directory",
        ]
    ),
    stop=True,
)
_DESTROYING: Final = frozenset({"rm", "rmi", "prune", "kill", "down"})


def container(invocation: Invocation, model: Model) -> list[Effect]:
    """`docker`: what runs in a container sees other paths; mounts, env files and contexts are local."""
    outer = parse_arguments(invocation.argv, _CONTAINER)
    effects: list[Effect] = [
        Contact(target=host) for host in outer.values("-H", "--host") if not host.text.startswith("unix:")
    ]
    if not outer.operands:
        return effects
    verb, rest = outer.operands[0].text, outer.operands[1:]
    if verb == "compose":
        return [*effects, *_compose(rest)]
    if verb in ("container", "image", "system", "volume", "network", "builder", "buildx") and rest:
        verb, rest = rest[0].text, rest[1:]
        if verb == "prune":
            effects.append(Trait(name="destructive"))
    del model
    arguments = parse_arguments(rest, _CONTAINER)
    if verb in ("run", "create", "exec"):
        return [*effects, *_started(verb, arguments)]
    if verb in ("build", "bake"):
        late = parse_arguments(arguments.operands[1:], _CONTAINER)
        context = [*arguments.operands[:1], *late.operands]
        effects.extend(
            Touch(action="read", path=path, tree=True)
            for path in context
            if path.text != "-" and "://" not in path.text
        )
        effects.extend(
            Touch(action="read", path=path) for path in arguments.values("-f", "--file") if path.text != "-"
        )
        effects.extend(Touch(action="read", path=path) for path in _sources(arguments.values("--secret")))
        return [*effects, Indirect(kind="container", name="build")]
    if verb in ("cp", "copy"):
        return [*effects, *_copied(arguments)]
    if verb in ("save", "export"):
        effects.extend(Touch(action="write", path=path) for path in arguments.values("-o", "--output"))
    if verb in ("load", "import"):
        effects.extend(
            Touch(action="read", path=path)
            for path in [*arguments.values("-i", "--input"), *arguments.operands[:1]]
            if "://" not in path.text
        )
    if verb == "push":
        effects.extend((Trait(name="publishes"), Trait(name="remote_state")))
    if verb in _DESTROYING:
        effects.append(Trait(name="destructive"))
    return effects


def _started(verb: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = []
    for mount in arguments.values("-v", "--volume"):
        source, separator, rest = mount.text.partition(":")
        if separator and source.startswith(("/", ".", "~")):
            path = Field(source, mount.glob)
            effects.append(Touch(action="read", path=path, tree=True, possible=True))
            if not rest.endswith(":ro"):
                effects.append(Touch(action="write", path=path, tree=True, possible=True))
    for path in _sources(arguments.values("--mount")):
        effects.append(Touch(action="read", path=path, tree=True, possible=True))
        effects.append(Touch(action="write", path=path, tree=True, possible=True))
    effects.extend(Touch(action="read", path=path) for path in arguments.values("--env-file", "--label-file"))
    effects.extend(Touch(action="write", path=path) for path in arguments.values("--cidfile"))
    if arguments.has("--privileged") or any(
        value.text == "host" for value in arguments.values("--pid", "--userns", "--ipc")
    ):
        effects.append(Note(reason="privileged_ns", dimensions=("read", "write")))
    inner = arguments.operands[1:]
    entry = arguments.value("--entrypoint")
    if entry is not None:
        inner = (entry, *inner)
    if verb != "create" and inner:
        effects.append(Run(argv=inner, via="container", remote=True))
    if verb == "run":
        effects.append(
            Indirect(kind="container", name=arguments.operands[0].text if arguments.operands else "")
        )
    return effects


def _sources(specs: list[Field]) -> list[Field]:
    found: list[Field] = []
    for spec in specs:
        match = re.search(r"(?:^|,)(?:source|src)=([^,]+)", spec.text)
        if match and match.group(1).startswith(("/", ".", "~")):
            found.append(Field(match.group(1), spec.glob))
    return found


def _copied(arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = []
    for position, path in enumerate(arguments.operands[:2]):
        local = ":" not in path.text or path.text.startswith(("/", "./", "../"))
        if local and path.text != "-":
            effects.append(Touch(action="write" if position else "read", path=path, tree=True))
    return effects


def _compose(rest: tuple[Field, ...]) -> list[Effect]:
    arguments = parse_arguments(rest, _CONTAINER)
    effects: list[Effect] = [
        Touch(action="read", path=path) for path in arguments.values("-f", "--file", "--env-file")
    ]
    effects.append(Indirect(kind="container", name="compose"))
    words = arguments.operands
    if (
        words
        and words[0].text == "down"
        and any(field.text in ("-v", "--volumes", "--rmi") for field in words)
    ):
        effects.append(Trait(name="destructive"))
    if words and words[0].text in ("exec", "run"):
        inner = parse_arguments(words[1:], _CONTAINER)
        if len(inner.operands) > 1:
            effects.append(Run(argv=inner.operands[1:], via="container", remote=True))
    return effects


_KUBECTL: Final = Grammar(
    valued=frozenset(
        [
            "-n",
            "--namespace",
            "--context",
            "--cluster",
            "--kubeconfig",
            "-f",
            "--filename",
            "-k",
            "--kustomize",
            "-l",
            "--selector",
            "-o",
            "--output",
            "-c",
            "--container",
            "--token",
            "--server",
            "-s",
            "--user",
            "--as",
            "--field-selector",
            "--timeout",
            "--tail",
            "--since",
            "--replicas",
            "--image",
            "--port",
            "--target-port",
            "--type",
            "--patch",
            "--patch-file",
            "-p",
            "--overrides",
            "--from-file",
            "--from-env-file",
            "--from-literal",
            "--cert",
            "--key",
            "--grace-period",
            "--cascade",
            "--sort-by",
            "--template",
        ]
    )
)
_CHANGING: Final = frozenset(
    [
        "apply",
        "create",
        "delete",
        "replace",
        "patch",
        "edit",
        "scale",
        "rollout",
        "set",
        "label",
        "annotate",
        "expose",
        "autoscale",
        "drain",
        "cordon",
        "uncordon",
        "taint",
        "run",
    ]
)


def kubernetes(invocation: Invocation, model: Model) -> list[Effect]:
    """`kubectl`: manifests are read here, state changes there, `exec` runs elsewhere, secrets are credentials."""
    del model
    cut = next((at for at, field in enumerate(invocation.argv) if field.text == "--"), len(invocation.argv))
    arguments = parse_arguments(invocation.argv[:cut], _KUBECTL)
    effects: list[Effect] = []
    for name in (
        "-f",
        "--filename",
        "-k",
        "--kustomize",
        "--kubeconfig",
        "--from-env-file",
        "--patch-file",
        "--cert",
        "--key",
    ):
        for path in arguments.values(name):
            if "://" in path.text:
                effects.append(Contact(target=path, fetches=True))
            elif path.text != "-":
                effects.append(Touch(action="read", path=path))
    for value in arguments.values("--from-file"):
        effects.append(Touch(action="read", path=Field(value.text.rpartition("=")[2], value.glob)))
    words = [operand.text for operand in arguments.operands]
    verb = words[0] if words else ""
    if verb in ("get", "describe") and any(re.match(r"secrets?(/|$|,)", word) for word in words[1:]):
        effects.append(Credential(store="k8s", names=tuple(words[2:]), all=len(words) < 3))
    if verb in _CHANGING and not any(name.startswith("--dry-run") for name, _ in arguments.options):
        effects.append(Trait(name="remote_state"))
        effects.append(Trait(name="destructive" if verb in ("delete", "drain") else "deploys"))
    if verb == "cp":
        effects.extend(_copied(Arguments(operands=arguments.operands[1:])))
    if verb == "exec" and cut < len(invocation.argv):
        effects.append(Run(argv=invocation.argv[cut + 1 :], via="container", remote=True))
    if verb == "config" and len(words) > 1 and words[1] == "view" and arguments.has("--raw"):
        effects.append(Credential(store="k8s", all=True))
    return effects


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


_DROPS: Final = re.compile(
    r"\b(?:drop\s+(?:table|database|schema|user|role|collection|index|view)|truncate(?:\s+table)?|delete\s+from\s+\S+\s*(?:;|$|\"|')|dropDatabase|flushall|flushdb|deleteMany\(\s*\{\s*\}\s*\))",
    re.IGNORECASE,
)
_META: Final = re.compile(r"(?:^|\n|;)\s*(?:\\!|\.shell|\.system|system)\s+(?P<code>[^\n]+)")
_FILE: Final = re.compile(
    r"(?:^|\n|;)\s*(?P<verb>\\i|\\ir|\\o|\\copy|\.read|\.import|\.output|\.once|\.backup|\.restore|\.open|\.save|source)\s+(?P<path>[^\s;]+)"
)
_COPY: Final = re.compile(
    r"\b(?:copy\s+\S+(?:\s*\([^)]*\))?\s+(?P<way>from|to)\s+(?P<program>program\s+)?'(?P<path>[^']+)'|(?P<read>pg_read_file|load_file|readfile|lo_import)\s*\(\s*'(?P<file>[^']+)'|into\s+(?:outfile|dumpfile)\s+'(?P<out>[^']+)')",
    re.IGNORECASE,
)


def database(invocation: Invocation, model: Model) -> list[Effect]:
    """Database shells: destructive statements, meta-commands that run shells or touch files, files they open."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), single_dash=model.single_dash)
    )
    effects = option_effects(model, arguments)
    texts = arguments.values("-c", "--command", "-e", "--execute", "--eval", "-cmd")
    operands = list(arguments.operands)
    if invocation.name in ("sqlite3", "duckdb") and operands:
        path = operands.pop(0)
        if path.text not in (":memory:", ""):
            effects.append(Touch(action="read", path=path))
            effects.append(Touch(action="write", path=path, possible=True))
        texts.extend(operands)
    elif invocation.name == "redis-cli":
        texts.append(Field(" ".join(operand.text for operand in operands)))
    else:
        for operand in operands:
            found = re.match(r"\w+(?:\+\w+)?://", operand.text)
            effects.extend([Contact(target=operand, sends_input=True)] if found else [])
    if invocation.stdin.text:
        texts.append(Field(invocation.stdin.text))
    for text in texts:
        effects.extend(statement_effects(text.text))
    return effects


def statement_effects(text: str) -> list[Effect]:
    """What a text of statements and meta-commands does beyond queries."""
    effects: list[Effect] = []
    if _DROPS.search(text):
        effects.extend((Trait(name="destructive"), Trait(name="irreversible")))
    effects.extend(
        Code(language="sh", text=Field(found["code"]), via="argument") for found in _META.finditer(text)
    )
    for found in _FILE.finditer(text):
        writes = found["verb"] in ("\\o", ".output", ".once", ".backup", ".save")
        effects.append(Touch(action="write" if writes else "read", path=Field(found["path"].strip("'\""))))
    for found in _COPY.finditer(text):
        if found["program"]:
            effects.append(Code(language="sh", text=Field(found["path"]), via="argument"))
        elif found["path"]:
            effects.append(
                Touch(action="read" if found["way"].lower() == "from" else "write", path=Field(found["path"]))
            )
        else:
            effects.append(
                Touch(action="write" if found["out"] else "read", path=Field(found["out"] or found["file"]))
            )
    return effects
