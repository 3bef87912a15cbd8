"""Engines for SQLite and PostgreSQL, and the way of the schema."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, ExceptionContext, Pool, create_engine, event
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from gatewatch.errors import GatewatchError, InputError, StoreError

__all__ = ["current_revision", "head_revision", "open_engine", "open_journal", "readers", "upgrade"]

_BUSY_MS = 10_000


def open_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL. Raises StoreError for one that can't be used."""
    engine = _created(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _translate)
    return engine


def open_journal(url: str) -> Engine:
    """An engine for a library that begins its transactions itself. Raises StoreError."""
    engine = _created(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _created(url: str) -> Engine:
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ArgumentError, ImportError) as error:
        raise StoreError(
            f"store.url can't be used: {error}", cure="Give sqlite:///path or postgresql://user@host/name."
        ) from error


def readers(engine: Engine) -> Engine:
    """The same engine for reads only: on SQLite they do not wait for whoever writes."""
    return engine.execution_options(readonly=True)


def _translate(context: ExceptionContext) -> GatewatchError | None:
    """Driver errors become ours, by class; the statement and its values stay out of the text."""
    fault = context.original_exception
    if isinstance(context.sqlalchemy_exception, IntegrityError) or isinstance(fault, GatewatchError):
        return None  # whoever wrote knows what a conflict means there
    if isinstance(context.sqlalchemy_exception, DataError) or isinstance(fault, OverflowError | UnicodeError):
        return InputError("a value can not be looked up", cure="Send text without NUL and numbers within 64 bits.")
    return StoreError(f"the control store failed: {type(fault).__name__}", cure="See the log of the database.")


def _configure_sqlite(connection: Any, _record: Pool) -> None:
    # We begin transactions ourselves: the driver's own way begins them too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    _set_pragmas(connection, _record)


def _set_pragmas(connection: Any, _record: Pool) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Any) -> None:
    # A writer takes its lock at once; one that reads first and asks later fails when somebody else wrote meanwhile.
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN" if options.get("readonly") else "BEGIN IMMEDIATE")


def _config(connection: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("gatewatch.store").joinpath("migrations")))
    config.attributes["connection"] = connection
    return config


def head_revision() -> str:
    """The newest revision of this version."""
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def current_revision(engine: Engine) -> str:
    """The revision a database is at; '' for an empty one."""
    try:
        with readers(engine).connect() as connection:
            return MigrationContext.configure(connection).get_current_revision() or ""
    except SQLAlchemyError as error:
        raise StoreError(f"the control store can't be reached: {type(error).__name__}") from error


def upgrade(engine: Engine) -> list[str]:
    """Bring a database to this version; returns the revisions applied."""
    before = current_revision(engine)
    script = ScriptDirectory.from_config(_config(None))
    missing = [revision.revision for revision in script.iterate_revisions("head", before or "base")]
    if missing:
        with engine.begin() as connection:
            command.upgrade(_config(connection), "head")
    return missing[::-1]
