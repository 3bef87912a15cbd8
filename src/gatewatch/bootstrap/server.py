"""The server process: parts made, started, drained and stopped in order."""

from __future__ import annotations

import secrets
import signal
import uuid
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn

from gatewatch.api.app import create_app
from gatewatch.api.services import ApiServices
from gatewatch.bootstrap.automation import automation
from gatewatch.bootstrap.casework import Desk, desk, rules
from gatewatch.bootstrap.collectors import Collectors
from gatewatch.bootstrap.connections import connections, standing, subscribing, telling
from gatewatch.bootstrap.containing import containing, guarded
from gatewatch.bootstrap.exporting import exporting
from gatewatch.bootstrap.gateways import Gateways
from gatewatch.bootstrap.installation import DirectoryLock, Installation, SystemClock
from gatewatch.bootstrap.leasing import leasing
from gatewatch.bootstrap.metrics import Metrics
from gatewatch.bootstrap.parts import control_store, traffic_store
from gatewatch.bootstrap.playbooks import durable_runs, executor_name, journal_url, server_playbooks
from gatewatch.bootstrap.remediating import remediating
from gatewatch.bootstrap.reviewing import review_desk
from gatewatch.bootstrap.signing import FileSigner, signing_key
from gatewatch.bootstrap.tickets import Tickets
from gatewatch.bootstrap.workers import WorkerFactory, formats
from gatewatch.config.settings import Settings
from gatewatch.journal.dead_letters import FileDeadLetters
from gatewatch.journal.files import FileJournal
from gatewatch.journal.sealing import Seal
from gatewatch.services.access import Access
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.client_credentials import ClientCredentials
from gatewatch.services.detecting import Detecting, DetectionRun
from gatewatch.services.incidents import Correlating, Suppressing
from gatewatch.services.ingesting import Ingest
from gatewatch.services.lists import AddressLists
from gatewatch.services.observing import Observing, WorkerPool
from gatewatch.services.observing.template_files import TemplateFiles
from gatewatch.services.repeating import Repeating
from gatewatch.services.reviewing import ReviewDesk
from gatewatch.services.scoring import Scoring
from gatewatch.telemetry.logs import Log
from gatewatch.telemetry.threads import log_ended_threads

__all__ = ["Server", "run"]

_LETTERS_BYTES = 256 * 1024 * 1024


