"""All targets: started, stopped, shown, and what people may do with them."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import TimeoutError as NoAnswerError

from gatewatch.config.settings import ExportSettings, TargetSettings
from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import Alert, AlertStatus, Explanation, OwaspApi, Severity, Tactic
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.changes import ChangeLog
from gatewatch.ports.clock import Clock
from gatewatch.ports.export import ExportStore, Letter, TargetState, TargetStatus, Walk
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.services.exporting.following import Follower
from gatewatch.services.exporting.running import Runner
from gatewatch.services.exporting.targets import Target
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["Exporting"]

_TIDY_S = 3600.0
_DAY_S = 86_400.0
_TEST_S = 60.0
_NEED_SOMEBODY = (TargetState.BLOCKED, TargetState.STOPPED)


class Exporting:
    """`by` is the name of who asks; what people do is in the audit log."""

    def __init__(
        self,
        *,
        settings: ExportSettings,
        targets: Sequence[Target],
        store: ExportStore,
        changes: ChangeLog,
        cases: CaseStore,
        clock: Clock,
        chance: random.Random,
        log: Log,
        needed: Callable[[], int] | None = None,
        turn: Turn = ALWAYS,
    ) -> None:
        """New targets are begun here, so that nothing that happens after the start is missed.

        `needed`: changes after this one are needed by somebody else. Targets are served in this server's `turn` only.
        """
        self._needed = needed
        self._settings, self._store, self._changes, self._cases = settings, store, changes, cases
        self._clock, self._log = clock, log
        self._runners = {
            target.name: Runner(Follower(target, store, changes, clock), clock, chance, log, turn) for target in targets
        }
        self._tidying = Repeating("export-tidying", self.tidy, _TIDY_S, log, turn=turn)

    def start(self) -> None:
        """Begin."""
        for runner in self._runners.values():
            runner.start()
        self._tidying.start()

    def stop(self) -> None:
        """End; positions are kept."""
        self._tidying.stop()
        for runner in self._runners.values():
            runner.stop()
        for runner in self._runners.values():
            runner.join()

    @property
    def failing(self) -> list[str]:
        """Targets that need somebody. One that is away is none: it is waited for."""
        return [name for name, runner in self._runners.items() if runner.health.state in _NEED_SOMEBODY]

    def statuses(self) -> list[TargetStatus]:
        """All configured targets, in the order of the settings."""
        return [self._status(one) for one in self._settings.targets]

    def status(self, name: str) -> TargetStatus:
        """One target. Raises NotFoundError."""
        for one in self._settings.targets:
            if one.name == name:
                return self._status(one)
        raise NotFoundError(f"no export target {name}")

    def _status(self, settings: TargetSettings) -> TargetStatus:
        facts = {name: getattr(settings, name) for name in ("name", "transport", "format", "mode", "kinds")}
        runner, known = self._runners.get(settings.name), self._store.progress(settings.name)
        if runner is None or known is None:
            return TargetStatus(**facts, state=TargetState.DISABLED)
        items, first = self._store.lag(known.position) if runner.follower.target.streams else (0, 0.0)
        health = runner.health
        paused = known.paused and health.state is not TargetState.STOPPED
        return TargetStatus(
            **facts,
            state=TargetState.PAUSED if paused else health.state,
            lag_items=items,
            lag_s=max(0.0, self._clock.now() - first) if items else 0.0,
            delivered=known.delivered,
            dead_letters=self._store.letter_count(settings.name),
            attempts=health.attempts,
            last_error=health.last_error,
            last_error_at=health.last_error_at,
            last_delivery_at=runner.follower.took_at,
            next_attempt_at=health.next_attempt_at,
            snapshot_week=known.week,
            walk=known.walk,
        )

    def pause(self, name: str, *, paused: bool, by: str) -> TargetStatus:
        """Stop or go on delivering; changes wait meanwhile. Raises NotFoundError."""
        runner = self._runner(name)
        self._store.pause(name, paused=paused)
        self._record(name, "paused" if paused else "resumed", by)
        runner.wake()
        return self.status(name)

    def back_fill(self, name: str, kinds: Collection[ExportKind], *, by: str) -> TargetStatus:
        """Send everything there is, oldest first, of these kinds or of all that the target wants."""
        runner = self._runner(name)
        wanted = runner.follower.target.settings.kinds
        if strange := [kind.value for kind in kinds if kind not in wanted]:
            raise InputError(f"{name} does not export {', '.join(strange)}", cure="See its `kinds`.")
        chosen = tuple(kind for kind in ExportKind if kind in (kinds or wanted))
        self._store.ask_walk(name, Walk(kinds=chosen, started_at=self._clock.now()))
        self._record(name, "back-fill", by, kinds=", ".join(chosen))
        runner.wake()
        return self.status(name)

    def end_back_fill(self, name: str, *, by: str) -> TargetStatus:
        """Give up the pass at work, also a snapshot's: the next one comes with the next week."""
        runner = self._runner(name)
        walk = runner.follower.progress.walk
        week = walk.snapshot if walk is not None else ""
        self._store.ask_walk(name, Walk(snapshot=week, kinds=(), started_at=self._clock.now()))
        self._record(name, "back-fill ended", by)
        runner.wake()
        return self.status(name)

    def letters(self, name: str, *, cursor: str = "", limit: int = 50) -> tuple[list[Letter], str]:
        """A page of dead letters, newest first. Raises NotFoundError."""
        self.status(name)
        return self._store.letters(name, cursor=cursor, limit=limit)

    def resend(self, name: str, ids: Collection[str], *, by: str) -> int:
        """Send letters again, as the things are now; how many."""
        runner = self._runner(name)
        count = self._store.resend_letters(name, ids)
        self._record(name, "letters sent again", by, letters=str(count))
        runner.wake()
        return count

    def drop(self, name: str, ids: Collection[str], *, by: str) -> int:
        """Forget letters; how many."""
        self.status(name)
        count = self._store.drop_letters(name, ids)
        self._record(name, "letters dropped", by, letters=str(count))
        return count

    def test(self, name: str, *, by: str) -> None:
        """Send a made-up alert now, also to a paused target. Raises DeliveryError; ConflictError without an answer."""
        runner = self._runner(name)
        if ExportKind.ALERT not in runner.follower.target.settings.kinds:
            raise ConflictError(f"{name} does not export alerts, and the test message is one")
        self._record(name, "tested", by)
        try:
            runner.test(_test_item(self._clock.now())).result(_TEST_S)
        except NoAnswerError as error:
            raise ConflictError(f"{name} did not answer within {_TEST_S:g} s") from error

    def tidy(self) -> int:
        """Forget old changes that every target has taken; how many."""
        following = [runner.follower for runner in self._runners.values() if runner.follower.target.streams]
        positions = [one.progress.position for one in following]
        positions += [self._needed()] if self._needed is not None else []
        before = self._clock.now() - self._settings.keep_changes_days * _DAY_S
        return self._store.forget_through(min(positions, default=self._changes.head()), before=before)

    def _runner(self, name: str) -> Runner:
        status = self.status(name)
        if name not in self._runners:
            raise ConflictError(f"{name} is {status.state}", cure="Enable it in the settings.")
        return self._runners[name]

    def _record(self, name: str, action: str, by: str, **details: str) -> None:
        at = self._clock.now()
        entry = Activity(
            at=at,
            origin=Origin.PERSON,
            by=by,
            subject=Subject.EXPORT,
            subject_id=name,
            action=action,
            details={key: value for key, value in details.items() if value},
        )
        with self._cases.unit(at) as unit:
            unit.record([entry])


def _test_item(now: float) -> ExportItem:
    alert = Alert(
        id=f"test-{round(now * 1000)}",
        detector="gatewatch.test",
        key="test",
        alert_type="Gatewatch_Test",
        title="Gatewatch test message",
        severity=Severity.INFORMATIONAL,
        tactic=Tactic.DISCOVERY,
        owasp=OwaspApi.NONE,
        status=AlertStatus.NEW,
        first_seen=now,
        last_seen=now,
        detected_at=now,
        updated_at=now,
        created_at=now,
        changed_at=now,
        actors=(),
        client_ips=("192.0.2.1",),
        endpoints=("GET gatewatch.example /test",),
        count=1,
        explanation=Explanation(sentence="Somebody pressed the button that sends a test message."),
    )
    return ExportItem(event_id=f"test:{alert.id}:1", kind=ExportKind.ALERT, subject=alert.id, at=now, value=alert)
