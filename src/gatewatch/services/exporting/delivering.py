"""Handing a batch over until each item is taken, refused for good, or has to wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

import msgspec

from gatewatch.ports.export import BatchRefusedError, Delivery, DeliveryError, Exporter, Letter

__all__ = ["Outcome", "Parcel", "cut", "deliver"]

_ISOLATED = 32
"""Items that are tried one by one when a batch is refused."""
M = TypeVar("M")


class Parcel(msgspec.Struct, Generic[M], frozen=True):
    """A place in what is followed, and what is to be sent for it."""

    mark: M
    """What is remembered once this and everything before is settled."""
    delivery: Delivery | None
    """None: the target does not want it, or it can't be said."""
    letter: Letter | None = None
    """What is kept of one that can't be said."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch."""

    settled: int
    """Items from the front that need nothing more: taken, or refused."""
    refused: dict[int, str]
    """Of the settled ones: index to reason."""
    error: DeliveryError | None = None
    """Why the rest was not settled."""


def cut(parcels: Sequence[Parcel[M]], *, items: int, octets: int) -> Iterator[list[Parcel[M]]]:
    """Batches of at most so many deliveries and octets of bodies; a larger single one stands alone."""
    batch: list[Parcel[M]] = []
    count = size = 0
    for parcel in parcels:
        body = len(parcel.delivery.body) if parcel.delivery is not None else 0
        if parcel.delivery is not None and count and (count == items or size + body > octets):
            yield batch
            batch, count, size = [], 0, 0
        batch.append(parcel)
        count, size = count + (parcel.delivery is not None), size + body
    if batch:
        yield batch


def deliver(exporter: Exporter, batch: Sequence[Delivery]) -> Outcome:
    """Send until nothing is left or the target has to be given time."""
    left, refused = list(range(len(batch))), dict[int, str]()
    error: DeliveryError | None = None
    while left and error is None:
        try:
            exporter.send([batch[index] for index in left])
            left = []
        except BatchRefusedError as fault:
            left, error = _one_by_one(exporter, batch, left[fault.settled :], refused, fault)
        except DeliveryError as fault:
            reasons = {left[place]: why for place, why in fault.refused.items()}
            refused |= reasons
            left = [index for index in left[fault.settled :] if index not in reasons]
            error = None if reasons else fault
    settled = left[0] if left else len(batch)
    kept = {index: why for index, why in sorted(refused.items()) if index < settled}
    return Outcome(settled=settled, refused=kept, error=error if left else None)


def _one_by_one(
    exporter: Exporter, batch: Sequence[Delivery], left: list[int], refused: dict[int, str], fault: DeliveryError
) -> tuple[list[int], DeliveryError | None]:
    """Find who is to blame. A target that refuses every one of several is to blame itself: they wait."""
    window, reasons = left[:_ISOLATED], dict[int, str]()
    for index in window:
        try:
            exporter.send([batch[index]])
        except BatchRefusedError as own:
            reasons[index] = own.message
        except DeliveryError as own:
            if not own.refused:
                refused |= reasons
                return left[left.index(index) :], own
            reasons[index] = own.refused[0]
    if len(reasons) == len(window) > 1:
        return left, DeliveryError(f"{fault.message}; every item alone is refused too")
    refused |= reasons
    return left[len(window) :], None
