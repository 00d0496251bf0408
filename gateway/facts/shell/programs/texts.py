"""Text tools with languages of their own: `sed`, `grep` and `rg`, `jq`, and editors that run commands.

Source: GNU sed 4.9 manual, POSIX grep, ripgrep 14 guide, jq 1.7 manual, vim(1), ed(1).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import Code, Effect, Note, Output, PathAction, Run, Touch
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Arguments, Grammar, all_names, parse_arguments
from gateway.facts.shell.programs.sed_script import read_sed
from gateway.facts.shell.values import Field

_SED: Final = Grammar(
    valued=frozenset({"-e", "--expression", "-f", "--file", "-l", "--line-length"}),
    optional=frozenset({"-i", "--in-place"}),
    flags=frozenset(
        {"--quiet", "--silent", "--regexp-extended", "--separate", "--null-data", "--debug", "--posix"}
    ),
)
_GREP_VALUED: Final = frozenset(
    [
        "-A",
        "-B",
        "-C",
        "-m",
        "-d",
        "-D",
        "--after-context",
        "--before-context",
        "--context",
        "--max-count",
        "--include",
        "--exclude",
        "--exclude-dir",
        "--label",
        "--color",
        "--binary-files",
        "--devices",
        "--directories",
        "-e",
        "--regexp",
        "-f",
        "--file",
        "--exclude-from",
    ]
)
_RG_VALUED: Final = frozenset(
    [
        "-A",
        "-B",
        "-C",
        "-m",
        "-M",
        "-g",
        "-t",
        "-T",
        "-j",
        "-d",
        "-E",
        "-r",
        "--after-context",
        "--before-context",
        "--context",
        "--max-count",
        "--max-columns",
        "--glob",
        "--iglob",
        "--type",
        "--type-not",
        "--threads",
        "--max-depth",
        "--encoding",
        "--replace",
        "--color",
        "--colors",
        "--sort",
        "--sortr",
        "--max-filesize",
        "--path-separator",
        "--type-add",
        "--context-separator",
        "--engine",
        "--hostname-bin",
        "--hyperlink-format",
        "-e",
        "--regexp",
        "-f",
        "--file",
        "--ignore-file",
        "--pre",
        "--pre-glob",
    ]
)


def sed(invocation: Invocation, model: Model) -> list[Effect]:
    """`sed [-n -i] script files`: the script may read, write and run."""
    del model
    arguments = parse_arguments(invocation.argv, _SED)
    operands = list(arguments.operands)
    scripts = arguments.values("-e", "--expression")
    files = arguments.values("-f", "--file")
    effects: list[Effect] = [Touch(action="read", path=path) for path in files]
    if files:
        effects.append(Note(reason="sed_exec", dimensions=("exec", "read", "write")))
    if not scripts and not files and operands:
        scripts = [operands.pop(0)]
    for text in scripts:
        effects.extend(read_sed(text) if text.known else [Note(reason="sed_exec")])
    in_place = arguments.has("-i", "--in-place")
    for path in operands:
        effects.append(Touch(action="read", path=path))
        if in_place:
            effects.append(Touch(action="write", path=path))
    return [*effects, Output(text="") if in_place else Output(filters=True)]


def grep(invocation: Invocation, model: Model) -> list[Effect]:
    """`grep pattern files`, with `-r` whole trees; `-l` prints names."""
    del model
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=_GREP_VALUED, optional=frozenset({"--color", "--colour"}))
    )
    operands = list(arguments.operands)
    effects: list[Effect] = [
        Touch(action="read", path=path) for path in arguments.values("-f", "--file", "--exclude-from")
    ]
    if not arguments.has("-e", "--regexp", "-f", "--file") and operands:
        operands.pop(0)
    tree = arguments.has("-r", "-R", "--recursive", "--dereference-recursive") or invocation.name == "rgrep"
    if tree and not operands:
        operands = [Field(".")]
    included = arguments.values("--include")
    for path in operands:
        # A tree searched for named files reads those.
        narrowed = (
            [Field(f"{path.text.rstrip('/')}/**/{name.text}", glob=True) for name in included] if tree else []
        )
        effects.extend(Touch(action="read", path=one) for one in narrowed)
        if not narrowed:
            effects.append(Touch(action="read", path=path, tree=tree))
    return [*effects, _found(arguments, operands, tree=tree)]


def ripgrep(invocation: Invocation, model: Model) -> list[Effect]:
    """`rg pattern paths`: trees, hidden and ignored files left out unless asked for."""
    del model
    arguments = parse_arguments(invocation.argv, Grammar(valued=_RG_VALUED))
    operands = list(arguments.operands)
    effects: list[Effect] = [
        Touch(action="read", path=path) for path in arguments.values("-f", "--file", "--ignore-file")
    ]
    for program in arguments.values("--pre", "--hostname-bin"):
        effects.extend(
            (Run(argv=(program,), via="argument"), Note(reason="program_option:rg", dimensions=("exec",)))
        )
    listing = arguments.has("--files", "--type-list")
    if not listing and not arguments.has("-e", "--regexp", "-f", "--file") and operands:
        operands.pop(0)
    paths = operands or [Field(".")]
    action: PathAction = "list" if listing else "read"
    effects.extend(Touch(action=action, path=path, tree=True) for path in paths if path.text != "-")
    return [*effects, _found(arguments, paths, tree=True)]


def _found(arguments: Arguments, paths: list[Field], *, tree: bool) -> Output:
    if arguments.has("-l", "--files-with-matches", "-L", "--files-without-match", "--files"):
        names = tuple(Field(f"{path.text.rstrip('/')}/**", glob=True) if tree else path for path in paths)
        return Output(names=names)
    return Output(filters=True)


def jq(invocation: Invocation, model: Model) -> list[Effect]:
    """`jq filter files`, with files bound to variables."""
    del model
    argv = list(invocation.argv)
    effects: list[Effect] = []
    operands: list[Field] = []
    position, filtered = 0, False
    while position < len(argv):
        name = argv[position].text
        position += 1
        if name in ("--slurpfile", "--rawfile", "--argfile"):
            effects.extend(Touch(action="read", path=path) for path in argv[position + 1 : position + 2])
            position += 2
        elif name in ("--arg", "--argjson"):
            position += 2
        elif name in ("-f", "--from-file"):
            effects.extend(Touch(action="read", path=path) for path in argv[position : position + 1])
            position, filtered = position + 1, True
        elif name in ("-L", "--indent", "--seq"):
            position += 1
        elif name in ("--args", "--jsonargs"):
            operands.extend(argv[position : position + 1] if not filtered else ())
            break
        elif not name.startswith("-") or name == "-":
            operands.append(argv[position - 1])
    if not filtered and operands:
        text = operands.pop(0)
        if re.search(r"\$ENV|\benv\b", text.text):
            effects.append(Note(reason="environment", dimensions=()))
    return [*effects, *(Touch(action="read", path=path) for path in operands)]


def editor(invocation: Invocation, model: Model) -> list[Effect]:
    """Editors: files are edited; commands given as options may do anything, `!` runs a shell."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), optional=all_names(model.optional))
    )
    effects = option_effects(model, arguments)
    operands: list[Field] = []
    commands = arguments.values("-c", "--cmd", "-S", "-e", "--eval", "-f", "--exec")
    for field in arguments.operands:
        if field.text.startswith("+"):
            commands.append(Field(field.text[1:], field.glob))
        else:
            operands.append(field)
    for command in commands:
        if command.text and not command.text.isdecimal():
            effects.extend(editor_command(invocation.name, command))
    if invocation.name in ("ed", "ex", "red") and invocation.stdin.text:
        for line in invocation.stdin.text.splitlines():
            effects.extend(
                editor_command(invocation.name, Field(line)) if line.lstrip().startswith("!") else ()
            )
            written = re.match(r"\s*[0-9,$]*\s*(?:w|W)\s+(\S+)", line)
            if written:
                effects.append(Touch(action="write", path=Field(written.group(1))))
    readonly = arguments.has("-R", "-M") or invocation.name in ("view", "less", "more", "most", "red")
    for path in operands:
        effects.append(Touch(action="read", path=path))
        if not readonly:
            effects.append(Touch(action="write", path=path, possible=True))
    return effects


