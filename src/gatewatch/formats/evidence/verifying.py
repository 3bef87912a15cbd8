"""Checks a bundle offline, whoever made it: nothing is unpacked to a disk, no length or name in it is trusted."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gatewatch.errors import InputError
from gatewatch.formats.evidence.chain import chain_faults, review_faults
from gatewatch.formats.evidence.contents import ACTIVITIES, DETECTOR_CHANGES, REVIEW
from gatewatch.formats.evidence.fault import Fault
from gatewatch.formats.evidence.keys import fingerprint, read_public
from gatewatch.formats.evidence.manifest import FORMAT, KEY, MANIFEST, SIGNATURE, VERSION, Manifest

__all__ = ["Fault", "Verdict", "verify"]

_MOST_FILES, _MOST_BYTES, _MOST_MANIFEST = 100, 2 * 1024**3, 16 * 1024**2
"""A bundle of an incident has 15 files and megabytes; more is a trap."""
_CHUNK, _SIGNATURE_BYTES, _MOST_KEY = 1 << 20, 64, 4096
_ENCRYPTED = 0x1
_MOST_INNER = 256 * 1024**2
_BROKEN = (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError, OSError)
"""What zipfile raises for archives that are no zip, cut off, encrypted or made to break readers."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    intact: bool
    faults: tuple[Fault, ...]
    key: str = ""
    """Fingerprint of the key that signed; '' when there is no readable one."""
    key_expected: bool = False
    """Somebody said which key it has to be, and it is that."""
    manifest: Manifest | None = None
    """Only when its signature holds."""
    files: int = 0
    activities: int = 0


def verify(file: BinaryIO, *, expected_key: str = "") -> Verdict:
    """Everything that is wrong, not only the first. `expected_key`: whole fingerprint, '' when nobody said one."""
    try:
        with ZipFile(file) as archive:
            return _Check(archive, expected_key).run()
    except _BROKEN as error:
        return Verdict(intact=False, faults=(Fault(code="not-a-bundle", file="", text=_reason(error)),))


