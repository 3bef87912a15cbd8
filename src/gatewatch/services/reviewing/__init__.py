"""What follows an incident: its review, its documents, its evidence."""

from __future__ import annotations

from gatewatch.services.reviewing.desk import ReviewDesk
from gatewatch.services.reviewing.evidence import Evidence
from gatewatch.services.reviewing.papers import Papers
from gatewatch.services.reviewing.proposing import ProposalChange, Proposing
from gatewatch.services.reviewing.reviews import ReviewChange, Reviews

__all__ = ["Evidence", "Papers", "ProposalChange", "Proposing", "ReviewChange", "ReviewDesk", "Reviews"]
