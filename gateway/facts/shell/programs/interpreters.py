"""Interpreters and build tools: code in an option, a script file, a target, or code from standard input.

Source: python(1) 3.11, node 20 CLI, perlrun, ruby(1), GNU make 4.4, npm 10 CLI, crontab(1).
"""

from __future__ import annotations

import re
from typing import Final

from gateway.facts.shell.effects import (
    Agent,
    Code,
    Contact,
    Effect,
    Indirect,
    Note,
    Package,
    Run,
    Touch,
    Trait,
)
from gateway.facts.shell.models import Invocation, Model, option_effects
from gateway.facts.shell.options import Grammar, all_names, parse_arguments
from gateway.facts.shell.programs.agents import agent_module, agent_script, package_program
from gateway.facts.shell.values import Field

_PROJECT_TOOLS: Final = frozenset({"manage.py", "artisan"})
"""Scripts of frameworks that have a model of their own, by the name every project gives them."""
_TEST_MODULES: Final = frozenset({"pytest", "unittest", "nose", "nose2", "tox", "coverage", "doctest"})
_TOOL_MODULES: Final = frozenset(
    {
        "pip",
        "venv",
        "ensurepip",
        "build",
        "twine",
        "black",
        "ruff",
        "mypy",
        "isort",
        "flake8",
        "pylint",
        "poetry",
        "uv",
        "virtualenv",
        "pre_commit",
        "ipykernel",
        "jupyter",
    }
)


def python(invocation: Invocation, model: Model) -> list[Effect]:
    """`python [-c text | -m module | file | -] arguments`."""
    del model
    argv = list(invocation.argv)
    effects: list[Effect] = []
    while argv:
        text = argv[0].text
        if not text.startswith("-") or text == "-":
            break
        argv.pop(0)
        if text in ("-X", "-W", "--check-hash-based-pycs"):
            argv[:1] = []
            continue
        if text.startswith("--") or (len(text) > 1 and text[1] in "XW"):
            continue
        for position, letter in enumerate(text[1:], start=1):
            rest = text[position + 1 :]
            if letter in "cm":
                value = Field(rest) if rest else argv.pop(0) if argv else Field("")
                return [
                    *effects,
                    *(_module(value, argv) if letter == "m" else [_code("python", value, argv)]),
                ]
            if letter in "hVv":
                return effects
    if not argv or argv[0].text == "-":
        return [*effects, Code(language="python", text=None, via="stdin", arguments=tuple(argv[1:]))]
    return [
        *effects,
        *_tool(argv[0], argv[1:]),
        *_agent_of(argv[0]),
        Touch(action="read", path=argv[0]),
        Code(language="file", text=argv[0], via="script", program=argv[0], arguments=tuple(argv[1:])),
    ]


def _agent_of(script: Field) -> list[Effect]:
    """A script that belongs to a coding agent starts it."""
    found = agent_script(script.text)
    return [Agent(type=found)] if found else []


def _code(language: str, text: Field, arguments: list[Field]) -> Effect:
    return Code(language=language, text=text, via="inline", arguments=tuple(arguments))


def _module(name: Field, argv: list[Field]) -> list[Effect]:
    """`python -m name`: tools are run under their own name, servers and readers are known, the rest is project code."""
    module = name.text.partition(".")[0]
    if module in _TEST_MODULES:
        return [
            Indirect(kind="test_runner", name=module),
            *([Run(argv=(Field(module), *argv), via="direct")] if module == "pytest" else []),
        ]
    if module in _TOOL_MODULES:
        program = {"venv": "virtualenv", "pre_commit": "pre-commit"}.get(module, module)
        return [Run(argv=(Field(program), *argv), via="direct")]
    if name.text in (
        "json.tool",
        "base64",
        "gzip",
        "zipfile",
        "tarfile",
        "tokenize",
        "ast",
        "py_compile",
        "dis",
        "quopri",
    ):
        paths = [field for field in argv if not field.text.startswith("-")]
        writes = {"json.tool": paths[1:2], "gzip": paths}.get(name.text, [])
        return [
            *(Touch(action="read", path=path) for path in paths),
            *(Touch(action="write", path=path) for path in writes),
        ]
    if name.text in (
        "http.server",
        "site",
        "timeit",
        "sysconfig",
        "this",
        "calendar",
        "platform",
        "compileall",
    ):
        return (
            [Code(language="python", text=argv[-1], via="inline")] if name.text == "timeit" and argv else []
        )
    agent = agent_module(module)
    return [Agent(type=agent)] if agent else [Indirect(kind="script_file", name=name.text)]


