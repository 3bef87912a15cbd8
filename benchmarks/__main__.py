"""`make bench` runs every benchmark in a process of its own; `python -m benchmarks NAME [OPTION...]` runs one.

This module stays light: worker processes import the main module of the process that starts them, and what they weigh is
measured.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
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
    "correlation_quality",
    "alert_lists",
    "export",
    "automation",
    "containment",
    "alert_to_block",
)


def _all() -> int:
    failed = []
    for name in NAMES:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", "benchmarks", name, "--write"], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(name)
    print("failed: " + ", ".join(failed) if failed else "all benchmarks ran")
    return 1 if failed else 0


def main() -> int:
    if len(sys.argv) == 1:
        return _all()
    name = sys.argv.pop(1)
    if name not in NAMES:
        print(f"no benchmark `{name}`; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
