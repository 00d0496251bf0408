"""Wrappers whose arguments tables cannot describe: they join words into shell text, or choose the command by an option.

Source: the manuals of sudo 1.9, util-linux 2.38 (su, script, flock), procps (watch), GNU parallel, tmux 3.3, gdb 13.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import structs

from gateway.facts.shell.effects import Assign, Code, Effect, Note, Output, Run, Touch, Trait
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Arguments, Grammar, all_names, parse_arguments
from gateway.facts.shell.programs.finding import below
from gateway.facts.shell.values import Field

_EDITS: Final = ("-e", "--edit")


def sudo(invocation: Invocation, model: Model) -> list[Effect]:
    """`sudo`: a command, a file to edit (`-e`), or a shell that reads its input (`-i`, `-s`)."""
    arguments = _parsed(invocation, model, stop=True)
    operands = list(arguments.operands)
    effects: list[Effect] = []
    while operands and _is_assignment(operands[0]):
        name, _, text = operands[0].text.partition("=")
        effects.append(Assign(name=name, value=Field(text, operands.pop(0).glob)))
    directory = arguments.value("-D", "--chdir")
    if invocation.name == "sudoedit" or arguments.has(*_EDITS):
        return [Touch(action=action, path=path) for path in operands for action in ("read", "write")]
    if not operands:
        reads = arguments.has("-i", "-s", "--login", "--shell")
        return [Code(language="sh", text=None, via="privileged")] if reads else []
    if arguments.has("-i", "-s", "--login", "--shell"):
        return [*effects, _joined(operands, "privileged")]
    return [*effects, Run(argv=tuple(operands), via="privileged", directory=directory)]


def _is_assignment(field: Field) -> bool:
    name, separator, _ = field.text.partition("=")
    return bool(separator) and name.isidentifier()


def su(invocation: Invocation, model: Model) -> list[Effect]:
    """`su user -c text`, `runuser -u user command`: without either, a shell that reads its input."""
    arguments = _parsed(invocation, model, stop=True)
    code = arguments.value("-c", "--command", "--session-command")
    if code is not None:
        return [Code(language="sh", text=code, via="privileged")]
    if arguments.has("-u", "--user") and arguments.operands:
        return [Run(argv=arguments.operands, via="privileged")]
    late = parse_arguments(arguments.operands[1:], Grammar(valued=all_names(model.options)))
    code = late.value("-c", "--command", "--session-command")
    if code is not None:
        return [Code(language="sh", text=code, via="privileged")]
    return [Code(language="sh", text=None, via="privileged")]


def words_to_shell(invocation: Invocation, model: Model) -> list[Effect]:
    """Programs that hand their words, joined by blanks, to a shell (`watch`, `hyperfine`)."""
    arguments = _parsed(invocation, model, stop=invocation.name != "hyperfine")
    effects = option_effects(model, arguments)
    if invocation.name == "hyperfine":
        return [*effects, *(Code(language="sh", text=field, via="shell_c") for field in arguments.operands)]
    return [*effects, _joined(list(arguments.operands), "shell_c")] if arguments.operands else effects


def each_to_shell(invocation: Invocation, model: Model) -> list[Effect]:
    """Programs each of whose operands is a shell text (`concurrently`)."""
    arguments = _parsed(invocation, model)
    return [
        *option_effects(model, arguments),
        *(Code(language="sh", text=field, via="shell_c") for field in arguments.operands),
    ]


def script(invocation: Invocation, model: Model) -> list[Effect]:
    """`script [-c text] [file]`: BSD's takes a command after the file."""
    arguments = _parsed(invocation, model, stop=True)
    effects = option_effects(model, arguments)
    operands = list(arguments.operands)
    if operands:
        effects.append(Touch(action="write", path=operands[0]))
    rest = parse_arguments(operands[1:], Grammar(valued=all_names(model.options), stop=True))
    effects.extend(option_effects(model, rest))
    if rest.operands:
        effects.append(Run(argv=rest.operands, via="script"))
    if not arguments.has("-c", "--command") and not rest.has("-c", "--command") and not rest.operands:
        effects.append(Code(language="sh", text=None, via="script"))
    return effects


