"""The command tree as a whole."""

from __future__ import annotations

import pytest

from gatewatch.cli.app import app, run


def test_the_short_way_to_help_shows_what_the_long_one_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    short = capsys.readouterr().out
    with pytest.raises(SystemExit):
        app(args=["--help"], prog_name="gatewatch")
    assert short == capsys.readouterr().out
    assert "containments" in short
