"""Python one-liners that import a library or the project's own code: what is understood of them, and what is not."""

from __future__ import annotations

import pytest

from gateway.facts.shell.effects import Indirect, Touch
from gateway.facts.shell.python_code import read_python

UNDERSTOOD = [
    "import yaml; yaml.safe_load(open('.github/workflows/ci.yml'))",
    "import yaml, sys; yaml.safe_load(sys.stdin)",
    "from app.models import User; print(User.__table__)",
    "from ledger.reports import balance\nbalance([{'amount': i} for i in range(10)])",
    "import torch; print(torch.cuda.is_available())",
    "import django; django.setup(); from app.models import User; print(User.objects.filter(name='a').count())",
    "import pandas as pd; print(pd.read_csv('a.csv').describe())",
    "import ipaddress; print(list(ipaddress.ip_network('10.0.0.0/22').subnets(new_prefix=24)))",
]
NOT_UNDERSTOOD = [
    "from tool import clean; clean('/etc')",
    "from tool import run; run('rm -rf build')",
    "import tool; tool.run(['rm', '-rf'])",
    "from tool import *; print(1)",
    "import sh; sh.reboot()",
    "import plumbum.cmd as c; c.rm()",
    "import ctypes; ctypes.CDLL(None)",
    "import app; app.os.remove('x')",
    "import app; app.subprocess.run(['x'])",
    "from app import path; path.unlink()",
    "import numpy as np; np.save('/etc/x', 1)",
    "import pandas as pd; pd.DataFrame().to_sql('/etc/x')",
    "import pandas as pd; pd.DataFrame().to_csv(name)",
    "from app import send; send(f'https://{host}/x')",
    "from . import x",
]


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_code_that_hands_a_library_nothing_to_act_on_is_understood(text: str) -> None:
    assert read_python(text)[1]


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_code_whose_calls_could_do_anything_is_not_understood(text: str) -> None:
    assert not read_python(text)[1]


def test_importing_other_code_is_told_as_running_it_and_as_the_file_that_would_run() -> None:
    effects, complete = read_python("from ledger.api import app")
    assert complete
    assert Indirect(kind="module", name="ledger.api") in effects
    assert [effect.path.text for effect in effects if isinstance(effect, Touch)] == ["ledger/api.py"]


@pytest.mark.parametrize("module", ["ctypes", "code", "winsound", "xmlrpc.client", "multiprocessing.pool"])
def test_a_module_of_the_standard_library_that_is_not_in_the_table_is_not_taken_for_the_projects_own(
    module: str,
) -> None:
    assert not read_python(f"import {module}")[1]


def test_the_file_that_a_table_is_saved_to_is_told() -> None:
    effects, complete = read_python("import pandas as pd; pd.read_csv('a.csv').to_parquet('/etc/x')")
    assert complete
    written = [
        effect.path.text for effect in effects if isinstance(effect, Touch) and effect.action == "write"
    ]
    assert written == ["/etc/x"]
