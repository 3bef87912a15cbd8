"""Numbered `.sql` files and the table that remembers which of them a database has."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import msgspec

from gatewatch.errors import StoreError

__all__ = ["Migration", "migrations", "statements"]

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


class Migration(msgspec.Struct, frozen=True):
    """One schema file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Digest of the file; a changed file that was already applied is an error, not a surprise."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def migrations() -> list[Migration]:
    """All schema files in order of their numbers. Raises StoreError when a number is missing or there twice."""
    found: list[Migration] = []
    for file in files("gatewatch.traffic").joinpath("schema").iterdir():
        match = _NAME.match(file.name)
        if match:
            found.append(Migration(int(match.group(1)), file.name, file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"traffic schema files are not numbered 1..n: {[m.name for m in found]}")
    return found


def statements(text: str, *, database: str) -> list[str]:
    """Split a file at line-ending semicolons, dropping comment lines, and fill in the database's name."""
    lines = [line for line in text.replace("{{database}}", database).splitlines() if not line.lstrip().startswith("--")]
    return [part.strip() for part in re.split(r";\s*(?:\n|$)", "\n".join(lines)) if part.strip()]
