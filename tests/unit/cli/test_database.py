from __future__ import annotations

from pathlib import Path

import pytest

from gatewatch.cli.app import run


def test_a_check_of_nothing_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for directory in (tmp_path / "typo", tmp_path):
        assert run(["db", "check", "--data-dir", str(directory)]) == 4
        assert f"there is no installation in {directory}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
