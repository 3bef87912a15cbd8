"""Remediation: what is asked of the owners of endpoints, how far it is, and what is knowingly left as it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

__all__ = [
    "SYSTEM_CONFIRMATION",
    "Category",
    "CompletionMethod",
    "Coverage",
    "ExceptionScope",
    "ExceptionState",
    "Exposure",
    "Justification",
    "Priority",
    "ProductivityImpact",
    "RemediationActivity",
    "RemediationException",
    "RemediationStatus",
    "RemediationType",
    "Target",
]

SYSTEM_CONFIRMATION = "system confirmation"
"""Completer of what traffic has shown to be fixed."""


class RemediationType(StrEnum):
    """What is asked."""

    REQUIRE_AUTHENTICATION = "require_authentication"
    ENCRYPT_TRANSPORT = "encrypt_transport"
    REMOVE_ENDPOINT = "remove_endpoint"
    FIX_CONFIGURATION = "fix_configuration"
    FIX_CODE = "fix_code"
    ROTATE_CREDENTIALS = "rotate_credentials"
    REDUCE_DATA = "reduce_data"
    ATTENTION_REQUIRED = "attention_required"
    """Somebody should look at it; it has neither a due date nor progress."""


class RemediationStatus(StrEnum):
    """Of a whole activity."""

    ACTIVE = "active"
    COMPLETED = "completed"


class Category(StrEnum):
    """What kind of thing is changed."""

    SECURITY_CONFIGURATION = "security_configuration"
    SOFTWARE = "software"


class Priority(StrEnum):
    """How urgent it is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class ProductivityImpact(StrEnum):
    """Which of the exposed endpoints it is asked for."""

    ALL_EXPOSED = "all_exposed"
    WITHOUT_IMPACT = "without_impact"
    """Only those whose callers nothing changes for: nobody has called them for 30 days."""


class CompletionMethod(StrEnum):
    """How an activity is, or was, completed."""

    AUTOMATIC = "automatic"
    """As soon as every target is seen to be fixed."""
    MANUAL = "manual"
    """By a person."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that was exposed when the activity was made."""

    endpoint_id: str
    endpoint: str
    """As findings show it."""
    finding: str = ""
    """Id of the finding that tells whether it is fixed; '' when only a person can tell."""
    fixed: bool = False
    changed_at: float = 0.0
    """When `fixed` became what it is, in Unix seconds."""
    recurrences: int = 0
    """How often it was fixed and then unhealthy again."""
    why: str = ""
    """The evidence, in the finding's words."""


class RemediationActivity(msgspec.Struct, frozen=True, kw_only=True):
    """One request to fix something. Times in Unix seconds."""

    id: str
    """A GUID."""
    title: str
    requester: str
    notes: str = ""
    assigned_to: str = ""
    status: RemediationStatus = RemediationStatus.ACTIVE
    type: RemediationType
    category: Category
    priority: Priority
    description: str = ""
    """The recommendation's text, or the requester's."""
    component: str = ""
    """What it is about: a recommendation's title, a collection, an endpoint."""
    recommendation: str = ""
    """Id of the recommendation that it came from."""
    incident: int = 0
    created_at: float
    due_at: float | None = None
    changed_at: float
    """Of the last change of the status."""
    collections: tuple[str, ...] = ()
    """Ids of the API collections that its targets are in."""
    targeted: int = 0
    """Endpoints exposed at its creation."""
    fixed: int = 0
    """Of these now."""
    impact: ProductivityImpact = ProductivityImpact.ALL_EXPOSED
    completion: CompletionMethod = CompletionMethod.AUTOMATIC
    by_person: bool = False
    """Whether evidence alone must not complete it: it was asked for like that, or there is no evidence."""
    completed_at: float | None = None
    completed_by: str = ""
    """SYSTEM_CONFIRMATION or a person."""
    reopened: int = 0
    """How often a recurrence has opened it again."""
    revision: int = 1

    @property
    def progress(self) -> float | None:
        """Share of the targets that is fixed; None for what has no progress."""
        if self.type is RemediationType.ATTENTION_REQUIRED or not self.targeted:
            return None
        return self.fixed / self.targeted

    def overdue(self, now: float) -> bool:
        """Whether it should have been completed."""
        return self.status is RemediationStatus.ACTIVE and self.due_at is not None and self.due_at < now


class Justification(StrEnum):
    """Why a finding is left as it is. The first two lower the exposure."""

    THIRD_PARTY_CONTROL = "third_party_control"
    ALTERNATE_MITIGATION = "alternate_mitigation"
    RISK_ACCEPTED = "risk_accepted"
    PLANNED_REMEDIATION = "planned_remediation"

    @property
    def lowers_exposure(self) -> bool:
        """Whether something else protects meanwhile."""
        return self in (Justification.THIRD_PARTY_CONTROL, Justification.ALTERNATE_MITIGATION)


class ExceptionScope(msgspec.Struct, frozen=True, kw_only=True):
    """Where an exception holds: everywhere when both are ''."""

    collection_id: str = ""
    endpoint_id: str = ""

    @property
    def everywhere(self) -> bool:
        """Whether it is global."""
        return not (self.collection_id or self.endpoint_id)


class ExceptionState(StrEnum):
    """Life cycle of an exception."""

    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class RemediationException(msgspec.Struct, frozen=True, kw_only=True):
    """A recommendation that is not followed, for some time and somewhere. Times in Unix seconds."""

    id: str
    recommendation: str
    scope: ExceptionScope = ExceptionScope()
    justification: Justification
    context: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    created_at: float
    created_by: str
    expires_at: float
    ended_at: float | None = None
    """When it was cancelled, or seen to be expired."""
    ended_by: str = ""
    """'' while it is active; SYSTEM_CONFIRMATION for an expiry."""
    why: str = ""
    """Of its being cancelled."""

    def in_force(self, now: float) -> bool:
        """Whether it exempts anything."""
        return self.ended_at is None and now < self.expires_at

    def state(self, now: float) -> ExceptionState:
        """It ends by itself."""
        if self.in_force(now):
            return ExceptionState.ACTIVE
        cancelled = self.ended_at is not None and self.ended_by != SYSTEM_CONFIRMATION
        return ExceptionState.CANCELLED if cancelled else ExceptionState.EXPIRED


class Coverage(StrEnum):
    """How much of a recommendation's unhealthy findings is excepted."""

    ACTIVE = "active"
    """Nothing."""
    PARTIAL = "partial"
    FULL = "full"


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """A recommendation before and after its exceptions."""

    recommendation: str
    title: str
    before: int
    """Findings that were judged unhealthy."""
    exempt: int
    mitigated: int = 0
    """Of the exempt ones: something else protects them."""

    @property
    def after(self) -> int:
        """Findings that are left."""
        return self.before - self.exempt

    @property
    def coverage(self) -> Coverage:
        """In the words of exceptions."""
        if not self.exempt:
            return Coverage.ACTIVE
        return Coverage.FULL if self.exempt == self.before else Coverage.PARTIAL
