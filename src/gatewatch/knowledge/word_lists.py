"""Word lists kept as text files beside this module; `#` begins a comment line."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["words"]


def words(name: str) -> frozenset[str]:
    """The words of `data/<name>.txt`."""
    text = files("gatewatch.knowledge").joinpath("data", f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
