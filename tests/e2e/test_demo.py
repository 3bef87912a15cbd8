"""`make demo` does what the README says, with a real Envoy; and what the documentation shows runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_demo_names_every_attacker_and_no_customer() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "240"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1100,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert done.stdout.count("named") >= 5
    assert "MISSED" not in done.stdout
    assert "The planted chain: one incident" in done.stdout
    assert "GET shop.example/api/admin/stats" in done.stdout
    assert "(query me)" in done.stdout
    for kind in ("email", "iban", "credit_card"):
        assert kind in done.stdout
