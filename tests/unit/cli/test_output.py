from __future__ import annotations

import pytest

from gatewatch.cli.output import Column, show_record, show_table

COLUMNS = (Column("Id", "id"), Column("Alert", "title"), Column("Where", "where"))
RECORD = {"id": "bf4cf11ef90b5540a6f216fa165e8977", "title": "Suspicious spike " * 4, "where": "GET a.example /x " * 4}


def test_an_id_stays_in_one_piece_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show_table("Alerts", COLUMNS, [RECORD])
    assert RECORD["id"] in capsys.readouterr().out


def test_in_a_pipe_a_row_is_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    show_table("Alerts", COLUMNS, [RECORD, RECORD])
    assert len(capsys.readouterr().out.splitlines()) == 4
    show_record("Alert", RECORD)
    assert len(capsys.readouterr().out.splitlines()) == 4
