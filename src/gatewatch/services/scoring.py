"""The secure score as it stands, counted from the stored findings, and its snapshots."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import msgspec

from gatewatch.model.score import CollectionScore, SecureScore
from gatewatch.ports.clock import Clock
from gatewatch.ports.scores import ScoreStore
from gatewatch.posture.recommendation import all_recommendations
from gatewatch.posture.scoring import controls_of, moved, score_collections, score_controls, tally, weighted

__all__ = ["Scoring", "Standing"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The score now."""

    score: SecureScore
    collections: Mapping[str, CollectionScore] = {}
    """By collection id; those with something to judge."""

    @property
    def weighted(self) -> float | None:
        """The collections' scores as one, each by its weight, 0 to 100."""
        return weighted(self.collections.values())


class Scoring:
    """Recounts when the inventory has judged; keeps a snapshot when something moved by 0.01 or more."""

    def __init__(self, store: ScoreStore, clock: Clock) -> None:
        """Until the first count the newest snapshot stands."""
        self._store, self._clock = store, clock
        self._controls = controls_of(all_recommendations())
        self._turn = threading.Lock()
        self._standing: Standing | None = None

    def recount(self, place: Mapping[str, str], *, keep: bool = True) -> Standing:
        """Count anew; `place`: endpoint id -> collection id. `keep`: make a snapshot when one is due."""
        with self._turn:
            counted = tally(self._store.judgements(), self._controls)
            score = SecureScore(at=self._clock.now(), controls=score_controls(counted, self._controls))
            before = self._store.newest()
            score, told = moved(before, score)
            if told and keep:
                score = self._store.put(score, told)
            elif before is not None:
                score = msgspec.structs.replace(score, number=before.number)
            collections = {one.collection_id: one for one in score_collections(counted, place)}
            self._standing = Standing(score=score, collections=collections)
            return self._standing

    def standing(self) -> Standing:
        """The score now; without controls while nothing was judged."""
        if self._standing is not None:
            return self._standing
        newest = self._store.newest()
        return Standing(score=newest or SecureScore(at=self._clock.now(), controls=()))

    def history(
        self, *, since: float | None = None, until: float | None = None, cursor: str = "", limit: int = 50
    ) -> tuple[list[SecureScore], str]:
        """Snapshots, newest first; (items, next cursor)."""
        return self._store.history(since=since, until=until, cursor=cursor, limit=limit)
