"""Template sets and the learner's state on disk, so that workers find them and a replay uses the same ones."""

from __future__ import annotations

import os
import pickle
from collections.abc import Collection
from pathlib import Path

from gatewatch.config.settings import TemplateSettings
from gatewatch.observe.templates import TemplateLearner

__all__ = ["TemplateFiles"]


class TemplateFiles:
    """One file per version in use and one for the learner; replaced atomically."""

    def __init__(self, directory: Path) -> None:
        """Make the directory when it is not there."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory = directory

    def load(self, settings: TemplateSettings) -> TemplateLearner:
        """The learner as last saved, or a new one."""
        try:
            return TemplateLearner.load((self._directory / "learner").read_bytes(), settings)
        except FileNotFoundError:
            return TemplateLearner(settings)

    def save(self, learner: TemplateLearner) -> str:
        """Make the current version durable; returns its file."""
        path = self.file(learner.version)
        if not path.exists():
            self._write(path, pickle.dumps(learner.templates()))
            self._write(self._directory / "learner", learner.dump())
        return str(path)

    def save_learner(self, learner: TemplateLearner) -> None:
        """Keep counts that changed without a new version."""
        self._write(self._directory / "learner", learner.dump())

    def file(self, version: int) -> Path:
        """Where a version lies."""
        return self._directory / f"templates-{version}"

    def drop_all_but(self, versions: Collection[int]) -> None:
        """Forget versions that nothing uses any more."""
        kept = {self.file(version).name for version in versions}
        for path in self._directory.glob("templates-*"):
            if path.name not in kept:
                path.unlink()

    def _write(self, path: Path, data: bytes) -> None:
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
