"""What ended a thread is logged, without the text of the error: it might quote payload."""

from __future__ import annotations

import threading

from gatewatch.telemetry.logs import Log

__all__ = ["fault_of", "log_ended_threads"]


def fault_of(error: BaseException) -> str:
    """Type and place of our error; its text might quote payload."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = trace.tb_frame.f_code.co_qualname if trace is not None else "?"
    return f"{type(error).__name__} in {where}"


def log_ended_threads(log: Log) -> None:
    """From now on, in the whole process."""

    def ended(told: threading.ExceptHookArgs) -> None:
        name = told.thread.name if told.thread is not None else "?"
        fault = fault_of(told.exc_value) if told.exc_value is not None else told.exc_type.__name__
        log.error("thread_ended", thread=name, fault=fault)

    threading.excepthook = ended
