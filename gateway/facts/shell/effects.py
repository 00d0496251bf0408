"""What the model of one program says it would do, before paths are resolved against the working directories.

A model is pure: arguments in, effects out. The walk turns effects into facts: it resolves paths, follows nested code and
knows what is certain.
"""

from __future__ import annotations

from typing import Literal, Union

from msgspec import Struct

from gateway.facts.shell.values import Field

PathAction = Literal["read", "write", "delete", "list", "execute"]
Dimension = Literal["exec", "read", "write", "delete", "net", "git"]


class Touch(Struct, frozen=True, kw_only=True, gc=False):
    """Something is done to a path. `tree`: to everything below it too. `sent` when its content leaves the machine.

    `possible` when it depends on what is not in the text (a program without a model might write its operand).
    """

    action: PathAction
    path: Field
    tree: bool = False
    possible: bool = False
    worktree: bool = False
    """Whether it is a work tree of the repository, which git makes where nothing is and removes when nothing is lost."""


class Contact(Struct, frozen=True, kw_only=True, gc=False):
    """A host is contacted. `target` is a URL or `host[:port]`; `sends` the paths whose content goes there.

    `sends_input` when standard input goes there; `fetches` when what comes back is printed.
    """

    target: Field
    sends: tuple[Field, ...] = ()
    sends_input: bool = False
    fetches: bool = False


class Copy(Struct, frozen=True, kw_only=True, gc=False):
    """The content of `source` is afterwards in `target` as well (cp, mv, tee, dd); reads and writes are told apart."""

    source: Field
    target: Field


class Link(Struct, frozen=True, kw_only=True, gc=False):
    """`name` leads to `target` from now on (ln, mount --bind)."""

    target: Field
    name: Field


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """Another command is run with these arguments. `remote`: on another machine or in a container, where paths differ.

    `from_input` when arguments are appended from standard input (xargs); `passes_input` when it gets our input.
    """

    argv: tuple[Field, ...]
    via: str
    remote: bool = False
    from_input: bool = False
    placeholder: str = ""
    input: Field | None = None
    """The file that stands for standard input (`xargs -a`)."""
    batch: int = 0
    """How many arguments from standard input each run gets at most, 0 for all of them."""
    directory: Field | None = None
    names: tuple[Field, ...] | None = None
    """What stands for `placeholder` or is appended, when it is known (find -exec)."""


class Code(Struct, frozen=True, kw_only=True, gc=False):
    """Program text is run. `language` "sh" is walked; others go to their own reader. `text` None: from standard input.

    `program` is `$0`, `arguments` are the positional parameters.
    """

    language: str
    text: Field | None
    via: str
    program: Field = Field("sh")
    arguments: tuple[Field, ...] = ()
    remote: bool = False
    directory: Field | None = None


class Indirect(Struct, frozen=True, kw_only=True, gc=False):
    """Code of the project runs whose text is not in the command (`npm_script`, `make_target`, `test_runner`, …)."""

    kind: str
    name: str


class Assign(Struct, frozen=True, kw_only=True, gc=False):
    """A variable is given to the programs that the command runs (`env name=value command`)."""

    name: str
    value: Field


class Git(Struct, frozen=True, kw_only=True, gc=False):
    """One git operation (shell-facts 1, `git[]`). `discards`: changes, stashes or commits that nothing else holds can be lost."""

    sub: str
    remote: str = ""
    refs: tuple[str, ...] = ()
    default_ref: bool = False
    force: bool = False
    delete: bool = False
    all: bool = False
    hard: bool = False
    discards: bool = False


class Package(Struct, frozen=True, kw_only=True, gc=False):
    """A package manager's action (`install`, `remove`, `publish`, `run`). `registries` are hosts that options name."""

    manager: str
    action: str
    names: tuple[str, ...] = ()
    source: str = "registry"
    registries: tuple[str, ...] = ()


class Credential(Struct, frozen=True, kw_only=True, gc=False):
    """A store of credentials is read: `env`, `keychain`, `cloud`, `git`, `k8s`, …."""

    store: str
    names: tuple[str, ...] = ()
    all: bool = False


class Agent(Struct, frozen=True, kw_only=True, gc=False):
    """Another coding agent is started, which no hook governs."""

    type: str


class Trait(Struct, frozen=True, kw_only=True, gc=False):
    """A property of the command: `destructive`, `irreversible`, `remote_state`, `deploys`, `publishes`, …."""

    name: str


class Note(Struct, frozen=True, kw_only=True, gc=False):
    """What could not be told: a reason code and the dimensions it leaves open."""

    reason: str
    dimensions: tuple[Dimension, ...] = ()


class Output(Struct, frozen=True, kw_only=True, gc=False):
    """What the command prints, as far as that matters to who reads it.

    `text` when it is known, `names` when it lists paths, `copies` when it is the content of what it read or else of its
    input, `filters` when it is some of the lines of these, `fetched` when it comes from another machine, `decoded` when it
    is its input in another encoding, `shows` when it is its arguments.
    """

    text: str | None = None
    names: tuple[Field, ...] | None = None
    copies: bool = False
    filters: bool = False
    fetched: bool = False
    decoded: bool = False
    shows: bool = False


Effect = Union[  # noqa: UP007  # a closed union reads as one
    Touch,
    Contact,
    Copy,
    Link,
    Run,
    Code,
    Assign,
    Indirect,
    Git,
    Package,
    Credential,
    Agent,
    Trait,
    Note,
    Output,
]
