"""Targets from settings: everything that can't work is said when it is configured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gatewatch.config.settings import TargetSettings
from gatewatch.errors import ConfigurationError
from gatewatch.formats.export import Context, Format
from gatewatch.model.alert import AlertStatus
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.finding import FindingStatus
from gatewatch.model.incident import IncidentStatus
from gatewatch.ports.export import Content, Delivery, Exporter, UnsayableError

__all__ = ["STATUSES", "Target", "targets_of"]

STATUSES: Mapping[ExportKind, frozenset[str]] = {
    ExportKind.ALERT: frozenset(AlertStatus),
    ExportKind.INCIDENT: frozenset(IncidentStatus),
    ExportKind.FINDING: frozenset(FindingStatus),
    ExportKind.AUDIT: frozenset(),
    ExportKind.SCORE: frozenset(),
}
_UNRANKED = (ExportKind.AUDIT, ExportKind.SCORE)
"""Kinds without severity: they pass every floor."""


class Target:
    """One target: what it wants, how it is said, how it gets there."""

    def __init__(self, settings: TargetSettings, format_: Format, exporter: type[Exporter], context: Context) -> None:
        """Raises ConfigurationError naming the target."""
        self.settings, self._format, self._context = settings, format_, context
        self.name, self.meta = settings.name, exporter.meta
        _check(settings, format_, exporter, context)
        content = Content(shape=format_.meta.shape, content_type=format_.meta.content_type, preamble=format_.preamble)
        try:
            own = msgspec.convert(settings.settings, exporter.settings)
            self.exporter = exporter(own, content)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"export target {settings.name}: {error}", cure="docs/reference/exporters.md lists what it takes."
            ) from error
        except ConfigurationError as error:
            raise ConfigurationError(f"export target {settings.name}: {error.message}", cure=error.cure) from error

    @property
    def streams(self) -> bool:
        """Whether it follows changes."""
        return self.settings.mode != "snapshot"

    @property
    def snapshots(self) -> bool:
        """Whether it wants everything once a week."""
        return self.settings.mode != "streaming"

    def wants(self, item: ExportItem) -> bool:
        """Kind, severity floor, status, detector."""
        wanted = self.settings
        if item.kind not in wanted.kinds:
            return False
        if item.kind not in _UNRANKED and item.severity.rank < wanted.severity.rank:
            return False
        named = STATUSES[item.kind].intersection(wanted.status)
        if named and item.status not in named:
            return False
        return not wanted.detectors or item.detectors is None or not set(wanted.detectors).isdisjoint(item.detectors)

    def render(self, item: ExportItem) -> Delivery:
        """Ready to go. Raises UnsayableError: one odd thing, or a fault of a format, must not stop the rest."""
        try:
            body = self._format.render(item, self._context)
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UnsayableError(f"the format {self.settings.format} failed: {type(error).__name__}") from error
        return Delivery(
            event_id=item.event_id,
            kind=item.kind,
            subject=item.subject,
            at=item.at,
            snapshot=item.snapshot,
            severity=item.severity,
            body=body,
        )


def targets_of(
    settings: Sequence[TargetSettings],
    formats: Mapping[str, Format],
    exporters: Mapping[str, type[Exporter]],
    context: Context,
) -> list[Target]:
    """All that are enabled. Disabled ones are checked too. Raises ConfigurationError."""
    names = [one.name for one in settings]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"two export targets are named {', '.join(twice)}")
    found = []
    for one in settings:
        format_ = _known(one, "format", one.format, formats)
        found.append(Target(one, format_, _known(one, "transport", one.transport, exporters), context))
    return [target for target in found if target.settings.enabled]


def _known(settings: TargetSettings, what: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise ConfigurationError(
            f"export target {settings.name}: no {what} `{name}`", cure=f"There are {', '.join(sorted(known))}."
        )
    return known[name]


def _check(settings: TargetSettings, format_: Format, exporter: type[Exporter], context: Context) -> None:
    where = f"export target {settings.name}"
    if silent := [kind.value for kind in settings.kinds if kind not in format_.meta.kinds]:
        raise ConfigurationError(
            f"{where}: the format {format_.meta.id} can't say {', '.join(silent)}",
            cure=f"It can say {', '.join(format_.meta.kinds)}; leave the others out of `kinds`.",
        )
    if format_.meta.shape not in exporter.meta.shapes:
        raise ConfigurationError(
            f"{where}: {exporter.meta.id} takes {' or '.join(exporter.meta.shapes)}, "
            f"the format {format_.meta.id} makes {format_.meta.shape}"
        )
    known = frozenset[str]().union(*(STATUSES[kind] for kind in settings.kinds))
    if strange := sorted(set(settings.status) - known):
        raise ConfigurationError(
            f"{where}: no status {', '.join(strange)}", cure=f"There are {', '.join(sorted(known))}."
        )
    if strange := sorted(set(settings.detectors) - set(context.rules)):
        raise ConfigurationError(f"{where}: no detector {', '.join(strange)}", cure="See `gatewatch detectors list`.")
