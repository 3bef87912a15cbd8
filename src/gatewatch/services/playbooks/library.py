"""Playbooks as people keep them: versions that never change, one of them on, staged until promoted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.run import PlaybookVersion
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.runs import RunStore
from gatewatch.respond.playbooks.checking import Surroundings, fits, read_playbook
from gatewatch.respond.playbooks.document import Playbook

__all__ = ["Library", "chosen_inputs"]


class Library:
    """Thread-safe."""

    def __init__(self, store: RunStore, cases: CaseStore, clock: Clock, around: Callable[[], Surroundings]) -> None:
        """`around` says what playbooks may name."""
        self._store, self._cases, self._clock, self._around = store, cases, clock, around
        self._documents: dict[tuple[str, int], Playbook] = {}
        self._lock = threading.Lock()

    def check(self, text: str) -> Playbook:
        """The checked document. Raises PlaybookError with all mistakes."""
        known = {one.name: one.subject for one in self._store.playbooks()}
        return read_playbook(text, msgspec.structs.replace(self._around(), playbooks=known))

    def save(self, text: str, *, by: str, built_in: bool = False) -> PlaybookVersion:
        """A new version, off and staged; the same text again is the same version. Raises PlaybookError."""
        document = self.check(text)
        digest = blake2b(text.encode(), digest_size=16).hexdigest()
        with self._lock:
            versions = self._store.versions(document.name)
            if versions and versions[0].digest == digest:
                return versions[0]
            made = PlaybookVersion(
                name=document.name,
                version=versions[0].version + 1 if versions else 1,
                title=document.title,
                description=document.description,
                subject=document.subject,
                text=text,
                digest=digest,
                created_at=self._clock.now(),
                created_by=by,
                built_in=built_in,
            )
            self._store.put_version(made)
        self._record(made.name, "saved", by, version=made.version, digest=digest)
        return made

    def keep_built_in(self, texts: Sequence[str]) -> None:
        """Playbooks that come with Gatewatch: new ones are added, off; what people made of them stays theirs."""
        for text in texts:
            document = read_playbook(text, Surroundings())
            digest = blake2b(text.encode(), digest_size=16).hexdigest()
            versions = self._store.versions(document.name)
            if not any(one.digest == digest for one in versions) and all(one.built_in for one in versions):
                made = PlaybookVersion(
                    name=document.name,
                    version=versions[0].version + 1 if versions else 1,
                    title=document.title,
                    description=document.description,
                    subject=document.subject,
                    text=text,
                    digest=digest,
                    created_at=self._clock.now(),
                    created_by="gatewatch",
                    built_in=True,
                )
                self._store.put_version(made)

    def playbooks(self) -> list[PlaybookVersion]:
        """Of each the version that is on, or the newest; by name."""
        return self._store.playbooks()

    def versions(self, name: str) -> list[PlaybookVersion]:
        """Newest first. Raises NotFoundError."""
        found = self._store.versions(name)
        if not found:
            raise NotFoundError(f"no playbook {name}")
        return found

    def version(self, name: str, version: int = 0) -> PlaybookVersion:
        """One version, or the one that is on (else the newest). Raises NotFoundError."""
        if version:
            return self._store.version(name, version)
        found = self.versions(name)
        return next((one for one in found if one.enabled), found[0])

    def document(self, name: str, version: int) -> Playbook:
        """The document of a version."""
        known = self._documents.get((name, version))
        if known is None:
            # Not checked against the surroundings: a connection that is gone is an error of the step that names it.
            known = read_playbook(self._store.version(name, version).text, Surroundings(kept=True))
            self._documents[(name, version)] = known
        return known

    def enable(self, name: str, version: int = 0, *, by: str) -> PlaybookVersion:
        """Make a version the one that is started. Raises PlaybookError when it does not fit here any more."""
        chosen = self.version(name, version)
        self.check(chosen.text)
        for other in self.versions(name):
            if other.enabled and other.version != chosen.version:
                self._store.put_version(msgspec.structs.replace(other, enabled=False))
        return self._changed(chosen, "enabled", by, enabled=True)

    def disable(self, name: str, *, by: str) -> PlaybookVersion:
        """Nobody can start it; runs under way go on."""
        return self._changed(self.version(name), "disabled", by, enabled=False)

    def promote(self, name: str, version: int = 0, *, by: str) -> PlaybookVersion:
        """From simulation to effect; what it did in staging stays visible."""
        chosen = self.version(name, version)
        if not chosen.staging:
            raise ConflictError(f"version {chosen.version} of {name} is promoted already")
        return self._changed(chosen, "promoted", by, staging=False, promoted_at=self._clock.now(), promoted_by=by)

    def stage(self, name: str, *, by: str) -> PlaybookVersion:
        """Back to simulation."""
        return self._changed(self.version(name), "staged", by, staging=True, promoted_at=None, promoted_by="")

    def _changed(self, version: PlaybookVersion, action: str, by: str, **changes: Any) -> PlaybookVersion:
        changed = msgspec.structs.replace(version, **changes)
        self._store.put_version(changed)
        self._record(version.name, action, by, version=version.version, digest=version.digest)
        return changed

    def _record(self, name: str, action: str, by: str, **details: object) -> None:
        at = self._clock.now()
        entry = Activity(
            at=at,
            origin=Origin.PERSON,
            by=by,
            subject=Subject.PLAYBOOK,
            subject_id=name,
            action=action,
            details={key: str(value) for key, value in details.items()},
        )
        with self._cases.unit(at) as unit:
            unit.record([entry])


def chosen_inputs(document: Playbook, given: Mapping[str, Any]) -> dict[str, Any]:
    """Given inputs and defaults. Raises InputError with everything that is wrong."""
    wrong = [f"`{name}` is no input" for name in sorted(given.keys() - document.inputs.keys())]
    chosen: dict[str, Any] = {}
    for name, one in document.inputs.items():
        value = given.get(name, one.default)
        if value is None and one.required:
            wrong.append(f"`{name}` is missing: {one.description}")
        elif value is not None and not fits(value, one.type):
            wrong.append(f"`{name}` is not of type {one.type}")
        elif value is not None and one.choices and value not in one.choices:
            wrong.append(f"`{name}` is none of {', '.join(map(str, one.choices))}")
        chosen[name] = value
    if wrong:
        raise InputError("; ".join(wrong))
    return chosen