def interpreter(invocation: Invocation, model: Model) -> list[Effect]:
    """`node`, `perl`, `ruby`, `php`, …: `code:` options hold text, the first operand is a script.

    The model's tables say which options; `otherwise.operands` is not used.
    """
    language = next(
        (role.removeprefix("code:") for role in model.options.values() if role.startswith("code:")),
        invocation.name,
    )
    grammar = Grammar(
        valued=all_names(model.options),
        optional=all_names(model.optional),
        single_dash=model.single_dash,
        stop=True,
    )
    arguments = parse_arguments(invocation.argv, grammar)
    effects = _without_code(option_effects(model, arguments))
    texts = [
        value
        for key, role in model.options.items()
        if role.startswith("code:")
        for value in arguments.values(*key.split())
    ]
    operands = list(arguments.operands)
    if texts:
        joined = Field("\n".join(text.text for text in texts), any(text.glob for text in texts))
        effects.append(Code(language=language, text=joined, via="inline", arguments=tuple(operands)))
        if any(
            name in ("-n", "-p", "-i", "-ne", "-pe") or name.startswith("-i") for name, _ in arguments.options
        ) and language in ("perl", "ruby"):
            in_place = any(name.startswith("-i") for name, _ in arguments.options)
            for path in operands:
                effects.append(Touch(action="read", path=path))
                if in_place:
                    effects.append(Touch(action="write", path=path))
        return effects
    if not operands:
        if not any(
            name in ("-v", "--version", "-h", "--help", "-V", "-c", "--check", "-i", "--info")
            for name, _ in arguments.options
        ):
            effects.append(Code(language=language, text=None, via="stdin"))
        return effects
    if operands[0].text == "-":
        return [*effects, Code(language=language, text=None, via="stdin")]
    return [
        *effects,
        *_tool(operands[0], operands[1:]),
        *_agent_of(operands[0]),
        Touch(action="read", path=operands[0]),
        Code(
            language="file",
            text=operands[0],
            via="script",
            program=operands[0],
            arguments=tuple(operands[1:]),
        ),
    ]


def _tool(script: Field, arguments: list[Field]) -> list[Effect]:
    """The tool of a framework that a script is, run under its own name."""
    name = script.text.rpartition("/")[2]
    return [Run(argv=(Field(name), *arguments), via="script")] if name in _PROJECT_TOOLS else []


def _without_code(effects: list[Effect]) -> list[Effect]:
    """The effects but for code, which the caller reads as a whole."""
    return [effect for effect in effects if not isinstance(effect, Code)]


