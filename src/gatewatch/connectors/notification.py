"""A hundred more ways to tell people something, through apprise."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlsplit

from apprise import Apprise, NotifyBase

from gatewatch.connectors.coded import CodedConnector
from gatewatch.connectors.reach import Reach, Requirements
from gatewatch.egress.addresses import is_loopback
from gatewatch.egress.errors import EgressError
from gatewatch.egress.foreign import guarded
from gatewatch.errors import ConfigurationError
from gatewatch.ports.connectors import (
    ActionCall,
    ActionInput,
    ActionMeta,
    ActionResult,
    ConnectorError,
    ConnectorMeta,
    Outcome,
)

__all__ = ["Notification"]

_PAGES = frozenset({"service_url", "setup_url"})
"""Of the vendor, for people."""
_loading = threading.Lock()


class Notification(CodedConnector):
    """The library opens sockets of its own; the guard watches its thread (egress.foreign)."""

    meta: ClassVar[ConnectorMeta] = ConnectorMeta(
        id="apprise",
        title="Notification (apprise)",
        description=(
            "Any service that apprise knows: Discord, Telegram, ntfy, Matrix, Pushover, ... The address is apprise's "
            "(`ntfy://topic`) and a secret. Only the hosts that its service uses are reached; where they can't be told "
            "from the address, name them in `allowed_hosts`. Services that start processes or threads, speak to local "
            "desktops or switch off certificate checks are refused. It can't be read back, and apprise tells only "
            "whether it worked: after a failure in talking to the service, the outcome is unknown."
        ),
        references=("https://appriseit.com/services/",),
        actions=(
            ActionMeta(
                id="notify",
                title="Notify",
                description="A title and a text.",
                inputs=(
                    ActionInput(name="text", required=True, description="The words.", example="Two sources."),
                    ActionInput(name="title", description="One line.", example="High - Credential stuffing"),
                    ActionInput(
                        name="kind",
                        description="How services that can show it do.",
                        choices=("info", "success", "warning", "failure"),
                        example="warning",
                    ),
                ),
            ),
        ),
    )
    requirements: ClassVar[Requirements] = Requirements(secret_url=True, hosts_of=lambda address: list(_hosts(address)))

    def __init__(self, reach: Reach) -> None:
        """Keeps apprise and what it uses from logging addresses."""
        self._reach = reach
        for name in ("apprise", "urllib3"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def perform(self, call: ActionCall) -> ActionResult:
        """See Connector.perform."""
        try:
            address = self._reach.address()
            service = self._service(address)
            guard = self._reach.guard(address)
        except EgressError as error:
            return ActionResult(outcome=Outcome.FAILED, error=error.message, again=True)
        except ConfigurationError as error:
            raise ConnectorError(f"{call.connection}: {error.message}", cure=error.cure) from error
        given = call.inputs
        with guarded(guard) as trace:
            try:
                done = service.notify(
                    body=given["text"], title=given.get("title") or "", notify_type=given.get("kind") or "info"
                )
            except (OSError, TypeError, ValueError, EgressError):
                done = False
        if done:
            return ActionResult(outcome=Outcome.SUCCEEDED)
        if trace.refusals and trace.connections == 0:
            return ActionResult(outcome=Outcome.FAILED, error=trace.refusals[0].message)
        if trace.connections == 0:
            return ActionResult(outcome=Outcome.FAILED, error="the service was not reached", again=True)
        return ActionResult(outcome=Outcome.UNKNOWN, error="the service was reached, but the notification failed")

    def read_back(self, call: ActionCall) -> ActionResult:
        """Notifications can't be read back."""
        return ActionResult(outcome=Outcome.UNKNOWN, error=f"{call.action} can't be read back")

    def close(self) -> None:
        """Nothing stays open."""

    def _service(self, address: str) -> NotifyBase:
        service = _instance(address)
        if not service.verify_certificate:
            raise ConfigurationError("the address switches certificate checks off")
        own = _own_host(service)
        if own and not service.secure and not self._reach.settings.insecure and not is_loopback(own):
            raise ConfigurationError(
                "the address sends without TLS", cure="Use the schema's form with `s`, or set `insecure = true`."
            )
        service.redirects = False
        service.socket_connect_timeout = service.socket_read_timeout = self._reach.settings.timeout_s
        return service


def _instance(address: str) -> NotifyBase:
    with _loading:
        service: Any = Apprise.instantiate(address, suppress_exceptions=True)
    if not isinstance(service, NotifyBase):
        raise ConfigurationError("the address is none that apprise knows")
    return service


def _hosts(address: str) -> Iterator[str]:
    """The hosts that a service uses: in its address, or fixed in the service's class."""
    service = _instance(address)
    yield from (str(host) for host in (_own_host(service), getattr(service, "smtp_host", "")) if host)
    for kind in type(service).__mro__:
        for name, value in vars(kind).items():
            if isinstance(value, str) and name not in _PAGES and value.startswith("https://"):
                host = urlsplit(value).hostname or ""
                if host and "{" not in host:
                    yield host


def _own_host(service: NotifyBase) -> str:
    """The host in an address whose form has one."""
    templates = getattr(service, "templates", ())
    return str(service.host or "") if any("{host}" in template for template in templates) else ""