def flock(invocation: Invocation, model: Model) -> list[Effect]:
    """`flock file command`, or `flock file -c text`."""
    arguments = _parsed(invocation, model, stop=True)
    operands = list(arguments.operands)
    if not operands:
        return []
    effects: list[Effect] = [Touch(action="write", path=operands[0], possible=operands[0].text.isdecimal())]
    rest = parse_arguments(operands[1:], Grammar(valued=frozenset({"-c", "--command"}), stop=True))
    code = rest.value("-c", "--command")
    if code is not None:
        return [*effects, Code(language="sh", text=code, via="shell_c")]
    return [*effects, Run(argv=rest.operands, via="flock")] if rest.operands else effects


def parallel(invocation: Invocation, model: Model) -> list[Effect]:
    """GNU `parallel`: words are shell text with `{}`, completed from `:::`, `::::` files or standard input."""
    del model
    grammar = Grammar(
        valued=frozenset(
            [
                "-j",
                "--jobs",
                "-n",
                "-N",
                "-I",
                "-a",
                "--arg-file",
                "-C",
                "--colsep",
                "--delay",
                "--timeout",
                "--retries",
                "--results",
                "--joblog",
                "--tmpdir",
                "-S",
                "--sshlogin",
                "--workdir",
                "--wd",
                "-d",
                "--delimiter",
                "--halt",
                "--memfree",
                "--load",
                "-L",
                "-P",
                "--tagstring",
                "--env",
                "--rpl",
            ]
        ),
        stop=True,
    )
    arguments = parse_arguments(invocation.argv, grammar)
    words: list[Field] = []
    values: list[Field] = []
    files: list[Field] = []
    into = words
    for field in arguments.operands:
        if field.text in (":::", ":::+"):
            into = values
        elif field.text in ("::::", "::::+"):
            into = files
        else:
            into.append(field)
    effects: list[Effect] = [
        Touch(action="read", path=path) for path in [*files, *arguments.values("-a", "--arg-file")]
    ]
    effects.extend(Touch(action="write", path=path) for path in arguments.values("--results", "--joblog"))
    if arguments.has("-S", "--sshlogin"):
        effects.append(Note(reason="unknown_host", dimensions=("net",)))
    if not words:
        return [*effects, *(Code(language="sh", text=value, via="shell_c") for value in values)]
    placeholder = "{}" if any("{}" in word.text for word in words) else ""
    from_input = not values and not files
    names = tuple(values) if values else (Field("\0"),) if files else None
    return [
        *effects,
        Run(argv=tuple(words), via="xargs", from_input=from_input, placeholder=placeholder, names=names),
    ]


def fd(invocation: Invocation, model: Model) -> list[Effect]:
    """`fd [pattern] [paths…] [-x command | -X command]`."""
    del model
    argv = list(invocation.argv)
    at = next(
        (
            position
            for position, field in enumerate(argv)
            if field.text in ("-x", "-X", "--exec", "--exec-batch")
        ),
        len(argv),
    )
    grammar = Grammar(
        valued=frozenset(
            [
                "-d",
                "--max-depth",
                "--min-depth",
                "--exact-depth",
                "-t",
                "--type",
                "-e",
                "--extension",
                "-E",
                "--exclude",
                "-c",
                "--color",
                "-j",
                "--threads",
                "-S",
                "--size",
                "--changed-within",
                "--changed-before",
                "-o",
                "--owner",
                "--max-results",
                "--base-directory",
                "-C",
                "--search-path",
                "--path-separator",
                "--format",
                "--ignore-file",
            ]
        )
    )
    arguments = parse_arguments(argv[:at], grammar)
    paths = (
        list(arguments.operands[1:])
        or arguments.values("--search-path", "--base-directory", "-C")
        or [Field(".")]
    )
    effects: list[Effect] = [Touch(action="list", path=path, tree=True) for path in paths]
    found = tuple(below(paths, []))
    if at < len(argv):
        command = [field for field in argv[at + 1 :] if field.text != ";"]
        placeholder = "{}" if any("{}" in field.text for field in command) else ""
        effects.append(Run(argv=tuple(command), via="find_exec", placeholder=placeholder, names=found))
    return [*effects, Output(names=found)]


