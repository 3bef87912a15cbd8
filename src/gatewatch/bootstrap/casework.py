"""Puts together what turns alerts into incidents."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from gatewatch.correlate.priority import Record
from gatewatch.detect.detector import all_detectors
from gatewatch.model.inventory import Endpoint
from gatewatch.model.observation import Evidence
from gatewatch.model.rule import Rule
from gatewatch.model.verdict import Classification
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.containment import Containments
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.incidents import Casework, Correlation, Dossiers
from gatewatch.services.incidents.summing import Summing

__all__ = ["Desk", "crowds", "desk", "rules"]

_TECHNIQUE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")
_CROWD_DAYS = 7
_CROWDS = """
SELECT address, max(actors) AS crowd FROM
(
    SELECT client_ip AS address, uniqCombinedMerge(12)(actors) AS actors FROM address_actors_data
    WHERE client_ip IN (SELECT toIPv6OrDefault(arrayJoin({addresses:Array(String)})))
      AND hour < (SELECT max(hour) FROM arrivals)
      AND hour >= (SELECT max(hour) FROM arrivals) - toIntervalDay({days:UInt16})
    GROUP BY hour, address
)
GROUP BY address
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts."""

    correlation: Correlation
    casework: Casework
    dossiers: Dossiers
    summing: Summing


def desk(
    cases: CaseStore,
    traffic: TrafficStore,
    endpoints: Callable[[Collection[str]], Mapping[str, Endpoint]],
    now: Callable[[], float],
    containments: Containments,
) -> Desk:
    """`endpoints` by label; `now` in Unix seconds stamps every change."""

    def records() -> dict[str, Record]:
        return {
            detector: Record(
                true=counts.get(Classification.TRUE_POSITIVE, 0) + counts.get(Classification.EXPECTED, 0),
                false=counts.get(Classification.FALSE_POSITIVE, 0),
            )
            for detector, counts in cases.conclusions().items()
        }

    summing = Summing(endpoints, records)
    return Desk(
        correlation=Correlation(cases, summing, lambda addresses: crowds(traffic, addresses), now),
        casework=Casework(cases, summing, now),
        dossiers=Dossiers(cases, endpoints, rules, containments),
        summing=summing,
    )


def rules() -> dict[str, Rule]:
    """Texts of all detectors by id."""
    return {
        meta.id: Rule(
            id=meta.id,
            title=meta.title,
            description=meta.description,
            known_misses=meta.known_misses,
            steps=meta.remediation,
            techniques=tuple(dict.fromkeys(_TECHNIQUE.findall(" ".join(meta.references)))),
            references=meta.references,
            needs=tuple(str(kind.name).lower() for kind in Evidence if kind in meta.needs),
        )
        for meta in (detector.meta for detector in all_detectors())
    }


def crowds(traffic: TrafficStore, addresses: Collection[str]) -> dict[str, int]:
    """Most actors that stood behind each address in one hour before this one; nothing for unknown addresses.

    The hour at hand is left out: an attacker who takes over accounts would hide as a crowd.
    """
    rows = traffic.query(_CROWDS, {"addresses": sorted(addresses), "days": _CROWD_DAYS})
    return {str(row["address"]): int(str(row["crowd"])) for row in rows}