def manual(invocation: Invocation, model: Model) -> list[Effect]:
    """`man page`: a page that is a path is read; pagers are shell text."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    pages = [
        field for field in arguments.operands if "/" in field.text or arguments.has("-l", "--local-file")
    ]
    return [*option_effects(model, arguments), *(Touch(action="read", path=path) for path in pages)]


def editor_command(name: str, command: Field) -> list[Effect]:
    """A command handed to an editor or pager: `!text` runs a shell, `r` reads, `w` writes."""
    text = command.text.lstrip(": ")
    effects: list[Effect] = [Note(reason=f"program_option:{name}", dimensions=("exec",))]
    shell = re.match(r"(?:[%0-9,$.]*|r\s*|w\s*|silent!?\s*)!\s*(?P<text>.+)", text, re.DOTALL)
    if shell:
        effects = [Code(language="sh", text=Field(shell["text"], command.glob), via="argument")]
    read = re.match(r"(?:[0-9$]*r(?:ead)?|e(?:dit)?|sp(?:lit)?|so(?:urce)?)\s+(?P<path>[^!\s]\S*)", text)
    if read:
        effects.append(Touch(action="read", path=Field(read["path"])))
    written = re.match(r"(?:[%0-9,$]*w(?:rite)?!?|sav(?:eas)?)\s+(?P<path>[^!\s]\S*)", text)
    if written:
        effects.append(Touch(action="write", path=Field(written["path"])))
    return effects
