"""Archives and patches: `tar`, `zip`, `unzip`, `cpio`, `patch`, `gzip` and its like.

Source: GNU tar 1.34, Info-ZIP 3.0, GNU cpio 2.13, GNU patch 2.7 manuals.
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Indirect, Note, Output, Touch
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.network import remote_host
from gateway.facts.shell.options import Arguments, Grammar, all_names, parse_arguments
from gateway.facts.shell.values import Field

_TAR: Final = Grammar(
    valued=frozenset(
        [
            "-f",
            "--file",
            "-C",
            "--directory",
            "-T",
            "--files-from",
            "-X",
            "--exclude-from",
            "-I",
            "--use-compress-program",
            "--exclude",
            "--transform",
            "--xform",
            "--strip-components",
            "--checkpoint-action",
            "--to-command",
            "--info-script",
            "--new-volume-script",
            "-F",
            "--rsh-command",
            "--rmt-command",
            "-g",
            "--listed-incremental",
            "-b",
            "--blocking-factor",
            "-H",
            "--format",
            "--owner",
            "--group",
            "--mode",
            "--mtime",
            "-K",
            "--starting-file",
            "-L",
            "--tape-length",
            "-N",
            "--newer",
            "--after-date",
            "-V",
            "--label",
            "--index-file",
            "--suffix",
            "--record-size",
            "--sort",
            "--anchored",
            "--warning",
            "--level",
            "--totals",
        ]
    )
)
_MODES: Final = {
    "c": "create",
    "r": "create",
    "u": "create",
    "A": "create",
    "x": "extract",
    "t": "list",
    "d": "list",
}
_PROGRAMS: Final = (
    "-I",
    "--use-compress-program",
    "--to-command",
    "--info-script",
    "--new-volume-script",
    "-F",
    "--rsh-command",
    "--rmt-command",
)


def tar(invocation: Invocation, model: Model) -> list[Effect]:
    """`tar cxt…`: creates read, extracts write; several options run programs."""
    del model
    argv = list(invocation.argv)
    if argv and argv[0].text and not argv[0].text.startswith("-"):
        argv = _old_style(argv)
    arguments = parse_arguments(argv, _TAR)
    mode = next(
        (_MODES[name[1]] for name, _ in arguments.options if len(name) == 2 and name[1] in _MODES), ""
    )
    for name, long in (
        ("create", ("--create", "--append", "--update")),
        ("extract", ("--extract", "--get")),
        ("list", ("--list", "--diff")),
    ):
        if arguments.has(*long):
            mode = name
    effects = _tar_programs(arguments)
    effects.extend(Touch(action="read", path=path) for path in arguments.values("-X", "--exclude-from"))
    listed = list(arguments.values("-T", "--files-from"))
    effects.extend(Touch(action="read", path=path) for path in listed if path.text != "-")
    if listed:
        effects.extend(_listed(invocation, mode))
    archive = arguments.value("-f", "--file")
    effects.extend(_archive(archive, mode))
    base = arguments.value("-C", "--directory")
    if mode == "create":
        for path in arguments.operands:
            effects.append(Touch(action="read", path=_below(base, path), tree=True))
            if arguments.has("--remove-files"):
                effects.append(Touch(action="delete", path=_below(base, path), tree=True))
        if archive is None or archive.text == "-":
            effects.append(Output(copies=True))
    elif mode == "extract" and not arguments.has("-O", "--to-stdout"):
        target = base or Field(".")
        names = [_below(base, path) for path in arguments.operands]
        effects.extend(
            Touch(action="write", path=path, tree=True, possible=not names) for path in names or [target]
        )
        if arguments.has("-P", "--absolute-names"):
            effects.append(Note(reason="unknown_path:write"))
    return effects


def _tar_programs(arguments: Arguments) -> list[Effect]:
    """Options that run programs."""
    effects: list[Effect] = []
    for program in arguments.values(*_PROGRAMS):
        effects.append(Code(language="sh", text=program, via="argument"))
        if program.text.split(" ")[0] not in (
            "gzip",
            "pigz",
            "xz",
            "zstd",
            "bzip2",
            "pbzip2",
            "lz4",
            "lzma",
            "lzop",
        ):
            effects.append(Note(reason="program_option:tar", dimensions=("exec",)))
    for action in arguments.values("--checkpoint-action"):
        kind, _, text = action.text.partition("=")
        if kind == "exec":
            effects.append(Code(language="sh", text=Field(text), via="argument"))
            effects.append(Note(reason="program_option:tar", dimensions=("exec",)))
    return effects


def _old_style(argv: list[Field]) -> list[Field]:
    """`tar xfC archive directory`: letters first, their values in order."""
    letters = argv[0].text
    rest = argv[1:]
    options: list[Field] = []
    for letter in letters:
        options.append(Field(f"-{letter}"))
        if f"-{letter}" in _TAR.valued and rest:
            options.append(rest.pop(0))
    return [*options, *rest]


def _listed(invocation: Invocation, mode: str) -> list[Effect]:
    """Names that come from a list."""
    if mode != "create":
        return []
    text = invocation.stdin.text
    if text is not None:
        return [Touch(action="read", path=Field(line), tree=True) for line in text.splitlines() if line]
    if invocation.stdin.names is not None:
        return [Touch(action="read", path=name) for name in invocation.stdin.names]
    return [Note(reason="stdin_paths", dimensions=("read",))]


def _archive(archive: Field | None, mode: str) -> list[Effect]:
    if archive is None or archive.text == "-":
        return []
    host = remote_host(archive.text)
    if host:
        return [Contact(target=Field(host), sends_input=True)]
    return [Touch(action="write" if mode == "create" else "read", path=archive)]


def _below(base: Field | None, path: Field) -> Field:
    if base is None or path.text.startswith("/"):
        return path
    return Field(f"{base.text.rstrip('/')}/{path.text}", base.glob or path.glob)


_ZIP: Final = Grammar(
    valued=frozenset(
        [
            "-b",
            "-i",
            "-x",
            "-n",
            "-P",
            "-s",
            "-t",
            "-tt",
            "-TT",
            "-O",
            "-UN",
            "--temp-path",
            "--include",
            "--exclude",
            "--password",
            "--out",
            "--unzip-command",
        ]
    )
)


def zip_files(invocation: Invocation, model: Model) -> list[Effect]:
    """`zip archive files`: `-m` deletes them, `-TT` runs a program."""
    del model
    argv: list[Field] = []
    effects: list[Effect] = []
    position = 0
    words = list(invocation.argv)
    while position < len(words):
        text = words[position].text
        if text in ("-TT", "--unzip-command") and position + 1 < len(words):
            effects.append(Code(language="sh", text=words[position + 1], via="argument"))
            effects.append(Note(reason="program_option:zip", dimensions=("exec",)))
            position += 2
            continue
        argv.append(words[position])
        position += 1
    arguments = parse_arguments(argv, _ZIP)
    if arguments.operands:
        effects.append(Touch(action="write", path=arguments.operands[0]))
    tree = arguments.has("-r", "-R", "--recurse-paths")
    for path in arguments.operands[1:]:
        effects.append(Touch(action="read", path=path, tree=tree))
        if arguments.has("-m", "--move"):
            effects.append(Touch(action="delete", path=path, tree=tree))
    if arguments.has("-@"):
        effects.extend(_listed(invocation, "create"))
    return effects


def unzip(invocation: Invocation, model: Model) -> list[Effect]:
    """`unzip archive [-d directory]`."""
    del model
    arguments = parse_arguments(invocation.argv, Grammar(valued=frozenset({"-d", "-P", "-x", "-O", "-I"})))
    effects: list[Effect] = [Touch(action="read", path=path) for path in arguments.operands[:1]]
    if arguments.has("-l", "-t", "-v", "-Z", "-p", "-c", "-z"):
        return [*effects, Output(copies=True)]
    target = arguments.value("-d") or Field(".")
    return [*effects, Touch(action="write", path=target, tree=True, possible=True)]


def cpio(invocation: Invocation, model: Model) -> list[Effect]:
    """`cpio -o` archives the files named on its input, `-i` extracts, `-p` copies."""
    del model
    arguments = parse_arguments(
        invocation.argv,
        Grammar(
            valued=frozenset(
                ["-F", "-O", "-I", "-E", "-H", "-D", "-R", "--file", "--format", "--directory", "-C", "-M"]
            )
        ),
    )
    effects: list[Effect] = []
    files = arguments.values("-F", "-O", "-I", "--file")
    out = arguments.has("-o", "--create")
    effects.extend(Touch(action="write" if out else "read", path=path) for path in files)
    if out or arguments.has("-p", "--pass-through"):
        effects.extend(_listed(invocation, "create"))
    if arguments.has("-p", "--pass-through"):
        effects.extend(Touch(action="write", path=path, tree=True) for path in arguments.operands[:1])
    if arguments.has("-i", "--extract") and not arguments.has("-t", "--list"):
        effects.append(
            Touch(
                action="write",
                path=arguments.value("-D", "--directory") or Field("."),
                tree=True,
                possible=True,
            )
        )
    return effects


def patch(invocation: Invocation, model: Model) -> list[Effect]:
    """`patch [file [patchfile]]`: what is patched stands in the patch."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    effects = option_effects(model, arguments)
    effects.extend(Touch(action="read", path=path) for path in arguments.operands[1:2])
    if arguments.operands:
        effects.append(Touch(action="write", path=arguments.operands[0]))
    elif not arguments.has("--dry-run"):
        text = invocation.stdin.text
        targets = [
            line.split("\t")[0].removeprefix("+++ ").strip()
            for line in (text or "").splitlines()
            if line.startswith("+++ ")
        ]
        for target in targets:
            effects.append(Touch(action="write", path=Field(target.partition("/")[2] or target)))
        if text is None or not targets:
            effects.extend(_patching(invocation, arguments))
    return effects


