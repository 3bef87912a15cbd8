"""What a client may send in PATCH and POST, and what it comes to in our words."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from gatewatch.errors import InputError
from gatewatch.formats.defender.vocabulary import (
    ALERT_STATUS,
    CLASSIFICATION,
    CORRELATION_REASONS,
    INCIDENT_STATUS,
    LEGACY_CLASSIFICATION,
    LEGACY_INCIDENT_STATUS,
    READ_DETERMINATION,
    READ_LEGACY_DETERMINATION,
    SEVERITY,
    Words,
    reading,
)
from gatewatch.model.verdict import Classification, Determination
from gatewatch.services.incidents.casework import MOST_MERGED
from gatewatch.services.incidents.patches import MOST_COMMENT, AlertPatch, IncidentPatch

__all__ = ["AlertChange", "Comment", "IncidentChange", "LegacyChange", "Merge", "Move"]

T = TypeVar("T")
Owner = Annotated[str | None, Field(max_length=256)]
_INCIDENT_STATUS = reading(INCIDENT_STATUS)
_LEGACY_STATUS = reading(LEGACY_INCIDENT_STATUS)
_ALERT_STATUS = reading(ALERT_STATUS)
_CLASSIFICATION = reading(CLASSIFICATION)
_SEVERITY = reading(SEVERITY)


class _Body(BaseModel):
    """Properties in camel case; `@odata.*` is let pass, anything else that is unknown is refused."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    @model_validator(mode="after")
    def _no_strangers(self) -> Self:
        if any(not name.startswith("@") for name in self.model_extra or {}):
            raise ValueError("a property was sent that can't be changed here")
        return self

    def _text(self, name: str) -> str | None:
        """None when it was not sent, '' for null."""
        return (getattr(self, name) or "") if name in self.model_fields_set else None


def _word(words: Words[T], said: str | None, name: str) -> T | None:
    """Ours for what was said; None for nothing. Raises InputError."""
    if said is None:
        return None
    found = words.get(said.lower())
    if not found:
        known = ", ".join(sorted(word for word, ours in words.items() if ours))
        raise InputError(f"{name} can't be set to this", cure=f"Known are {known}.")
    return found[0]


class _Judgement(_Body):
    status: str | None = None
    assigned_to: Owner = None
    classification: str | None = None
    determination: str | None = None

    def _judged(self, determinations: Words[Determination], classifications: Words[Classification]) -> dict[str, Any]:
        given: dict[str, Any] = {"assigned_to": self._text("assigned_to")}
        for name, words in (("classification", classifications), ("determination", determinations)):
            if name in self.model_fields_set:
                given[name] = _word(words, getattr(self, name) or "unknown", name)
        return given


class AlertChange(_Judgement):
    """PATCH of an alert."""

    def patch(self) -> AlertPatch:
        """Raises InputError."""
        status = _word(_ALERT_STATUS, self.status, "status")
        return AlertPatch(status=status, **self._judged(READ_DETERMINATION, _CLASSIFICATION))


class IncidentChange(_Judgement):
    """PATCH of an incident."""

    custom_tags: list[str] | None = None
    resolving_comment: str | None = Field(default=None, max_length=MOST_COMMENT)
    severity: str | None = None
    display_name: str | None = Field(default=None, max_length=500)
    description: str | None = Field(default=None, max_length=MOST_COMMENT)

    def patch(self) -> IncidentPatch:
        """Raises InputError."""
        return IncidentPatch(
            status=_word(_INCIDENT_STATUS, self.status, "status"),
            severity=_word(_SEVERITY, self.severity, "severity"),
            name=self.display_name,
            description=self._text("description"),
            resolving_comment=self._text("resolving_comment"),
            tags=tuple(self.custom_tags or ()) if "custom_tags" in self.model_fields_set else None,
            **self._judged(READ_DETERMINATION, _CLASSIFICATION),
        )


class LegacyChange(_Judgement):
    """PATCH of `/api/incidents/{id}`."""

    tags: list[str] | None = None
    comment: str | None = Field(default=None, max_length=MOST_COMMENT)

    def patch(self) -> IncidentPatch:
        """Raises InputError."""
        return IncidentPatch(
            status=_word(_LEGACY_STATUS, self.status, "status"),
            tags=tuple(self.tags or ()) if "tags" in self.model_fields_set else None,
            **self._judged(READ_LEGACY_DETERMINATION, reading(LEGACY_CLASSIFICATION)),
        )


class Comment(_Body):
    """An `alertComment`; who wrote it and when is not for the client to say."""

    comment: str = Field(min_length=1, max_length=MOST_COMMENT)


def _reasons(said: str | list[str] | None) -> list[str]:
    """A flags enumeration: names in one text with commas, or a list of them. Raises InputError."""
    parts = said.split(",") if isinstance(said, str) else said or []
    names = [part.strip() for part in parts if part.strip()]
    if set(names) - CORRELATION_REASONS:
        raise InputError(
            "a correlation reason is not known", cure=f"Known are {', '.join(sorted(CORRELATION_REASONS))}."
        )
    return names


def _because(comment: str | None, reasons: str | list[str] | None) -> str:
    return " ".join(part for part in (comment, ", ".join(_reasons(reasons))) if part)


class Merge(_Body):
    """Incidents that are one."""

    incident_ids: list[str] = Field(min_length=2, max_length=MOST_MERGED)
    incident_comment: str | None = Field(default=None, max_length=2000)
    merge_reasons: str | list[str] | None = None

    def reason(self) -> str:
        """Comment and reasons. Raises InputError."""
        return _because(self.incident_comment, self.merge_reasons)


class Move(_Body):
    """Alerts that belong elsewhere; without an incident they get a new one."""

    alert_ids: list[str] = Field(min_length=1, max_length=1000)
    incident_id: str | None = None
    alert_comment: str | None = Field(default=None, max_length=2000)
    new_correlation_reasons: str | list[str] | None = None

    def reason(self) -> str:
        """Comment and reasons. Raises InputError."""
        return _because(self.alert_comment, self.new_correlation_reasons)