class _Check:
    """One archive."""

    def __init__(self, archive: ZipFile, expected_key: str) -> None:
        self._archive, self._expected = archive, expected_key
        self._faults: list[Fault] = []
        self._key = ""
        self._activities = 0

    def run(self) -> Verdict:
        """All checks that still make sense after the ones before."""
        there = self._names()
        manifest = self._signed(there) if there is not None else None
        if there is not None and manifest is not None:
            self._files(there, manifest)
        faults = tuple(self._faults)
        return Verdict(
            intact=not faults,
            faults=faults,
            key=self._key,
            key_expected=bool(self._expected) and self._expected == self._key,
            manifest=manifest,
            files=len(manifest.files) if manifest else 0,
            activities=self._activities,
        )

    def _fault(self, code: str, file: str, text: str) -> None:
        self._faults.append(Fault(code=code, file=file[:200], text=text))

    def _names(self) -> dict[str, ZipInfo] | None:
        """Entries by name; None when the archive may not be read at all."""
        entries = self._archive.infolist()
        if len(entries) > _MOST_FILES or sum(one.file_size for one in entries) > _MOST_BYTES:
            self._fault("too-large", "", f"more than {_MOST_FILES} files or {_MOST_BYTES} octets: no bundle of ours")
            return None
        for name, count in Counter(one.filename for one in entries).items():
            if count > 1:
                self._fault("duplicate", name, "is in the archive more than once")
            if name != name.rsplit("/", maxsplit=1)[-1] or "\\" in name or name in ("", ".", "..") or "\0" in name:
                self._fault("unsafe-name", name, "is no plain file name")
        if self._archive.comment or min((one.header_offset for one in entries), default=0):
            self._fault("extra", "", "there is something around the files of the archive")
        for one in entries:
            if one.flag_bits & _ENCRYPTED:
                self._fault("unreadable", one.filename, "is encrypted")
        return None if self._faults else {one.filename: one for one in entries}

    def _read(self, info: ZipInfo, most: int) -> bytes | None:
        """At most so many octets; None with a fault when there are more, or they can't be read."""
        try:
            with self._archive.open(info) as source:
                data = source.read(most + 1)
        except _BROKEN as error:
            self._fault("unreadable", info.filename, _reason(error))
            return None
        if len(data) > most:
            self._fault("size", info.filename, f"has more than {most} octets")
            return None
        return data

    def _signed(self, there: dict[str, ZipInfo]) -> Manifest | None:
        """The manifest if the signature over it holds."""
        sizes = {MANIFEST: _MOST_MANIFEST, SIGNATURE: _SIGNATURE_BYTES, KEY: _MOST_KEY}
        for name in sizes.keys() - there.keys():
            self._fault("missing", name, "is not in the bundle")
        if self._faults:
            return None
        read = {name: self._read(there[name], most) for name, most in sizes.items()}
        text, signature, pem = read[MANIFEST], read[SIGNATURE], read[KEY]
        if text is None or signature is None or pem is None:
            return None
        try:
            public = read_public(pem)
        except InputError as error:
            self._fault("key", KEY, error.message)
            return None
        self._key = fingerprint(public)
        if self._expected and self._key != self._expected:
            self._fault("other-key", KEY, f"signed with {self._key}, not with {self._expected}")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
        except InvalidSignature:
            self._fault("signature", SIGNATURE, f"does not fit {MANIFEST} and {KEY}")
            return None
        return self._decoded(text)

    def _decoded(self, text: bytes) -> Manifest | None:
        try:
            manifest = msgspec.json.decode(text, type=Manifest)
        except msgspec.DecodeError as error:
            self._fault("manifest", MANIFEST, f"can't be read: {error}")
            return None
        if manifest.format != FORMAT or manifest.version != VERSION:
            self._fault("manifest", MANIFEST, f"is {manifest.format} {manifest.version}; this reads version {VERSION}")
            return None
        if manifest.key != self._key:
            self._fault("manifest", MANIFEST, f"names key {manifest.key}, but {self._key} signed it")
        return manifest

    def _files(self, there: dict[str, ZipInfo], manifest: Manifest) -> None:
        listed = {one.name: one for one in manifest.files}
        for name in sorted(there.keys() - listed.keys() - {MANIFEST, SIGNATURE}):
            self._fault("extra", name, "is not in the manifest")
        for name, entry in listed.items():
            if name not in there:
                self._fault("missing", name, "is in the manifest but not in the bundle")
            elif self._matches(there[name], entry.size, entry.sha256) and name in _INNER:
                self._look_inside(name, there[name], entry.size, manifest)

    def _matches(self, info: ZipInfo, size: int, digest: str) -> bool:
        seen, left = sha256(), size
        try:
            with self._archive.open(info) as source:
                while left >= 0 and (chunk := source.read(min(_CHUNK, left + 1))):
                    seen.update(chunk)
                    left -= len(chunk)
        except _BROKEN as error:
            self._fault("unreadable", info.filename, _reason(error))
            return False
        if left:
            relation = "more" if left < 0 else "fewer"
            self._fault("size", info.filename, f"has {relation} than the {size} octets that were signed")
        elif seen.hexdigest() != digest:
            self._fault("hash", info.filename, f"has SHA-256 {seen.hexdigest()}, signed was {digest}")
        return not left and seen.hexdigest() == digest

    def _look_inside(self, name: str, info: ZipInfo, size: int, manifest: Manifest) -> None:
        if size > _MOST_INNER:
            self._fault("too-large", name, f"has more than {_MOST_INNER} octets")
            return
        data = self._read(info, size)
        if data is None:
            return
        faults, entries = _INNER[name](name, data, manifest)
        self._faults += faults
        self._activities += entries


def _reason(error: Exception) -> str:
    """What a library says, bounded: it may quote the archive."""
    return f"{type(error).__name__}: {error}"[:200]


_INNER: dict[str, Callable[[str, bytes, Manifest], tuple[list[Fault], int]]] = {
    ACTIVITIES: chain_faults,
    DETECTOR_CHANGES: chain_faults,
    REVIEW: review_faults,
}
