"""Python one-liners, read with `ast`: which files, commands and hosts they name with constants.

Nothing is run. A constant is folded through `+`, f-strings, `join`, `format`, `bytes.fromhex`, `base64`, `chr` and
assignments; what remains unknown makes the text incomplete in that dimension.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from gateway.facts.shell.effects import Code, Contact, Effect, Indirect, Note, PathAction, Run, Touch
from gateway.facts.shell.python_calls import (
    COPIES,
    DANGEROUS,
    EXECS,
    FETCHES,
    LINKS,
    MOVES,
    OPENS,
    PATH_METHODS,
    RUNS,
    SHELLS,
    SHUTIL_HARMLESS,
    SOCKETS,
    TOUCHES,
)
from gateway.facts.shell.python_modules import (
    LIBRARIES,
    SAVING_METHODS,
    TEXT_METHODS,
    carries,
    leads_on,
    modules,
)
from gateway.facts.shell.python_values import Constants
from gateway.facts.shell.values import Field


def read_python(text: str, arguments: Sequence[Field] = ()) -> tuple[list[Effect], bool]:
    """The effects of a Python text, and whether they are all of them."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [], False
    reader = _Reader(Constants(arguments))
    try:
        reader.visit(tree)
    except RecursionError:
        return reader.effects, False
    return reader.effects, reader.complete


