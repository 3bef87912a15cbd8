"""Facts of the machine that a result belongs to."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

__all__ = ["RESULTS", "machine", "publish", "watch_memory"]

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "python": platform.python_version(),
    }


def watch_memory(stop: threading.Event, peak: list[int]) -> None:
    """Keep the highest RSS in octets of this process and its children in `peak[0]` until told to stop."""
    process = psutil.Process()
    while not stop.wait(0.2):
        total = 0
        for one in (process, *process.children(recursive=True)):
            try:
                total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], total)


def publish(name: str, result: dict[str, Any]) -> None:
    """Print a result and, asked with `--write`, keep it in `results/`."""
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if "--write" in sys.argv:
        (RESULTS / f"{name}.json").write_text(text)
