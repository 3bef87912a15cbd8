"""`make bench`: every benchmark in a process of its own, results written to benchmarks/results."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = (
    "pipeline",
    "scale",
    "alert_latency",
    "envoy_overhead",
    "template_quality",
    "detection_quality",
    "recognition_quality",
)


def main() -> int:
    (ROOT / "benchmarks" / "results").mkdir(exist_ok=True)
    failed = []
    for name in NAMES:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--write"], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "all benchmarks ran")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