class Server:
    """All parts of one process. Everything that is opened is closed in reverse, also when the start fails."""

    def __init__(self, settings: Settings, log: Log) -> None:
        """Open the stores and make the parts; nothing runs yet."""
        self.settings, self.log = settings, log
        self._stack = ExitStack()
        log_ended_threads(log)
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise

    def _open(self) -> None:
        settings, log, stack = self.settings, self.log, self._stack
        installation, self.clock = Installation(settings), SystemClock()
        stack.callback(DirectoryLock(installation.directory).release)
        self.control = control_store(settings, installation)
        stack.callback(self.control.close)
        self.control.migrate()
        self.traffic = traffic_store(settings, installation)
        stack.callback(self.traffic.close)
        self.traffic.migrate()
        self.traffic.set_retention(
            raw_days=settings.traffic.retention_days, aggregate_days=settings.traffic.aggregate_retention_days
        )
        key = installation.derived_key("sealing")
        self.journal = FileJournal(
            installation.path("journal"),
            key,
            max_bytes=settings.journal.max_bytes,
            segment_bytes=settings.journal.segment_bytes,
        )
        stack.callback(self.journal.close)
        self.letters = FileDeadLetters(installation.path("dead-letters"), key, max_bytes=_LETTERS_BYTES)
        factory = WorkerFactory(settings.observe, installation.derived_key("fingerprints"))
        pool = WorkerPool(factory, workers=settings.observe.workers)
        stack.callback(pool.close)
        files = TemplateFiles(installation.path("templates"))
        learner = files.load(settings.templates)
        self.observing = Observing(
            journal=self.journal,
            letters=self.letters,
            store=self.traffic,
            learner=learner,
            files=files,
            pool=pool,
            settings=settings.observe,
            log=log,
        )
        self._installation = installation
        self._entrance(installation)
        self._services()

    def _entrance(self, installation: Installation) -> None:
        self._durable = durable_runs(
            journal_url(self.settings, installation), executor_name(self.settings, installation)
        )
        self._stack.callback(self._durable.close)
        self.leasing = leasing(self.control, self.log)
        self._signer = FileSigner(signing_key(self.settings, installation))
        self.access = Access(self.control, self.clock, secrets.token_bytes)
        self.clients = ClientCredentials(
            self.access,
            self.clock,
            installation.derived_key("client credentials"),
            tenant_id=str(uuid.UUID(bytes=installation.derived_key("tenant")[:16], version=4)),
            new_id=lambda: str(uuid.uuid4()),
        )

    def _services(self) -> None:
        settings, log = self.settings, self.log
        self._lists()
        self._run = DetectionRun(self.traffic, self.control, log, self.clock)
        self.detecting = Detecting(
            run=self._run,
            traffic=self.traffic,
            control=self.control,
            clock=self.clock,
            settings=settings.detect,
            log=log,
            turn=self.leasing.turn("detecting"),
            then=self._found,
        )
        self.scoring = Scoring(self.control.scores, self.clock)
        self.catalogue = Catalogue(
            traffic=self.traffic,
            control=self.control,
            clock=self.clock,
            log=log,
            turn=self.leasing.turn("findings"),
            exceptions=self.control.remediations.unended,
            judged=lambda place, mine: self.scoring.recount(place, keep=mine),
        )
        parts = self._casework()
        self._automation(parts)
        self._formats = formats()
        self.metrics = Metrics(
            journal=self.journal,
            observing=self.observing,
            detecting=self.detecting,
            correlating=self.correlating,
            exporting=self.exporting,
            runs=self.control.runs,
            automation=self.automation.dispatching,
            leasing=self.leasing,
            telling=self.telling,
        )
        self.collectors = Collectors(settings, self.journal, self._formats, self.clock, log)
        self.app = create_app(self._api(parts))

    def _lists(self) -> None:
        self.lists = AddressLists(self.settings.lists, self.traffic, self.log)
        self.lists.load()
        self._reloading = Repeating("lists", self.lists.reload, self.settings.lists.reload_s, self.log)

    def _casework(self) -> Desk:
        settings, log = self.settings, self.log
        self.gateways = Gateways(settings, self._installation, self.clock, log)
        self.containment = containing(
            control=self.control,
            traffic=self.traffic,
            gateways=self.gateways.by_name,
            guardrails=guarded(settings),
            clock=self.clock,
            log=log,
            turn=self.leasing.turn("containment effects"),
        )
        parts = desk(self.control.cases, self.traffic, self.catalogue.labelled, self.clock.now, self.containment.desk)
        self.correlating = Correlating(parts.correlation, log, self.leasing.turn("correlating"), self._placed)
        self.remediation = remediating(
            control=self.control,
            catalogue=self.catalogue,
            traffic=self.traffic,
            summing=parts.summing,
            guardrails=settings.containment,
            clock=self.clock,
            log=log,
            turn=self.leasing.turn("remediation"),
        )
        return parts

    def _automation(self, parts: Desk) -> None:
        settings, log = self.settings, self.log
        self.connections = connections(settings)
        self._stack.callback(self.connections.close)
        self._tickets = Tickets(
            self.connections, self.control, parts.summing, self.clock, log, self.leasing.turn("tickets")
        )
        self.playbooks = server_playbooks(
            settings,
            control=self.control,
            summing=parts.summing,
            connectors=self.connections,
            containing=self.containment.desk,
            gateways=self.gateways.by_name,
            done=self._tickets.created,
            durable=self._durable,
            signer=self._signer,
            clock=self.clock,
            log=log,
        )
        self.automation = automation(
            self.control, parts.summing, self.playbooks.runs, self.clock, log, self.leasing.turn("automation")
        )
        self.exporting = exporting(
            settings.export,
            self.control,
            self.clock,
            log,
            self.automation.dispatching.position,
            self.leasing.turn("exporting"),
        )
        seal = Seal(self._installation.derived_key("subscriptions"))
        self.subscribing = subscribing(settings.subscriptions, self.control, seal, self.clock)
        self.telling = telling(
            self.subscribing, self.control, settings.export.url, self.clock, log, self.leasing.turn("subscriptions")
        )

    def _found(self) -> None:
        """Alerts are new or changed: what follows on them need not wait for its tick."""
        self.correlating.wake()

    def _placed(self) -> None:
        """Alerts have their incidents: rules may begin."""
        self.automation.dispatching.wake()

    def _api(self, parts: Desk) -> ApiServices:
        suppressing = Suppressing(self.control, self.control.cases, self.clock.now)
        return ApiServices(
            settings=self.settings.api,
            access=self.access,
            clients=self.clients,
            ingest=Ingest(self.journal, self.letters, self._formats, self.clock),
            letters=self.letters,
            ledger=self.observing.ledger,
            catalogue=self.catalogue,
            detecting=self.detecting,
            exporting=self.exporting,
            feed=self.gateways.feed,
            connections=standing(self.settings),
            containment=self.containment.desk,
            reconciling=self.containment.reconciling,
            measuring=self.containment.measuring,
            remediation=self.remediation.desk,
            automation=self.automation.desk,
            scoring=self.scoring,
            subscribing=self.subscribing,
            control=self.control,
            cases=self.control.cases,
            casework=parts.casework,
            suppressing=suppressing,
            dossiers=parts.dossiers,
            playbooks=self.playbooks,
            review_desk=self._reviews(parts, suppressing),
            rules=rules,
            formats=self._formats,
            clock=self.clock,
            log=self.log,
            metrics=self.metrics.text,
            leasing=self.leasing,
            readiness=self.readiness,
        )

    def _reviews(self, parts: Desk, suppressing: Suppressing) -> ReviewDesk:
        return review_desk(
            cases=self.control.cases,
            control=self.control,
            traffic=self.traffic,
            dossiers=parts.dossiers,
            suppressing=suppressing,
            judge=self._run.judge,
            signer=self._signer,
            containments=self.containment.desk,
            now=self.clock.now,
        )

    def readiness(self) -> dict[str, bool]:
        """Parts and whether they work."""
        return {
            "control_store": self.control.schema_current(),
            "traffic_store": self.traffic.schema_current(),
            "journal": not self.journal.refusing,
            "observing": not self.observing.failing,
            "inventory": not self.catalogue.failing,
            "detectors": not self.detecting.faults and not self.detecting.failing,
            "incidents": not self.correlating.failing,
            "exports": not self.exporting.failing,
            "gateways": not self.containment.reconciling.failing,
            "remediation": not self.remediation.failing,
            "playbooks": not self.playbooks.runs.failing,
            "automation": not self.automation.dispatching.failing,
            "leases": not self.leasing.failing,
            "subscriptions": not self.telling.failing,
        }

    def start(self) -> None:
        """Begin observing, detecting, collecting."""
        self.leasing.start()
        self.observing.start()
        self.detecting.start()
        self.catalogue.start()
        self.correlating.start()
        self.playbooks.runs.launch()
        self.exporting.start()
        self.automation.dispatching.start()
        self.telling.start()
        self._reloading.start()
        self.gateways.start()
        self.containment.start()
        self.remediation.start()
        self._tickets.start()
        self.collectors.start()

    def stop(self) -> None:
        """No more intake; what is in the workers is stored, the rest waits in the journal; then close everything."""
        self.collectors.stop()
        self._reloading.stop()
        self.observing.stop()
        self.detecting.stop()
        self.correlating.stop()
        self.automation.dispatching.stop()
        self.telling.stop()
        self.playbooks.runs.stop()
        self.catalogue.stop()
        self.exporting.stop()
        self._tickets.stop()
        self.remediation.stop()
        self.containment.stop()
        self.gateways.stop()
        self.leasing.stop()
        self._stack.close()


def run(settings: Settings, log: Log, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` shows the first-login token, once."""
    server = Server(settings, log)
    token = server.access.ensure_first_token()
    server.start()
    address = f"http://{settings.api.host}:{settings.api.port}"
    announce(f"Gatewatch listens on {address}, data in {settings.data_dir}")
    if token:
        announce("First login, shown only now:")
        announce(f"token: {token}")
    config = uvicorn.Config(
        server.app,
        host=settings.api.host,
        port=settings.api.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    # uvicorn raises the signal again once it has stopped; without a handler that would end us before the draining.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        uvicorn.Server(config).run()
    finally:
        server.stop()
        log.info("stopped")
