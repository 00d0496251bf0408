"""The data directory: private, one gate at a time, its key never replaced in silence."""

from __future__ import annotations

import os

import pytest

from gateway.errors import ConfigError
from gateway.processes.instance import KEY_NAME, open_instance


def test_it_is_made_private_and_keeps_its_name_and_key(tmp_path):
    first = open_instance(tmp_path / "data", os.urandom)
    name, key, key_id = first.name, first.key, first.key_id
    first.close()
    again = open_instance(tmp_path / "data", os.urandom)
    assert (again.name, again.key, again.key_id) == (name, key, key_id)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / KEY_NAME).stat().st_mode & 0o777 == 0o600
    again.close()


def test_a_second_gate_is_refused_with_the_process_that_holds_it(tmp_path):
    first = open_instance(tmp_path, os.urandom)
    with pytest.raises(ConfigError, match=str(os.getpid())):
        open_instance(tmp_path, os.urandom)
    first.close()
    open_instance(tmp_path, os.urandom).close()


def test_a_damaged_key_is_refused_instead_of_replaced(tmp_path):
    open_instance(tmp_path, os.urandom).close()
    (tmp_path / KEY_NAME).write_bytes(b"short")
    with pytest.raises(ConfigError, match="key"):
        open_instance(tmp_path, os.urandom)
    assert (tmp_path / KEY_NAME).read_bytes() == b"short"


def test_permissions_that_are_too_wide_are_narrowed(tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    open_instance(tmp_path / "data", os.urandom).close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_the_sockets_is_refused_before_anything_is_made(tmp_path):
    directory = tmp_path / ("d" * 100)
    with pytest.raises(ConfigError, match="OST-CFG-014"):
        open_instance(directory, os.urandom)
    assert not directory.exists()


def test_a_key_that_others_may_read_is_narrowed(tmp_path):
    open_instance(tmp_path / "data", os.urandom).close()
    (tmp_path / "data" / KEY_NAME).chmod(0o644)
    open_instance(tmp_path / "data", os.urandom).close()
    assert (tmp_path / "data" / KEY_NAME).stat().st_mode & 0o777 == 0o600
