"""Python one-liners, read with `ast`: which files, commands and hosts they name with constants.

Nothing is run. A constant is folded through `+`, f-strings, `join`, `format`, `bytes.fromhex`, `base64`, `chr` and
assignments; what remains unknown makes the text incomplete in that dimension.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from gateway.facts.shell.effects import Code, Contact, Effect, Indirect, Note, PathAction, Run, Touch
from gateway.facts.shell.python_modules import LIBRARIES, TEXT_METHODS, carries, leads_on, modules
from gateway.facts.shell.python_values import Constants
from gateway.facts.shell.values import Field

_TOUCHES: Final[dict[str, tuple[PathAction, bool]]] = {
    "os.remove": ("delete", False),
    "os.unlink": ("delete", False),
    "os.rmdir": ("delete", False),
    "os.removedirs": ("delete", False),
    "shutil.rmtree": ("delete", True),
    "os.mkdir": ("write", False),
    "os.makedirs": ("write", False),
    "os.truncate": ("write", False),
    "os.chmod": ("write", False),
    "os.chown": ("write", False),
    "os.utime": ("write", False),
    "os.mkfifo": ("write", False),
    "os.listdir": ("list", False),
    "os.scandir": ("list", False),
    "os.walk": ("list", True),
    "os.stat": ("list", False),
    "os.path.exists": ("list", False),
    "os.path.isfile": ("list", False),
    "os.path.isdir": ("list", False),
    "os.path.getsize": ("list", False),
    "linecache.getline": ("read", False),
    "linecache.getlines": ("read", False),
    "fileinput.input": ("read", False),
    "io.FileIO": ("read", False),
    "codecs.open": ("read", False),
    "numpy.load": ("read", False),
    "pandas.read_csv": ("read", False),
    "sqlite3.connect": ("write", False),
    "zipfile.ZipFile": ("read", False),
    "tarfile.open": ("read", False),
    "runpy.run_path": ("execute", False),
    "importlib.machinery.SourceFileLoader": ("execute", False),
}
_MOVES: Final = frozenset({"os.rename", "os.replace", "os.renames", "shutil.move"})
_COPIES: Final = frozenset({"shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree"})
_LINKS: Final = frozenset({"os.symlink", "os.link"})
_SHELLS: Final = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
_RUNS: Final = frozenset(
    {
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
    }
) | {"asyncio.create_subprocess_shell", "asyncio.create_subprocess_exec", "pty.spawn"}
_EXECS: Final = ("os.exec", "os.spawn", "os.posix_spawn")
_FETCHES: Final = frozenset(
    {
        "urllib.request.urlopen",
        "urllib.request.urlretrieve",
        "urllib.request.Request",
        "requests.get",
        "requests.post",
    }
) | {
    f"{library}.{verb}"
    for library in ("requests", "httpx")
    for verb in ("put", "patch", "delete", "head", "request", "get", "post", "stream")
}
_SOCKETS: Final = frozenset(
    {"socket.create_connection", "http.client.HTTPConnection", "http.client.HTTPSConnection"}
)
_PATH_METHODS: Final[dict[str, PathAction]] = {
    "read_text": "read",
    "read_bytes": "read",
    "write_text": "write",
    "write_bytes": "write",
    "unlink": "delete",
    "rmdir": "delete",
    "touch": "write",
    "mkdir": "write",
    "iterdir": "list",
    "glob": "list",
    "rglob": "list",
    "symlink_to": "write",
    "chmod": "write",
    "hardlink_to": "write",
}
_DANGEROUS: Final = frozenset({"exec", "eval", "compile", "__import__", "getattr", "globals", "vars"})
_OPENS: Final = frozenset({"open", "io.open", "os.open", "builtins.open", "codecs.open"})


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
        known = {target.rpartition(".")[0] for target in (*_TOUCHES, *_RUNS, *_SHELLS, *_FETCHES, *_SOCKETS)}
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
        if first not in self._foreign or name in _TOUCHES or name in _FETCHES:
            return
        if leads_on(inner) or self._carry(_arguments(node)):
            self.complete = False

    def _carry(self, arguments: Sequence[ast.expr]) -> bool:
        return any(carries(text) for argument in arguments for text in self._said(argument))

    def _said(self, node: ast.AST) -> Iterator[str]:
        """The texts in an expression, but for those that an `open` in it takes: these are told as files."""
        if isinstance(node, ast.Call) and self._constants.name(node.func) in _OPENS:
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
            if self._foreign and node.func.attr not in TEXT_METHODS and self._carry(_arguments(node)):
                self.complete = False
        elif not isinstance(node.func, ast.Lambda):
            self.complete = False
        self.generic_visit(node)

    def _called(self, name: str, node: ast.Call) -> None:
        if name in _OPENS:
            self._open(node, node.args[:1])
        elif name in _TOUCHES:
            action, tree = _TOUCHES[name]
            self._touch(action, node.args[:1], tree=tree)
        elif name in _MOVES:
            self._touch("delete", node.args[:1])
            self._touch("write", node.args[1:2])
        elif name in _COPIES:
            self._touch("read", node.args[:1], tree=name.endswith("tree"))
            self._touch("write", node.args[1:2])
        elif name in _LINKS:
            self._touch("read", node.args[:1])
            self._touch("write", node.args[1:2])
        elif name in _SHELLS:
            self._shell(node.args[:1])
        elif name in _RUNS:
            self._run(node)
        elif name.startswith(_EXECS):
            self._exec(node)
        elif name in _FETCHES:
            self._contact(
                node.args[1:2] if name.endswith("request") and len(node.args) > 1 else node.args[:1]
            )
        elif name in _SOCKETS:
            self._contact(node.args[:1])
        elif name in ("exec", "eval"):
            self._nested(node.args[:1])
        elif name in _DANGEROUS:
            self.complete = False

    def _method(self, function: ast.Attribute, node: ast.Call) -> None:
        """A method of a value: of a path, or one whose owner is not known."""
        path = self._constants.path(function.value)
        if path is not None and function.attr in _PATH_METHODS:
            self._emit(_PATH_METHODS[function.attr], path)
        elif path is not None and function.attr == "open":
            self._open(node, [function.value], mode_at=0)
        elif path is not None and function.attr in ("rename", "replace"):
            self._emit("delete", path)
            self._touch("write", node.args[:1])
        elif function.attr == "connect" and node.args and isinstance(node.args[0], ast.Tuple):
            self._contact(node.args[0].elts[:1])
        elif (
            function.attr in _PATH_METHODS
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
