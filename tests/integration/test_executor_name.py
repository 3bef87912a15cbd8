"""Whose runs a server goes on with."""

from __future__ import annotations

import shutil
import socket
from hashlib import blake2b
from pathlib import Path

import pytest

from gatewatch.bootstrap.installation import Installation
from gatewatch.bootstrap.playbooks import executor_name
from gatewatch.config.settings import Settings, StoreSettings


def name_of(directory: Path, url: str = "postgresql+psycopg://nobody.example/x") -> str:
    settings = Settings(data_dir=str(directory), store=StoreSettings(url=url))
    return executor_name(settings, Installation(settings))


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


def test_runs_of_a_restored_data_directory_go_on(tmp_path: Path) -> None:
    """Nobody else has the journal in it."""
    first = name_of(tmp_path / "data", url="")
    shutil.copytree(tmp_path / "data", tmp_path / "restored")
    assert name_of(tmp_path / "restored", url="") == first