_TELLS: Final = re.compile(
    r"\s*(?:info|bt|backtrace|where|list|disassemble|show|help|quit|q|frame(?!\s+apply)|thread\s+(?:list|info|backtrace)"
    r"|thread apply all (?:bt|backtrace)|x/\w+|image\s+(?:list|lookup)|register read|ptype|whatis"
    r"|set (?:confirm|pagination|width|height)\s"
    r"|(?:print|p|display|output)(?:/\w)?\s+[\w $.\[\]&*>-]+\Z"
    r"|(?:break|b|tbreak|watch|rwatch|awatch|catch|delete|disable|enable)(?:\s+[\w:./*-]+)*\s*\Z"
    r"|(?:continue|c|next|n|step|s|nexti|ni|stepi|si|finish|until|up|down|kill)(?:\s+\d+)?\s*\Z)"
)
"""Commands of debuggers that only tell, or go on with the program at hand."""
_STARTS: Final = re.compile(r"\s*(?:run|r|start|starti|process launch)(?P<arguments>(?:\s+[\w./=-]+)*)\s*\Z")
"""What starts the program at hand, with plain arguments."""
_CALLS: Final = re.compile(r"[(\n`|!]")
"""What lets an expression call a function, or begins another command."""


def debugger(invocation: Invocation, model: Model) -> list[Effect]:
    """`gdb --args program arguments`: a debugger can run anything it is told to."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), single_dash=True, stop=True)
    )
    effects = option_effects(model, arguments)
    started = arguments.has("--args", "--", "-args")
    for text in arguments.values("-ex", "--eval-command", "-iex", "-o", "--one-line"):
        if _TELLS.match(text.text) and not _CALLS.search(text.text):
            continue
        if _STARTS.match(text.text):
            started = True
            continue
        effects.append(Note(reason=f"program_option:{invocation.name}", dimensions=("exec", "read", "write")))
        if text.text.startswith(("shell ", "!", "platform shell ")):
            effects.append(
                Code(
                    language="sh",
                    text=Field(
                        text.text.lstrip("!").partition(" ")[2]
                        if not text.text.startswith("!")
                        else text.text[1:]
                    ),
                    via="argument",
                )
            )
    if arguments.operands and started:
        # Without `--args` a second operand is a core file or a process.
        whole = arguments.has("--args", "--", "-args")
        effects.append(Run(argv=arguments.operands if whole else arguments.operands[:1], via="argument"))
    elif arguments.operands:
        effects.append(Touch(action="execute", path=arguments.operands[0]))
    return effects


def valgrind(invocation: Invocation, model: Model) -> list[Effect]:
    """`valgrind [options] program arguments`."""
    arguments = _parsed(invocation, model, stop=True)
    effects = option_effects(model, arguments)
    return [*effects, Run(argv=arguments.operands, via="valgrind")] if arguments.operands else effects


def applet(invocation: Invocation, model: Model) -> list[Effect]:
    """`busybox name arguments`: the first word is the program."""
    del model
    return [Run(argv=invocation.argv, via="direct")] if invocation.argv else []


def scheduled(invocation: Invocation, model: Model) -> list[Effect]:
    """`at` and `batch`: shell text from standard input, run later."""
    arguments = _parsed(invocation, model)
    effects = option_effects(model, arguments)
    if arguments.has("-l", "-q", "-d", "-r", "-c"):
        return effects
    effects.append(Trait(name="persistence"))
    script_file = arguments.value("-f")
    return effects if script_file is not None else [*effects, Code(language="sh", text=None, via="scheduled")]


def _parsed(invocation: Invocation, model: Model, *, stop: bool = False) -> Arguments:
    return parse_arguments(
        invocation.argv,
        Grammar(valued=all_names(model.options), optional=all_names(model.optional), stop=stop),
    )


def _joined(words: list[Field], via: str) -> Effect:
    """Words joined by blanks as one shell text."""
    text = Field(" ".join(word.text for word in words), any(word.glob for word in words))
    return Code(language="sh", text=structs.replace(text, glob=False), via=via)
