"""Programs whose output is put into names of files: what of such a name is known."""

from __future__ import annotations

import pytest

from gateway.facts.shell.report import facts
from tests.facts.shell.test_facts import trace_of

KNOWN = [
    ("for i in $(seq 1 3); do echo x > /tmp/run-$i.log; done", "/tmp/run-*.log"),
    ("echo x > /tmp/out-$(date +%s).log", "/tmp/out-*.log"),
    ("cp a b-$(date +%Y-%m-%d).txt", "/home/dev/app/b-*-*-*.txt"),
    ("t=$(mktemp); echo x > $t", "/tmp/tmp.*"),
    ("d=$(mktemp -d /tmp/xx.XXXX); touch $d/a", "/tmp/xx.*/a"),
    ("d=$(mktemp -d -t foo-XXXXXX); touch $d/a", "/tmp/foo-*/a"),
    ("d=$(mktemp -d -p ~/.ssh); echo x > $d/a", "/home/dev/.ssh/tmp.*/a"),
    ("d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT; touch $d/a", "/tmp/tmp.*/a"),
    ("mkdir -p build/$(uname -s)-$(uname -m)", "/home/dev/app/build/*-*"),
]


@pytest.mark.parametrize(("command", "written"), KNOWN, ids=[command for command, _ in KNOWN])
def test_what_is_known_of_a_name_is_told(command: str, written: str) -> None:
    found = facts(command, trace_of(command))
    assert written in found["writes"]
    assert not found["opaque"]


@pytest.mark.parametrize(
    "command",
    [
        "cp a b-$(date +%D)",
        'cp a "b-$(date $form)"',
        "cp a b-$(date +$form)",
        "echo x > $(mktemp $t)/a",
        "echo x > $(tty)",
    ],
)
def test_a_name_that_may_have_slashes_is_not_known(command: str) -> None:
    assert facts(command, trace_of(command))["opaque"]