class _Reader(ast.NodeVisitor):
    def __init__(self, constants: Constants) -> None:
        self.effects: list[Effect] = []
        self.complete = True
        self._constants = constants
        self._foreign: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self._constants.imported(alias.asname or first, alias.name if alias.asname else first)
            self._module(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names:
            self._constants.imported(alias.asname or alias.name, f"{module}.{alias.name}")
            if alias.name == "*":
                self.complete = False
        if node.level:
            self.complete = False
        else:
            self._module(module)

    def _module(self, name: str) -> None:
        known = {target.rpartition(".")[0] for target in (*TOUCHES, *RUNS, *SHELLS, *FETCHES, *SOCKETS)}
        standard = name in ("shutil", "socket")
        if standard or name in modules().harmless or (name in known and name not in LIBRARIES):
            return
        if modules().acts(name) and name not in known:
            self.complete = False
            return
        # Code that is not in the text, as when a script or a test runner is started. Python looks in the working
        # directory first, so a file that the session wrote there is what would run.
        self._foreign.add(name.partition(".")[0])
        self.effects.append(Indirect(kind="module", name=name))
        file = Field(f"{name.replace('.', '/')}.py")
        self.effects.append(Touch(action="execute", path=file, possible=True))

    def _handed(self, name: str, node: ast.Call) -> None:
        """A call of code that is not in the text: complete as long as no argument could name something to act on."""
        first, *inner = name.split(".")
        if first not in self._foreign or name in TOUCHES or name in FETCHES:
            return
        if leads_on(inner) or self._carry(_arguments(node)):
            self.complete = False

    def _carry(self, arguments: Sequence[ast.expr]) -> bool:
        return any(carries(text) for argument in arguments for text in self._said(argument))

    def _said(self, node: ast.AST) -> Iterator[str]:
        """The texts in an expression, but for those that an `open` in it takes: these are told as files."""
        if isinstance(node, ast.Call) and self._constants.name(node.func) in OPENS:
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        for part in ast.iter_child_nodes(node):
            yield from self._said(part)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._constants.assign(target.id, node.value)
        self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            if isinstance(item.optional_vars, ast.Name):
                self._constants.assign(item.optional_vars.id, item.context_expr)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        if isinstance(node.target, ast.Name):
            self._constants.loop(node.target.id, node.iter)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._constants.name(node.func)
        if name:
            self._called(name, node)
            self._handed(name, node)
        elif isinstance(node.func, ast.Attribute):
            self._method(node.func, node)
            if (
                self._foreign
                and node.func.attr not in (TEXT_METHODS | SAVING_METHODS)
                and self._carry(_arguments(node))
            ):
                self.complete = False
        elif not isinstance(node.func, ast.Lambda):
            self.complete = False
        self.generic_visit(node)

    def _called(self, name: str, node: ast.Call) -> None:
        if name in OPENS:
            self._open(node, node.args[:1])
        elif name in TOUCHES:
            action, tree = TOUCHES[name]
            self._touch(action, node.args[:1], tree=tree)
        elif name.startswith("shutil."):
            self._shutil(name, node)
        elif name in MOVES:
            self._touch("delete", node.args[:1])
            self._touch("write", node.args[1:2])
        elif name in LINKS:
            self._touch("read", node.args[:1])
            self._touch("write", node.args[1:2])
        elif name in SHELLS:
            self._shell(node.args[:1])
        elif name in RUNS:
            self._run(node)
        elif name.startswith(EXECS):
            self._exec(node)
        elif name in FETCHES:
            self._fetch(name, node)
        elif name in SOCKETS:
            self._contact(node.args[:1])
        elif name in ("exec", "eval"):
            self._nested(node.args[:1])
        elif name in DANGEROUS:
            self.complete = False

    def _shutil(self, name: str, node: ast.Call) -> None:
        """Copies, moves and archives; a function nobody looks at is not taken for harmless."""
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in COPIES:
            self._touch("read", node.args[:1], tree=name.endswith("tree"))
            self._touch("write", node.args[1:2])
        elif name in MOVES:
            self._touch("delete", node.args[:1])
            self._touch("write", node.args[1:2])
        elif name == "shutil.make_archive":
            self._touch("write", node.args[:1])
            root = [*node.args[2:3], *(named[key] for key in ("root_dir", "base_dir") if key in named)]
            self._touch("read", root, tree=True)
        elif name == "shutil.unpack_archive":
            self._touch("read", node.args[:1])
            self._touch("write", node.args[1:2], tree=True)
        elif name not in SHUTIL_HARMLESS:
            self.complete = False

    def _method(self, function: ast.Attribute, node: ast.Call) -> None:
        """A method of a value: of a path, or one whose owner is not known."""
        path = self._constants.path(function.value)
        if function.attr in SAVING_METHODS and node.args:
            self._touch("write", node.args[:1])
        elif path is not None and function.attr in PATH_METHODS:
            self._emit(PATH_METHODS[function.attr], path)
        elif path is not None and function.attr == "open":
            self._open(node, [function.value], mode_at=0)
        elif path is not None and function.attr in ("rename", "replace"):
            self._emit("delete", path)
            self._touch("write", node.args[:1])
        elif function.attr == "connect" and node.args and isinstance(node.args[0], ast.Tuple):
            self._contact(node.args[0].elts[:1])
        elif (
            function.attr in PATH_METHODS
            and function.attr not in ("glob", "touch", "unlink")
            and path is None
        ) and function.attr in ("read_text", "read_bytes", "write_text", "write_bytes"):
            self.complete = False

    def _open(self, node: ast.Call, target: list[ast.expr], mode_at: int = 1) -> None:
        mode_node = next((keyword.value for keyword in node.keywords if keyword.arg == "mode"), None)
        if mode_node is None and len(node.args) > mode_at:
            mode_node = node.args[mode_at]
        mode = self._constants.text(mode_node) if mode_node is not None else "r"
        if mode is None or any(letter in mode for letter in "wax+"):
            self._touch("write", target)
        if mode is None or "r" in mode or "+" in mode:
            self._touch("read", target)

    def _touch(self, action: PathAction, nodes: list[ast.expr], *, tree: bool = False) -> None:
        for node in nodes:
            texts = self._constants.texts(node)
            if texts is None:
                self.complete = False
                dimension = {"execute": "exec", "list": "read"}.get(action, action)
                self.effects.append(Note(reason=f"unknown_path:{dimension}", dimensions=()))
            for text in texts or ():
                self._emit(action, text, tree=tree)

    def _emit(self, action: PathAction, text: str, *, tree: bool = False) -> None:
        self.effects.append(Touch(action=action, path=Field(text), tree=tree))

    def _shell(self, nodes: list[ast.expr]) -> None:
        for node in nodes:
            texts = self._constants.texts(node)
            if texts is None:
                self.complete = False
            self.effects.extend(Code(language="sh", text=Field(text), via="shell_c") for text in texts or ())

    def _run(self, node: ast.Call) -> None:
        if not node.args:
            self.complete = False
            return
        first = node.args[0]
        if isinstance(first, (ast.List, ast.Tuple)):
            words = [self._constants.text(item) for item in first.elts]
            argv = tuple(Field(word) if word is not None else Field("\0") for word in words)
            self.effects.append(Run(argv=argv, via="argument"))
            return
        self._shell([first])

    def _exec(self, node: ast.Call) -> None:
        words = [self._constants.text(item) for item in node.args]
        flat = [word for word in words if word is not None]
        lists = [item for item in node.args if isinstance(item, (ast.List, ast.Tuple))]
        if lists:
            inner = [self._constants.text(item) for item in lists[0].elts]
            self.effects.append(Run(argv=tuple(Field(word or "\0") for word in inner), via="argument"))
        elif flat:
            self.effects.append(Run(argv=tuple(Field(word) for word in [flat[0], *flat[2:]]), via="argument"))
        else:
            self.complete = False

    def _contact(self, nodes: list[ast.expr]) -> None:
        for node in nodes:
            texts = self._constants.texts(node)
            if texts is None:
                self.complete = False
                self.effects.append(Note(reason="unknown_host", dimensions=("net",)))
            self.effects.extend(Contact(target=Field(text)) for text in texts or ())

    def _fetch(self, name: str, node: ast.Call) -> None:
        """A request: its URL by place or by name, and the files that other arguments open, whose content goes there."""
        given = [keyword.value for keyword in node.keywords if keyword.arg in ("url", "fullurl")]
        positional = node.args[1:2] if name.endswith("request") and len(node.args) > 1 else node.args[:1]
        urls = positional or given
        if not urls:
            self.complete = False
        sent = [
            Field(text)
            for argument in (*node.args, *(keyword.value for keyword in node.keywords))
            for inner in ast.walk(argument)
            if isinstance(inner, ast.Call) and self._constants.name(inner.func) in ("open", "io.open")
            for text in (self._constants.texts(inner.args[0]) or () if inner.args else ())
        ]
        for url in urls:
            texts = self._constants.texts(url)
            if texts is None:
                self._contact([url])
            self.effects.extend(Contact(target=Field(text), sends=tuple(sent)) for text in texts or ())

    def _nested(self, nodes: list[ast.expr]) -> None:
        for node in nodes:
            text = self._constants.text(node)
            if text is None:
                self.complete = False
                continue
            effects, complete = read_python(text)
            self.effects.extend(effects)
            self.complete = self.complete and complete


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords)]
