"""The picture in the README: generated traffic of a made-up clinic, analyzed, its report photographed by Chromium."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gatewatch.testing.scenarios.attacks import ATTACKS
from gatewatch.testing.scenarios.companies import JUDGING
from gatewatch.testing.scenarios.recording import ndjson, record

_ROOT = Path(__file__).parents[1]
_CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("install chromium to make the picture")
        return 1
    company, lines = JUDGING[0], []
    for number, story in enumerate(list(ATTACKS)[:6]):
        calls = record(company, story, seed=100).calls
        # Every story numbers its calls from 0, so its name makes them distinct.
        texts = [
            (call.ts, ndjson(call).replace(call.id, f"{call.id}-{story}"))
            for call in calls
            if number == 0 or "-s" in call.id
        ]
        lines += texts
    with tempfile.TemporaryDirectory() as directory:
        traffic, out = Path(directory) / "clinic.ndjson", Path(directory) / "out"
        traffic.write_text("\n".join(text for _, text in sorted(lines)) + "\n")
        subprocess.run(
            [sys.executable, "-m", "gatewatch", "analyze", str(traffic), "--out", str(out)],
            check=True,
            capture_output=True,
        )
        picture = _ROOT / "docs" / "images" / "report.png"
        picture.parent.mkdir(exist_ok=True)
        command = [
            chromium,
            *_CHROMIUM,
            f"--user-data-dir={directory}/profile",
            "--window-size=1180,1150",
            f"--screenshot={picture}",
            f"file://{out}/report.html",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    print(f"wrote {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