def _patching(invocation: Invocation, arguments: Arguments) -> list[Effect]:
    """What a patch in a file changes: `patch` refuses names that lead out of the working directory."""
    given, stdin = arguments.values("-i", "--input"), invocation.stdin
    files = [path.text for path in given if path.known and path.text != "-"]
    if not given and stdin.text is None and not (stdin.hosts or stdin.code or stdin.altered):
        files = [source for source in sorted(stdin.sources) if source.startswith("/")]
    if (
        not files
        or len(files) != len(given or stdin.sources)
        or arguments.has("-d", "--directory", "-e", "--ed")
    ):
        return [Note(reason="patch_target", dimensions=("write",))]
    return [
        Touch(action="write", path=Field("."), tree=True, possible=True),
        *(Indirect(kind="patch_file", name=name) for name in files),
    ]


def compress(invocation: Invocation, model: Model) -> list[Effect]:
    """`gzip file` and its like: a compressed file takes the place of the file, unless it is kept or printed."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    effects = option_effects(model, arguments)
    printed = arguments.has(
        "-c", "--stdout", "--to-stdout", "-t", "--test", "-l", "--list"
    ) or invocation.name.endswith("cat")
    for path in arguments.operands:
        effects.append(Touch(action="read", path=path, tree=arguments.has("-r", "--recursive")))
        if not printed:
            effects.append(
                Touch(action="write", path=Field(f"{path.text}.*" if not path.glob else path.text, glob=True))
            )
            if not arguments.has("-k", "--keep") and invocation.name not in ("zstd", "7z", "7za"):
                effects.append(Touch(action="delete", path=path))
    return [*effects, Output(copies=True)] if printed or not arguments.operands else effects
