"""The parts that follow an incident, as the REST API is given them."""

from __future__ import annotations

from dataclasses import dataclass

from gatewatch.ports.signing import Signer
from gatewatch.services.backtesting import Backtesting
from gatewatch.services.reviewing.evidence import Evidence
from gatewatch.services.reviewing.papers import Papers
from gatewatch.services.reviewing.reviews import Reviews

__all__ = ["ReviewDesk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDesk:
    """Given by bootstrap."""

    backtesting: Backtesting
    reviews: Reviews
    papers: Papers
    evidence: Evidence
    signer: Signer
