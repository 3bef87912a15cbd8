"""The review that follows an incident: what people say, beside what the data says."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

import msgspec

from gatewatch.model.backtest import Backtest
from gatewatch.model.finding import Finding
from gatewatch.model.suppression import Suppression

__all__ = [
    "ActionTaken",
    "Decision",
    "DetectionQuality",
    "Fact",
    "FollowUp",
    "Milestone",
    "Moment",
    "Proposal",
    "ProposalKind",
    "Question",
    "Review",
    "ReviewFacts",
    "SignOff",
    "TrialResult",
    "content_digest",
]


class Milestone(StrEnum):
    """Moments that every incident has or is asked for."""

    FIRST_CALL = "first_call"
    FIRST_DETECTION = "first_detection"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    CONTAINED = "contained"
    RESOLVED = "resolved"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone; `at` in Unix seconds, None: has not happened, or is not recorded."""

    milestone: Milestone
    at: float | None
    text: str


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the data says, with where that comes from."""

    label: str
    value: str
    source: str


class DetectionQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How one detector did in this incident."""

    detector: str
    title: str
    alerts: int
    true: int
    expected: int
    """Real, but allowed."""
    false: int
    unclassified: int
    to_detect_s: float | None
    """Median over its alerts, from the alert's first call to its condition, in event time."""
    known_misses: str


class ActionTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done about the incident."""

    at: float
    by: str
    kind: str
    """`casework`, or `containment`: something on a gateway that has a roll-back."""
    text: str
    rolled_back_at: float | None = None
    rolled_back_by: str = ""


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has to be done afterwards."""

    id: str
    title: str
    owner: str = ""
    due_at: float | None = None
    """Unix seconds."""
    done: bool = False
    done_at: float | None = None


class ProposalKind(StrEnum):
    """What shall be different."""

    DETECTOR_SETTING = "detector_setting"
    SUPPRESSION = "suppression"
    POSTURE = "posture"


class Decision(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a suppression rule would have dismissed of the stored alerts."""

    since: float
    run_at: float
    looked_at: int
    dismissed: int
    high: int
    """Of these with severity high."""
    true: int
    """Of the newest dismissed ones that were looked at, those that people called real."""
    bounded: bool
    """There were more alerts than were looked at."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A change of rules or posture. The server measures its evidence; people only propose and decide."""

    id: str
    kind: ProposalKind
    subject: str
    """Detector id, name of the suppression rule, or recommendation id."""
    text: str
    settings: dict[str, float | int | bool | str] = {}
    """For a detector setting."""
    suppression: Suppression | None = None
    backtest: Backtest | None = None
    trial: TrialResult | None = None
    findings: tuple[Finding, ...] = ()
    """Open findings of attacked endpoints."""
    by_rule: bool = False
    decision: Decision = Decision.OPEN


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What only a person can answer and nobody has."""

    field: str
    text: str


class SignOff(msgspec.Struct, frozen=True, kw_only=True):
    """Who took responsibility for which content."""

    by: str
    at: float
    digest: str
    """SHA-256 of the review's content."""
    incident_revision: int


class ReviewFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is computed from the incident; kept with the review when it is signed."""

    computed_at: float
    incident_revision: int
    summary: tuple[str, ...] = ()
    """Five sentences."""
    impact: tuple[Fact, ...] = ()
    timeline: tuple[Moment, ...] = ()
    quality: tuple[DetectionQuality, ...] = ()
    actions: tuple[ActionTaken, ...] = ()
    actions_left_out: int = 0
    observed_worked: tuple[str, ...] = ()
    observed_failed: tuple[str, ...] = ()
    observed_factors: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One per incident."""

    incident: int
    root_cause: str = ""
    impact: str = ""
    """What it meant for customers and business, in a person's words."""
    contributing_factors: tuple[str, ...] = ()
    worked: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    facts: ReviewFacts
    sign_off: SignOff | None = None
    updated_at: float = 0.0
    updated_by: str = ""
    revision: int = 0
    """Counts every change; the ETag. 0: nobody has kept it yet."""


def content_digest(review: Review) -> str:
    """SHA-256 (hex) of what a signature covers: everything but the signature, the revision and who changed it last."""
    plain = msgspec.structs.replace(review, sign_off=None, updated_at=0.0, updated_by="", revision=0)
    return sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()
