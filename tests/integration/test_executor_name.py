"""Whose runs a server goes on with."""

from __future__ import annotations

import shutil
import socket
from hashlib import blake2b
from pathlib import Path

import pytest

from gatewatch.bootstrap.installation import Installation
from gatewatch.bootstrap.playbooks import executor_name
from gatewatch.config.settings import Settings


def name_of(directory: Path) -> str:
    return executor_name(Installation(Settings(data_dir=str(directory))))


def test_a_data_directory_keeps_its_name_in_another_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "3f2a")
    first = name_of(tmp_path / "data")
    assert first == blake2b(f"3f2a {tmp_path / 'data'}".encode(), digest_size=8).hexdigest()
    monkeypatch.setattr(socket, "gethostname", lambda: "b71c")
    assert name_of(tmp_path / "data") == first
    (tmp_path / "data").rename(tmp_path / "moved")
    assert name_of(tmp_path / "moved") == first


def test_a_copy_of_a_data_directory_is_another_server(tmp_path: Path) -> None:
    first = name_of(tmp_path / "data")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    second = name_of(tmp_path / "copy")
    assert second not in ("", first)
    assert name_of(tmp_path / "copy") == second
    assert name_of(tmp_path / "data") == first