def make(invocation: Invocation, model: Model) -> list[Effect]:
    """`make targets`: rules of the makefile run; `--eval` and variables may bring code of their own."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), optional=all_names(model.optional))
    )
    effects = _without_code(option_effects(model, arguments))
    for text in arguments.values("--eval", "-E"):
        effects.append(Note(reason="program_option:make", dimensions=("exec", "read", "write")))
        for piece in text.text.split("$(shell ")[1:]:
            effects.append(Code(language="sh", text=Field(piece.rpartition(")")[0] or piece), via="argument"))
    makefile = arguments.value("-f", "--file", "--makefile")
    if makefile is not None and makefile.text == "-":
        effects.append(Note(reason="stdin_code"))
    targets = [field.text for field in arguments.operands if "=" not in field.text]
    for field in arguments.operands:
        name, separator, value = field.text.partition("=")
        if separator and name in ("SHELL", "CC", "CXX", ".SHELLFLAGS", "MAKE"):
            effects.append(Run(argv=(Field(value.split(" ")[0]),), via="argument"))
    if not arguments.has("-n", "--dry-run", "--just-print", "-v", "--version", "-h", "--help", "-p"):
        effects.extend(Indirect(kind="make_target", name=name) for name in targets or ["default"])
    return effects


def project_builds(invocation: Invocation, model: Model) -> list[Effect]:
    """`mvn`, `gradle`, `sbt`, `ant`: goals of the project's build run; some of them publish."""
    arguments = parse_arguments(
        invocation.argv, Grammar(valued=all_names(model.options), single_dash=model.single_dash)
    )
    effects = [*option_effects(model, arguments), Indirect(kind="build_tool", name=invocation.name)]
    goals = [field.text.rpartition(":")[2] for field in arguments.operands]
    if any(_PUBLISHES.match(goal) for goal in goals) and not arguments.has("-m", "--dry-run", "--help"):
        effects.extend((Package(manager=invocation.name, action="publish"), Trait(name="publishes")))
    return effects


_PUBLISHES: Final = re.compile(
    r"(?:deploy$|deploy-file$|publish(?!.*Local)|uploadArchives|release$|perform$)"
)
_LOCAL_SCRIPTS: Final = frozenset(
    {"test", "t", "start", "stop", "restart", "run", "run-script", "rum", "tst"}
)


def node_runner(invocation: Invocation, model: Model) -> list[Effect]:
    """`npx package arguments`, `npm exec -c text`, `bunx`, `pnpm dlx`: a package's program is fetched and run."""
    arguments = parse_arguments(
        invocation.argv,
        Grammar(
            valued=frozenset(
                [
                    "-p",
                    "--package",
                    "-c",
                    "--call",
                    "--registry",
                    "--prefix",
                    "-w",
                    "--workspace",
                    "--userconfig",
                    "--node-options",
                ]
            ),
            stop=True,
        ),
    )
    del model
    effects: list[Effect] = [
        Code(language="sh", text=text, via="argument") for text in arguments.values("-c", "--call")
    ]
    effects.extend(Contact(target=url) for url in arguments.values("--registry"))
    if arguments.operands:
        program = arguments.operands[0]
        name = package_program(program.text)
        effects.append(
            Run(argv=(Field(name or program.text, program.glob), *arguments.operands[1:]), via="argument")
        )
    return effects


def crontab(invocation: Invocation, model: Model) -> list[Effect]:
    """`crontab file`, `crontab -`: commands that run later, by themselves."""
    arguments = parse_arguments(invocation.argv, Grammar(valued=all_names(model.options)))
    if arguments.has("-l"):
        return []
    effects: list[Effect] = [
        Touch(action="write", path=Field("/var/spool/cron/crontabs")),
        Trait(name="persistence"),
    ]
    if arguments.has("-r", "-e"):
        return effects
    operand = arguments.operands[0] if arguments.operands else Field("-")
    if operand.text != "-":
        return [*effects, Touch(action="read", path=operand), Touch(action="execute", path=operand)]
    text = invocation.stdin.text
    if text is None:
        return [*effects, Note(reason="stdin_code")]
    for line in text.splitlines():
        words = line.split(None, 5)
        if len(words) == 6 and not line.startswith("#"):
            effects.append(Code(language="sh", text=Field(words[5]), via="scheduled"))
        elif line.startswith("@") and len(line.split(None, 1)) == 2:
            effects.append(Code(language="sh", text=Field(line.split(None, 1)[1]), via="scheduled"))
    return effects
