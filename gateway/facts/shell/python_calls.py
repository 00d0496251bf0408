"""Functions of Python's library and what they do: tables that the reader of one-liners looks names up in.

Source: Python 3.11 library reference; requests 2 and httpx 0.27 documentation.
"""

from __future__ import annotations

from typing import Final

from gateway.facts.shell.effects import PathAction

TOUCHES: Final[dict[str, tuple[PathAction, bool]]] = {
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
MOVES: Final = frozenset({"os.rename", "os.replace", "os.renames", "shutil.move"})
COPIES: Final = frozenset({"shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree"})
LINKS: Final = frozenset({"os.symlink", "os.link"})
SHELLS: Final = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
RUNS: Final = frozenset(
    {
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
    }
) | {"asyncio.create_subprocess_shell", "asyncio.create_subprocess_exec", "pty.spawn"}
EXECS: Final = ("os.exec", "os.spawn", "os.posix_spawn")
FETCHES: Final = frozenset(
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
SOCKETS: Final = frozenset(
    {"socket.create_connection", "http.client.HTTPConnection", "http.client.HTTPSConnection"}
)
PATH_METHODS: Final[dict[str, PathAction]] = {
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
DANGEROUS: Final = frozenset({"exec", "eval", "compile", "__import__", "getattr", "globals", "vars"})
OPENS: Final = frozenset({"open", "io.open", "os.open", "builtins.open", "codecs.open"})
SHUTIL_HARMLESS: Final = frozenset(
    {
        "shutil.which",
        "shutil.get_terminal_size",
        "shutil.disk_usage",
        "shutil.copyfileobj",
        "shutil.ignore_patterns",
    }
)
"""Functions of `shutil` that name no path of their own."""
