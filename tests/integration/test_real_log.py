"""A real site's access log, written by nobody here (read from ../shared/data when it is there)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOG = ROOT.parent / "shared" / "data" / "access.log"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not LOG.exists(), reason="../shared/data/access.log is not here")]


def test_a_real_access_log_gives_a_sensible_inventory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gatewatch", "analyze", str(LOG), "--out", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (entry,) = json.loads(done.stdout)["ledger"]
    assert (entry["observed"], entry["rejected"], entry["in_flight"]) == (10_000, {}, 0)
    inventory = json.loads((tmp_path / "inventory.json").read_text())
    templates = {endpoint["template"] for endpoint in inventory["endpoints"]}
    # Thousands of distinct paths; a person wants to read a few hundred at most.
    assert len(templates) < 400
    assert "/blog/geekery/{slug}" in templates or "/blog/{slug}/{slug}" in templates
    assert len((tmp_path / "observations.ndjson").read_text().splitlines()) == 10_000
    alerts = [json.loads(line) for line in (tmp_path / "alerts.ndjson").read_text().splitlines()]
    assert len(alerts) <= 10
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    assert "http-equiv" in page
    assert "<script" not in page
