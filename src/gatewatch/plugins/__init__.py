"""Finding the parts that people add: a part is a class in a module of the right package, or an entry point."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import TypeVar

__all__ = ["discover"]

T = TypeVar("T")


def discover(package: str, kind: type[T], *, group: str = "") -> list[type[T]]:
    """Import every module below `package` and return the concrete subclasses of `kind` defined there.

    Third parties add theirs as entry points of `group`. Sorted by module and name, so the order is stable.
    A module whose name starts with an underscore is not a part.
    """
    found: set[type[T]] = set()
    root = importlib.import_module(package)
    for info in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        found.update(
            value for value in vars(module).values() if _is_part(value, kind) and value.__module__ == info.name
        )
    if group:
        found.update(part for part in (point.load() for point in entry_points(group=group)) if _is_part(part, kind))
    return sorted(found, key=lambda part: (part.__module__, part.__qualname__))


def _is_part(value: object, kind: type[object]) -> bool:
    return isinstance(value, type) and issubclass(value, kind) and hasattr(value, "meta")
