"""`git`: what a subcommand does to refs, remotes, the work tree and the configuration.

Source: git 2.39 manuals, gitrevisions(7), git-config(1). Blobs of protected paths count as reads of the path, since
`git show HEAD:.env` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Git, Note, Output, Touch, Trait
from gateway.facts.shell.models import Invocation, Model
from gateway.facts.shell.network import looks_like_url, remote_host
from gateway.facts.shell.options import Arguments, Grammar, parse_arguments
from gateway.facts.shell.programs.git_push import push
from gateway.facts.shell.values import Field

_OUTER: Final = Grammar(
    valued=frozenset(
        {
            "-C",
            "-c",
            "--git-dir",
            "--work-tree",
            "--namespace",
            "--exec-path",
            "--config-env",
            "--super-prefix",
        }
    ),
    stop=True,
)
_EXECUTING: Final = re.compile(
    r"(?:core\.(?:sshcommand|editor|pager|fsmonitor|hookspath|askpass|gitproxy|alternaterefscommand)|alias\..*|diff\.(?:external|.*\.(?:command|textconv))"
    r"|merge\..*\.driver|filter\..*\.(?:clean|smudge|process)|sequence\.editor|gpg\..*program|credential\..*helper|credential\.helper|pager\..*"
    r"|protocol\..*|interactive\.difffilter|remote\..*\.(?:uploadpack|receivepack|proxy|vcs)|uploadpack\.packobjectshook|web\.browser|browser\..*|difftool\..*\.cmd|mergetool\..*\.cmd|sendemail\..*cmd|init\.templatedir|include\.path|includeif\..*|http\.proxy|url\..*)",
    re.IGNORECASE,
)
_SHELLED: Final = re.compile(
    r"(?:core\.(?:sshcommand|editor|pager|fsmonitor|askpass)|alias\..*|diff\..*|sequence\.editor|pager\..*|gpg\..*program|credential\..*|.*\.cmd)",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"(?:user\.(?:name|email|signingkey)|color\..*|push\.(?:default|autosetupremote|followtags)|pull\.(?:rebase|ff)|fetch\.prune.*|branch\..*|init\.defaultbranch"
    r"|core\.(?:autocrlf|eol|filemode|ignorecase|quotepath|longpaths|abbrev|symlinks|precomposeunicode)|merge\.(?:ff|conflictstyle|renames)|rebase\..*"
    r"|advice\..*|commit\.(?:gpgsign|verbose)|tag\.(?:sort|gpgsign)|status\..*|log\..*|diff\.(?:renames|algorithm|colormoved)|rerere\..*|column\..*)",
    re.IGNORECASE,
)
"""Settings that change how git shows or merges and can run nothing: git keeps them in its own file."""
_QUIET: Final = Grammar(
    valued=frozenset(
        [
            "-n",
            "-m",
            "-F",
            "-C",
            "-c",
            "-S",
            "-G",
            "-L",
            "-O",
            "-U",
            "-u",
            "-X",
            "-s",
            "-b",
            "-B",
            "--author",
            "--date",
            "--since",
            "--until",
            "--after",
            "--before",
            "--grep",
            "--format",
            "--pretty",
            "--max-count",
            "--skip",
            "--message",
            "--file",
            "--reuse-message",
            "--strategy",
            "--strategy-option",
            "--onto",
            "--exec",
            "-x",
            "--track",
            "--orphan",
            "--source",
            "--output",
            "--diff-filter",
            "--word-diff-regex",
            "--stat",
            "--depth",
            "--branch",
            "--origin",
            "--reference",
            "--template",
            "--config",
            "--upload-pack",
            "--receive-pack",
            "--repo",
            "--push-option",
            "-o",
            "--pathspec-from-file",
            "--contains",
            "--merged",
            "--no-merged",
            "--points-at",
            "--sort",
            "--local-user",
            "--cleanup",
            "--trailer",
            "--fixup",
            "--squash",
            "--jobs",
            "-j",
            "--separate-git-dir",
            "--filter",
            "--shallow-since",
            "--shallow-exclude",
            "--server-option",
            "--prefix",
            "--remote",
            "--add-file",
            "--exclude",
            "--exclude-from",
            "-e",
            "--directory",
            "--whitespace",
            "-p",
            "--abbrev",
            "--encoding",
            "--initial-branch",
            "--default",
            "--index-filter",
            "--tree-filter",
            "--env-filter",
            "--msg-filter",
            "--commit-filter",
            "--parent-filter",
            "--tag-name-filter",
            "--setup",
            "--subdirectory-filter",
        ]
    ),
    optional=frozenset(
        {
            "--stat",
            "--pretty",
            "--format",
            "--track",
            "--abbrev",
            "-p",
            "-u",
            "-U",
            "-C",
            "-S",
            "--color",
            "--word-diff",
            "--diff-filter",
        }
    ),
)
_CODE_OPTIONS: Final = (
    "--exec",
    "-x",
    "--index-filter",
    "--tree-filter",
    "--env-filter",
    "--msg-filter",
    "--commit-filter",
    "--parent-filter",
    "--tag-name-filter",
    "--setup",
    "--upload-pack",
    "--receive-pack",
)
_LISTING: Final = frozenset({"ls-files", "ls-tree", "diff-tree", "diff-index"})
_BLOBS: Final = frozenset(
    {
        "show",
        "cat-file",
        "archive",
        "checkout",
        "restore",
        "diff",
        "log",
        "blame",
        "annotate",
        "grep",
        "difftool",
    }
)


def git(invocation: Invocation, model: Model) -> list[Effect]:
    """`git [options] subcommand …`."""
    del model
    outer = parse_arguments(invocation.argv, _OUTER)
    effects = _configured(outer)
    directory = outer.value("-C")
    if not outer.operands:
        return effects
    name = outer.operands[0]
    if not name.known:
        return [*effects, Note(reason="dynamic_command")]
    arguments = parse_arguments(outer.operands[1:], _grammar(name.text))
    inner = _subcommand(name.text, arguments, outer.operands[1:])
    for option in _CODE_OPTIONS:
        for text in arguments.values(option) if name.text not in ("clean", "log", "cherry-pick") else ():
            inner.append(Code(language="sh", text=text, via="git_alias"))
    return [*effects, *(_moved(effect, directory) for effect in inner)]


def _grammar(name: str) -> Grammar:
    """Letters that take a value for some subcommands and none for others."""
    flags = {
        "clean": {"-x", "-n", "-d", "-f", "-X"},
        "branch": {"-m", "-M", "-c", "-C", "-u"} - {"-u"},
        "diff": {"-b", "-B", "-p", "-u", "-s"},
        "show": {"-p", "-s", "-u"},
        "log": {"-p", "-s", "-u", "-m", "-c"},
        "status": {"-s", "-b", "-u"},
        "stash": {"-p", "-u", "-S"},
        "push": {"-u", "-n", "-f", "-d"},
        "add": {"-n", "-p", "-u", "-e", "-N"},
        "commit": {"-p", "-e", "-s", "-n", "-u", "-o"},
        "rm": {"-n"},
        "mv": {"-n"},
        "tag": {"-n", "-s"},
        "fetch": {"-n", "-p", "-u"},
        "pull": {"-n"},
        "clone": {"-n", "-s", "-u"} - {"-u"},
        "merge": {"-n", "-S", "-e"},
        "rebase": {"-p", "-m", "-n"},
        "checkout": {"-p", "-m"},
        "reset": {"-p", "-N"},
        "restore": {"-p", "-S", "-m"},
        "config": {"-e", "-l"},
        "remote": {"-n", "-p"},
        "apply": {"-R", "-N"},
        "worktree": {"-n", "-f", "-d"},
        "am": {"-s", "-u", "-c", "-m"},
        "revert": {"-n", "-e", "-s"},
        "cherry-pick": {"-n", "-x", "-e", "-s", "-S"},
        "blame": {"-s", "-p", "-b", "-c", "-e"},
        "grep": {"-n", "-L", "-c", "-F", "-G", "-p", "-o", "-O"},
        "ls-files": {"-s", "-u", "-m", "-o", "-c", "-X"} - {"-X"},
        "cat-file": {"-p", "-s", "-e"},
        "rev-parse": {"-n"},
        "switch": {"-d", "-m", "-f"},
    }.get(name, set())
    return Grammar(valued=_QUIET.valued - flags, optional=_QUIET.optional - flags)


def _configured(outer: Arguments) -> list[Effect]:
    """`-c name=value` and other places that make git run programs."""
    effects: list[Effect] = []
    for setting in outer.values("-c"):
        name, _, value = setting.text.partition("=")
        effects.extend(executing_setting(name, Field(value, setting.glob)))
    if outer.has("--exec-path") and outer.value("--exec-path") is not None:
        effects.append(Note(reason="program_option:git", dimensions=("exec",)))
    return effects


def executing_setting(name: str, value: Field) -> list[Effect]:
    """A setting that names a program git will run."""
    if not _EXECUTING.fullmatch(name):
        return []
    effects: list[Effect] = (
        [Note(reason="program_option:git", dimensions=("exec",))] if not value.known else []
    )
    if _SHELLED.fullmatch(name) and value.text:
        text = (
            value.text.removeprefix("!") if name.lower().startswith(("alias", "credential")) else value.text
        )
        if not name.lower().startswith(("alias.", "credential.")) or value.text.startswith("!"):
            effects.append(Code(language="sh", text=Field(text, value.glob), via="git_alias"))
    elif value.text:
        effects.append(Touch(action="execute", path=value, possible=True))
    return effects


def _moved(effect: Effect, directory: Field | None) -> Effect:
    """An effect of git run in another directory (`-C`)."""
    if directory is None or not isinstance(effect, Touch) or effect.path.text.startswith(("/", "~")):
        return effect
    path = Field(f"{directory.text.rstrip('/')}/{effect.path.text}", effect.path.glob or directory.glob)
    return Touch(action=effect.action, path=path, tree=effect.tree, possible=effect.possible)


def _subcommand(name: str, arguments: Arguments, argv: tuple[Field, ...]) -> list[Effect]:
    special = _SPECIAL.get(name)
    if special is not None:
        return special(name, arguments)
    effects: list[Effect] = [Git(sub=name)]
    if name in _BLOBS:
        effects.extend(_blobs(arguments))
    if name in _LISTING or (
        name in ("diff", "show", "log", "status")
        and arguments.has("--name-only", "--name-status", "-s", "--short", "--porcelain")
    ):
        effects.append(Output(names=(Field("**", glob=True),)))
    if name == "rev-parse" and arguments.has("--show-toplevel"):
        effects.append(Output(names=(Field("."),)))
    output = arguments.value("-o", "--output")
    if output is not None and name in ("diff", "log", "show", "format-patch", "archive"):
        effects.append(Touch(action="write", path=output))
    message = arguments.value("-F", "--file")
    if message is not None and message.text != "-":
        effects.append(Touch(action="read", path=message))
    if name == "diff" and arguments.has("--no-index"):
        effects.extend(Touch(action="read", path=path) for path in arguments.operands)
    del argv
    return effects


def _blobs(arguments: Arguments) -> list[Effect]:
    """`REV:path`, and pathspecs whose content is printed."""
    effects: list[Effect] = []
    for operand in arguments.operands:
        revision, separator, path = operand.text.partition(":")
        if separator and path and not looks_like_url(operand.text) and not revision.startswith("/"):
            effects.append(Touch(action="read", path=Field(path.removeprefix("./") or ".", operand.glob)))
        elif (
            not separator
            and ("/" in operand.text or operand.text.startswith("."))
            and not operand.text.startswith(("origin/", "upstream/", "refs/", "feature/"))
        ):
            effects.append(Touch(action="read", path=operand, possible=True))
    return effects


def _remote_effects(target: Field) -> list[Effect]:
    """A remote given as a URL is contacted; `ext::` runs a command."""
    text = target.text
    if text.startswith("ext::"):
        return [
            Code(language="sh", text=Field(text.removeprefix("ext::")), via="git_alias"),
            Note(reason="git_ext_transport", dimensions=("exec",)),
        ]
    host = remote_host(text)
    if looks_like_url(text) or host:
        return [Contact(target=target if not host or looks_like_url(text) else Field(host), fetches=True)]
    if text.startswith(("/", "./", "../", "~")):
        return [Touch(action="read", path=target, tree=True)]
    return []


def _push(name: str, arguments: Arguments) -> list[Effect]:
    del name
    effects = push(arguments)
    for target in arguments.operands[:1]:
        effects.extend(_remote_effects(target))
    return effects


def _fetching(name: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = [Git(sub=name, remote=arguments.operands[0].text if arguments.operands else "")]
    for target in arguments.operands[:1]:
        effects.extend(_remote_effects(target))
    if name == "clone" and arguments.operands:
        text = arguments.operands[0].text.rstrip("/")
        default = Field(re.sub(r"\.git$", "", re.split(r"[/:]", text)[-1]) or ".", arguments.operands[0].glob)
        target = arguments.operands[1] if len(arguments.operands) > 1 else default
        effects.append(Touch(action="write", path=target, tree=True))
        effects.extend(
            Touch(action="execute", path=path, tree=True, possible=True)
            for path in arguments.values("--template")
        )
        for setting in arguments.values("-c", "--config"):
            key, _, value = setting.text.partition("=")
            effects.extend(executing_setting(key, Field(value)))
    return effects


def _config(name: str, arguments: Arguments) -> list[Effect]:
    path = next(iter(arguments.values("-f", "--file")), None)
    if path is None:
        path = Field(
            "~/.gitconfig"
            if arguments.has("--global")
            else "/etc/gitconfig"
            if arguments.has("--system")
            else ".git/config"
        )
    operands = list(arguments.operands)
    if operands and operands[0].text in (
        "set",
        "get",
        "unset",
        "list",
        "edit",
        "rename-section",
        "remove-section",
    ):
        verb = operands.pop(0).text
    else:
        verb = ""
    changes = (
        len(operands) > 1
        or verb in ("set", "unset", "edit", "rename-section", "remove-section")
        or arguments.has(
            "--unset",
            "--unset-all",
            "--add",
            "--replace-all",
            "--remove-section",
            "--rename-section",
            "-e",
            "--edit",
        )
    )
    if arguments.has("--get", "--get-all", "--get-regexp", "-l", "--list", "--get-urlmatch"):
        changes = False
    effects: list[Effect] = [Git(sub=name)]
    if changes and operands and _HARMLESS.fullmatch(operands[0].text):
        return effects
    if changes:
        effects.append(Touch(action="write", path=path))
        if len(operands) > 1:
            effects.extend(_setting_written(operands[0].text, operands[1]))
    elif arguments.has("-f", "--file"):
        effects.append(Touch(action="read", path=path))
    return effects


def _setting_written(name: str, value: Field) -> list[Effect]:
    effects: list[Effect] = [
        effect for effect in executing_setting(name, value) if not isinstance(effect, Code)
    ]
    if _EXECUTING.fullmatch(name):
        effects.append(Trait(name="persistence"))
    return effects


def _clean(name: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = [Git(sub=name, force=arguments.has("-f", "--force"))]
    if not arguments.has("-n", "--dry-run"):
        paths = arguments.operands or (Field("."),)
        effects.extend(Touch(action="delete", path=path, tree=True) for path in paths)
        effects.append(Trait(name="destructive"))
    return effects


def _removing(name: str, arguments: Arguments) -> list[Effect]:
    action = "read" if arguments.has("--cached", "-n", "--dry-run") else "delete"
    effects: list[Effect] = [Git(sub=name)]
    effects.extend(
        Touch(action="list" if action == "read" else "delete", path=path) for path in arguments.operands
    )
    return effects


def _moving(name: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = [Git(sub=name)]
    if len(arguments.operands) > 1:
        effects.extend(Touch(action="delete", path=path) for path in arguments.operands[:-1])
        effects.append(Touch(action="write", path=arguments.operands[-1]))
    return effects


def _restoring(name: str, arguments: Arguments) -> list[Effect]:
    """`checkout`, `restore`, `switch`: files of the work tree are overwritten."""
    branch = arguments.value("-b", "-B", "-c", "-C", "--orphan")
    hard = arguments.has("-f", "--force", "--discard-changes")
    effects: list[Effect] = [
        Git(sub=name, force=hard, hard=hard, refs=(branch.text,) if branch is not None else ())
    ]
    if name == "switch" or branch is not None:
        return effects
    staged = name == "restore" and arguments.has("--staged", "-S") and not arguments.has("--worktree", "-W")
    for operand in arguments.operands:
        text = operand.text
        looks = "/" in text or "." in text or operand.glob
        if staged:
            effects.append(Touch(action="list", path=operand))
        elif name == "restore" or (looks and not text.startswith(("origin/", "upstream/", "refs/"))):
            whole = text in (".", ":/", "*", ":")
            effects.append(Touch(action="write", path=Field(".") if whole else operand, tree=whole))
            if whole:
                effects.append(Trait(name="destructive"))
    return effects


def _reset(name: str, arguments: Arguments) -> list[Effect]:
    hard = arguments.has("--hard", "--merge", "--keep")
    effects: list[Effect] = [Git(sub=name, hard=arguments.has("--hard"))]
    if hard:
        effects.extend(
            (Touch(action="write", path=Field("."), tree=True, possible=True), Trait(name="destructive"))
        )
    return effects


def _stash(name: str, arguments: Arguments) -> list[Effect]:
    verb = arguments.operands[0].text if arguments.operands else "push"
    effects: list[Effect] = [Git(sub=name, delete=verb in ("drop", "clear"))]
    if verb in ("drop", "clear"):
        effects.append(Trait(name="destructive"))
    return effects


def _branch(name: str, arguments: Arguments) -> list[Effect]:
    delete = arguments.has("-d", "-D", "--delete")
    force = arguments.has("-D", "-M", "-f", "--force", "-C")
    changes = delete or force or arguments.has("-m", "-c")
    refs = tuple(operand.text for operand in arguments.operands) if changes else ()
    effects: list[Effect] = [Git(sub=name, refs=refs, delete=delete, force=force)]
    if delete and force:
        effects.append(Trait(name="destructive"))
    return effects


def _tag(name: str, arguments: Arguments) -> list[Effect]:
    delete = arguments.has("-d", "--delete")
    return [
        Git(
            sub=name,
            refs=tuple(operand.text for operand in arguments.operands),
            delete=delete,
            force=arguments.has("-f", "--force"),
        )
    ]


def _adding(name: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = [
        Git(sub=name, all=arguments.has("-A", "--all", "-u"), force=arguments.has("-f", "--force"))
    ]
    for path in arguments.operands:
        effects.append(Touch(action="read", path=path, possible=path.text in (".", "*")))
    return effects


def _applying(name: str, arguments: Arguments) -> list[Effect]:
    effects: list[Effect] = [Git(sub=name)]
    effects.extend(Touch(action="read", path=path) for path in arguments.operands if path.text != "-")
    if not arguments.has(
        "--check", "--stat", "--numstat", "--summary", "--abort", "--quit", "--show-current-patch"
    ):
        effects.append(Note(reason="patch_target", dimensions=("write",)))
    return effects


def _worktree(name: str, arguments: Arguments) -> list[Effect]:
    words = list(arguments.operands)
    effects: list[Effect] = [Git(sub=name)]
    if words and words[0].text == "add" and len(words) > 1:
        effects.append(Touch(action="write", path=words[1], tree=True))
    if words and words[0].text in ("remove", "move"):
        effects.extend(Touch(action="delete", path=path, tree=True) for path in words[1:2])
    return effects


def _remote(name: str, arguments: Arguments) -> list[Effect]:
    words = list(arguments.operands)
    effects: list[Effect] = [Git(sub=name)]
    if words and words[0].text in ("add", "set-url", "remove", "rm", "rename", "set-head", "set-branches"):
        effects.append(Touch(action="write", path=Field(".git/config")))
    return effects


def _bisect(name: str, arguments: Arguments) -> list[Effect]:
    words = list(arguments.operands)
    if words and words[0].text == "run":
        return [
            Git(sub=name),
            Code(language="sh", text=Field(" ".join(word.text for word in words[1:])), via="git_alias"),
        ]
    return [Git(sub=name)]


def _submodule(name: str, arguments: Arguments) -> list[Effect]:
    words = list(arguments.operands)
    effects: list[Effect] = [Git(sub=name)]
    if words and words[0].text == "foreach":
        effects.append(
            Code(
                language="sh",
                text=Field(" ".join(word.text for word in words[1:] if word.text != "--recursive")),
                via="git_alias",
            )
        )
    if words and words[0].text == "add" and len(words) > 1:
        effects.extend(_remote_effects(words[1]))
    return effects


def _history(name: str, arguments: Arguments) -> list[Effect]:
    """Commands that rewrite or drop history."""
    expires = name in ("gc", "reflog", "prune") and (
        arguments.has("--expire", "--prune", "--expire-unreachable") or name == "prune"
    )
    effects: list[Effect] = [Git(sub=name, force=name in ("filter-branch", "filter-repo", "update-ref"))]
    if name in ("filter-branch", "filter-repo") or expires:
        effects.append(Trait(name="irreversible"))
    return effects


_SPECIAL: Final[dict[str, Callable[[str, Arguments], list[Effect]]]] = {
    "push": _push,
    "pull": _fetching,
    "fetch": _fetching,
    "clone": _fetching,
    "ls-remote": _fetching,
    "config": _config,
    "clean": _clean,
    "rm": _removing,
    "mv": _moving,
    "checkout": _restoring,
    "restore": _restoring,
    "switch": _restoring,
    "reset": _reset,
    "stash": _stash,
    "branch": _branch,
    "tag": _tag,
    "add": _adding,
    "stage": _adding,
    "apply": _applying,
    "am": _applying,
    "worktree": _worktree,
    "remote": _remote,
    "bisect": _bisect,
    "submodule": _submodule,
    "filter-branch": _history,
    "filter-repo": _history,
    "gc": _history,
    "reflog": _history,
    "prune": _history,
    "update-ref": _history,
}
