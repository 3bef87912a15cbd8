"""Wire formats: bytes in, transactions and located rejections out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import BinaryIO, ClassVar

import msgspec

from gatewatch.model.observation import Evidence
from gatewatch.model.rejection import Rejection
from gatewatch.model.transaction import Transaction

__all__ = ["Origin", "WireFormat", "WireFormatMeta"]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a payload came from: what makes generated transaction ids stable across replays."""

    source: str
    """Name of the configured source (`ingest`, `nginx-edge` …)."""
    position: str
    """Unique and stable place of the payload: journal offset, or file identity and byte offset."""
    first_line: int = 1
    received_at: float = 0.0
    """Unix seconds."""


class WireFormatMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a format."""

    id: str
    title: str
    description: str
    evidence: Evidence
    """The most that this format can carry."""
    references: tuple[str, ...] = ()


class WireFormat(ABC):
    """One format; one file under `sources/`; stateless and pure but for reading the given stream."""

    meta: ClassVar[WireFormatMeta]

    @abstractmethod
    def sniff(self, head: bytes, name: str) -> float:
        """How sure (0..1) that a file starting with `head` (up to 64 KiB) and called `name` is this format."""

    @abstractmethod
    def payloads(self, stream: BinaryIO, *, max_bytes: int) -> Iterator[tuple[bytes, int]]:
        """Cut a file into self-contained payloads of about `max_bytes`; yields (payload, its first line number)."""

    @abstractmethod
    def count(self, payload: bytes) -> int:
        """How many transactions (or rejections) `decode` will yield for it; must agree with `decode`."""

    @abstractmethod
    def decode(self, payload: bytes, origin: Origin) -> Iterable[Transaction | Rejection]:
        """Every piece of input gives exactly one transaction or one rejection, in order. Never raises on input."""
