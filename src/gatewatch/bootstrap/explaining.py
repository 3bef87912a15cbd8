"""Finds one transaction in a file and explains it with the templates that the whole file teaches."""

from __future__ import annotations

from pathlib import Path

from gatewatch.bootstrap.analysis import origin_of, records_of, single_observer
from gatewatch.bootstrap.workers import formats
from gatewatch.config.settings import Settings
from gatewatch.errors import NotFoundError
from gatewatch.model.rejection import Rejection
from gatewatch.observe.explain import StageTrace, explain
from gatewatch.observe.templates import TemplateLearner
from gatewatch.services.observing.worker import sightings

__all__ = ["explain_transaction"]


def explain_transaction(file: Path, wanted: str, format_name: str, settings: Settings) -> list[StageTrace]:
    """Traces of the transaction with this id (or on this line). Raises NotFoundError."""
    known, observer, learner = formats(), single_observer(settings), TemplateLearner(settings.templates)
    found = None
    for record in records_of([file], format_name):
        block = []
        for item in known[record.format].decode(record.payload, origin_of(record)):
            if isinstance(item, Rejection):
                if str(item.line) == wanted:
                    return [StageTrace(stage="source", decided=f"rejected: {item.reason.value}", why=item.detail)]
                continue
            block.append(observer.observe(item, record.source, learner.templates()))
            if found is None and (item.id == wanted or item.id.endswith(f":{wanted}")):
                found = (item, record.source)
        learner.learn(sightings(block))
    if found is None:
        raise NotFoundError(f"no transaction {wanted} in {file}", cure="Give its id, or its line number.")
    return explain(observer, found[0], found[1], learner.templates())
