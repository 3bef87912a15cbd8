"""What the REST API works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gatewatch.config.settings import ApiSettings
from gatewatch.model.ledger import LedgerEntry
from gatewatch.model.rule import Rule
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import ConnectionReader
from gatewatch.ports.control import ControlStore
from gatewatch.ports.journal import DeadLetters
from gatewatch.ports.wire import WireFormat
from gatewatch.services.access import Access
from gatewatch.services.automation import AutomationDesk
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.client_credentials import ClientCredentials
from gatewatch.services.containing import ContainmentDesk, Measuring, Reconciling
from gatewatch.services.detecting import Detecting
from gatewatch.services.exporting import Exporting
from gatewatch.services.feeding import DecisionFeed
from gatewatch.services.incidents import Casework, Dossiers, Suppressing
from gatewatch.services.ingesting import Ingest
from gatewatch.services.leasing import Leasing
from gatewatch.services.playbooks import PlaybookDesk
from gatewatch.services.remediating import RemediationDesk
from gatewatch.services.reviewing import ReviewDesk
from gatewatch.services.scoring import Scoring
from gatewatch.services.subscribing import Subscribing
from gatewatch.telemetry.logs import Log

__all__ = ["ApiServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices:
    """Given by bootstrap."""

    settings: ApiSettings
    access: Access
    clients: ClientCredentials
    ingest: Ingest
    letters: DeadLetters
    ledger: Callable[[], tuple[LedgerEntry, ...]]
    catalogue: Catalogue
    detecting: Detecting
    exporting: Exporting
    feed: DecisionFeed
    connections: ConnectionReader
    containment: ContainmentDesk
    reconciling: Reconciling
    measuring: Measuring
    remediation: RemediationDesk
    automation: AutomationDesk
    scoring: Scoring
    subscribing: Subscribing
    control: ControlStore
    cases: CaseStore
    casework: Casework
    suppressing: Suppressing
    dossiers: Dossiers
    playbooks: PlaybookDesk
    review_desk: ReviewDesk
    rules: Callable[[], Mapping[str, Rule]]
    """Detectors' texts by id."""
    formats: Mapping[str, WireFormat]
    clock: Clock
    log: Log
    metrics: Callable[[], bytes]
    """Prometheus exposition text."""
    readiness: Callable[[], dict[str, bool]]
    leasing: Leasing | None = None
    """None: there is only this server."""
