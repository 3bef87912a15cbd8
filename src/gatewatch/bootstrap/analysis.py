"""Puts an offline analysis together in a directory of its own that vanishes afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gatewatch.bootstrap.casework import crowds
from gatewatch.bootstrap.installation import Installation
from gatewatch.bootstrap.parts import control_store, traffic_store
from gatewatch.bootstrap.workers import WorkerFactory, formats
from gatewatch.config.settings import ListSettings, Settings
from gatewatch.errors import InputError
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateLearner
from gatewatch.ports.journal import JournalRecord
from gatewatch.ports.wire import Origin, WireFormat
from gatewatch.services.analyzing import Analyzing
from gatewatch.services.detecting import DetectionRun
from gatewatch.services.lists import AddressLists
from gatewatch.services.observing import BlockCommitter, Ledger, OfflineObserving, WorkerPool
from gatewatch.services.observing.committing import RecentIds
from gatewatch.services.observing.template_files import TemplateFiles
from gatewatch.telemetry.logs import Log

__all__ = ["analysis", "choose_format", "records_of"]

_PAYLOAD_BYTES = 2 * 1024 * 1024
_HEAD_BYTES = 65_536
_SURE = 0.2


def choose_format(path: Path, wanted: str) -> WireFormat:
    """The named format, or the one that recognises the file. Raises InputError listing what there is."""
    known = formats()
    if wanted != "auto":
        if wanted not in known:
            raise InputError(f"no format `{wanted}`", cure=f"Formats: {', '.join(sorted(known))}, or auto.")
        return known[wanted]
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise InputError(f"{path} is empty", cure="Give a file with recorded traffic.")
    confidence, name = max((format_.sniff(head, path.name), name) for name, format_ in known.items())
    if confidence < _SURE:
        raise InputError(
            f"{path} is in no format that Gatewatch reads", cure=f"Name it with --format: {', '.join(sorted(known))}."
        )
    return known[name]


def records_of(paths: Sequence[Path], format_name: str) -> Iterator[JournalRecord]:
    """Payloads of the files, in order; each file is a source of its own, by name."""
    for path in paths:
        format_ = choose_format(path, format_name)
        with path.open("rb") as stream:
            for payload, first_line in format_.payloads(stream, max_bytes=_PAYLOAD_BYTES):
                yield JournalRecord(
                    source=path.name,
                    format=format_.meta.id,
                    position=path.name,
                    first_line=first_line,
                    received_at=0.0,
                    count=format_.count(payload),
                    payload=payload,
                )


@contextmanager
def analysis(settings: Settings, *, lists: ListSettings, openapi: Path | None, log: Log) -> Iterator[Analyzing]:
    """An analysis ready to run."""
    with tempfile.TemporaryDirectory(prefix="gatewatch-") as directory:
        settings = msgspec.structs.replace(settings, data_dir=directory)
        installation = Installation(settings)
        traffic, control = traffic_store(settings, installation), control_store(settings, installation)
        factory = WorkerFactory(settings.observe, installation.derived_key("fingerprints"))
        pool = WorkerPool(factory, workers=settings.observe.workers)
        try:
            traffic.migrate()
            control.migrate()
            AddressLists(lists, traffic, log).load()
            learner = TemplateLearner(settings.templates)
            if openapi is not None:
                traffic.put_paths(learner.import_openapi(_read(openapi), str(openapi)))
            committer = BlockCommitter(
                store=traffic,
                letters=None,
                learner=learner,
                ledger=Ledger(),
                recent=RecentIds(settings.observe.duplicate_window),
            )
            files = TemplateFiles(installation.path("templates"))
            observing = OfflineObserving(
                committer=committer, pool=pool, files=files, block_bytes=settings.observe.block_bytes, log=log
            )
            detection = DetectionRun(traffic, control, log)
            yield Analyzing(
                observing=observing,
                traffic=traffic,
                control=control,
                cases=control.cases,
                crowds=lambda addresses: crowds(traffic, addresses),
                detection=detection,
            )
        finally:
            pool.close()
            control.close()
            traffic.close()


def single_observer(settings: Settings) -> Observer:
    """An observer in this process with a key that is forgotten afterwards; for `gatewatch explain`."""
    return Observer(settings.observe, b"explain-only-key-not-stored-anywhere")


def origin_of(record: JournalRecord) -> Origin:
    """The origin that a record's transactions get."""
    return Origin(source=record.source, position=record.position, first_line=record.first_line)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"can't read {path}: {error.strerror}") from error
