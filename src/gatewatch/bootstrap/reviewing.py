"""Puts together what follows an incident."""

from __future__ import annotations

from collections.abc import Callable

from gatewatch import __version__
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.containment import Containments
from gatewatch.ports.control import ControlStore
from gatewatch.ports.signing import Signer
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.backtesting import Backtesting, Judge
from gatewatch.services.incidents import Dossiers, Suppressing
from gatewatch.services.reviewing import Evidence, Papers, Proposing, ReviewDesk, Reviews

__all__ = ["review_desk", "stored_since"]


def review_desk(
    *,
    cases: CaseStore,
    control: ControlStore,
    traffic: TrafficStore,
    dossiers: Dossiers,
    suppressing: Suppressing,
    judge: Judge,
    signer: Signer,
    containments: Containments,
    now: Callable[[], float],
) -> ReviewDesk:
    """`judge` is `DetectionRun.judge`; `now` in Unix seconds."""
    backtesting = Backtesting(judge, control, now, lambda: stored_since(traffic))
    proposing = Proposing(backtesting, suppressing, control, now)
    reviews = Reviews(cases, dossiers, proposing, containments, now)
    papers = Papers(
        cases=cases,
        control=control,
        dossiers=dossiers,
        reviews=reviews,
        signer=signer,
        software=__version__,
        now=now,
    )
    return ReviewDesk(
        backtesting=backtesting,
        reviews=reviews,
        papers=papers,
        evidence=Evidence(papers, traffic, cases, signer, now),
        signer=signer,
    )


def stored_since(traffic: TrafficStore) -> float:
    """Unix seconds of the oldest stored call, from the partitions' index; 0 without any."""
    (row,) = traffic.query("SELECT min(ts) AS first, count() AS n FROM observations")
    return float(str(row["first"])) if row["n"] else 0.0
