"""Exceptions: recommendations that are not followed, somewhere and for some time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gatewatch.errors import ConflictError, InputError
from gatewatch.model.remediation import (
    SYSTEM_CONFIRMATION,
    ExceptionScope,
    ExceptionState,
    Exposure,
    Justification,
    RemediationException,
)
from gatewatch.ports.clock import Clock
from gatewatch.ports.remediation import RemediationStore, RemediationUnit
from gatewatch.posture.recommendation import all_recommendations
from gatewatch.respond.remediating import exposures
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.remediating.auditing import SYSTEM, entry
from gatewatch.services.remediating.requesting import recommendation_meta

__all__ = ["LONGEST_S", "Excepting"]

LONGEST_S = 366 * 86_400.0


class Excepting:
    """What holds shows in the findings as soon as the catalogue has judged again, within seconds. Thread-safe."""

    def __init__(
        self, *, store: RemediationStore, catalogue: Catalogue, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        """`new_id` gives a GUID."""
        self._store, self._catalogue, self._clock, self._new_id = store, catalogue, clock, new_id

    def add(
        self,
        recommendation: str,
        scope: ExceptionScope,
        *,
        justification: Justification,
        context: str,
        expires_at: float,
        by: str,
    ) -> RemediationException:
        """Raises NotFoundError, InputError; ConflictError where one of exactly this scope holds."""
        now = self._clock.now()
        meta = recommendation_meta(recommendation)
        if scope.collection_id and scope.endpoint_id:
            raise InputError("an exception is for a collection or for an endpoint", cure="Name one of them.")
        if not now < expires_at <= now + LONGEST_S:
            raise InputError("an exception ends in the future, within a year", cure="Choose another time.")
        where = self._place(scope)
        made = RemediationException(
            id=self._new_id(),
            recommendation=recommendation,
            scope=scope,
            justification=justification,
            context=context,
            created_at=now,
            created_by=by,
            expires_at=expires_at,
        )
        with self._store.unit(now) as unit:
            known = unit.standing(recommendation, scope)
            if known is not None and known.in_force(now):
                raise ConflictError(f"exception {known.id} holds there already", cure="Cancel it first.")
            if known is not None:
                _expire(unit, known, now)
            unit.put_exception(made)
            text = f"Exception from “{meta.title}” {where}: {justification.value.replace('_', ' ')}. {context}"
            unit.record([entry(made.id, "exception", text, by=by, at=now, recommendation=recommendation)])
        return made

    def cancel(self, exception_id: str, *, by: str, reason: str) -> RemediationException:
        """At any time. Raises NotFoundError, ConflictError for one that has ended."""
        now = self._clock.now()
        with self._store.unit(now) as unit:
            known = unit.exception(exception_id)
            if not known.in_force(now):
                raise ConflictError(f"exception {exception_id} is {known.state(now).value} already")
            ended = msgspec.structs.replace(known, ended_at=now, ended_by=by, why=reason)
            unit.put_exception(ended)
            unit.record([entry(known.id, "exception cancelled", f"Cancelled. {reason}".strip(), by=by, at=now)])
        return ended

    def expire(self) -> int:
        """Put the end of those that have expired on record; how many."""
        now = self._clock.now()
        over = [one for one in self._store.unended() if one.state(now) is ExceptionState.EXPIRED]
        for one in over:
            with self._store.unit(now) as unit:
                known = unit.exception(one.id)
                if known.ended_at is None:
                    _expire(unit, known, now)
        return len(over)

    def exposures(self) -> list[Exposure]:
        """Every recommendation before and after its exceptions."""
        titles = {one.meta.id: one.meta.title for one in all_recommendations()}
        known = {one.id: one for one in self._store.unended()}
        return exposures(self._store.finding_counts(), titles, known)

    def _place(self, scope: ExceptionScope) -> str:
        if scope.endpoint_id:
            endpoint = self._catalogue.endpoint(scope.endpoint_id)
            return f"at {endpoint.method} {endpoint.host}{endpoint.template}"
        if scope.collection_id:
            return f"for {self._catalogue.collection(scope.collection_id).name}"
        return "everywhere"


def _expire(unit: RemediationUnit, known: RemediationException, now: float) -> None:
    ended = msgspec.structs.replace(known, ended_at=known.expires_at, ended_by=SYSTEM_CONFIRMATION)
    unit.put_exception(ended)
    unit.record([entry(known.id, "exception expired", "The exception has expired.", by=SYSTEM, at=now)])
