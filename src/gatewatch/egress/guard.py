"""Who may be reached, decided when a connection is opened: on the very address that is then connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from gatewatch.egress.addresses import host_name, is_loopback, refusal
from gatewatch.egress.errors import EgressError, RefusedError
from gatewatch.errors import ConfigurationError

__all__ = ["Guard", "Resolver", "check_url", "first_of", "looked_up"]

T = TypeVar("T")
Failures = type[Exception] | tuple[type[Exception], ...]
Resolver = Callable[[str, int], list[str]]
"""(host, port) -> addresses. Raises OSError."""


def looked_up(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard:
    """Thread-safe; one for each connection of the settings."""

    def __init__(
        self, hosts: Collection[str], *, private: Collection[str] = (), resolver: Resolver = looked_up
    ) -> None:
        """`hosts` may be reached at public addresses, `private` at those of this machine and private networks too."""
        self.private = frozenset(map(host_name, private))
        self.hosts = frozenset(map(host_name, hosts)) | self.private
        self._resolver = resolver

    def check_host(self, host: str) -> None:
        """Raises RefusedError for a host that is not allowed."""
        if host_name(host) not in self.hosts:
            raise RefusedError(
                f"{host} is not one of the hosts of this connection",
                cure="Add it to `allowed_hosts` of the connection when it belongs to it.",
            )

    def addresses(self, host: str, port: int) -> list[str]:
        """Where a host may be connected to now. One address that is refused refuses the host.

        Raises RefusedError, or EgressError when the name is not known.
        """
        self.check_host(host)
        try:
            found = self._resolver(host_name(host), port)
        except (OSError, UnicodeError) as error:
            raise EgressError(f"{host} can't be found: {type(error).__name__}", sent=False) from error
        for address in found:
            self.check_address(host, address)
        if not found:
            raise EgressError(f"{host} has no address", sent=False)
        return found

    def check_address(self, host: str, address: str) -> None:
        """Raises RefusedError for an address that a host must not lead to."""
        why = refusal(address, private=host_name(host) in self.private)
        if why:
            raise RefusedError(
                f"{host} leads to {why}", cure="Name it in `private_hosts` of the connection when it is one of yours."
            )

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connection to one of the addresses that were checked. Raises EgressError; nothing was sent."""
        return first_of(
            self.addresses(host, port),
            lambda address: socket.create_connection((address, port), timeout=timeout_s),
            host,
            OSError,
        )


def first_of(addresses: Iterable[str], open_: Callable[[str], T], host: str, failures: Failures) -> T:
    """What opens first. Raises EgressError when nothing does."""
    last: BaseException | None = None
    for address in addresses:
        try:
            return open_(address)
        except failures as error:
            last = error
    raise EgressError(f"no connection to {host}: {type(last).__name__}", sent=False) from last


def check_url(url: str, *, insecure: bool) -> SplitResult:
    """Raises ConfigurationError; the URL itself may be a secret and is not repeated."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigurationError("url is not an http(s) address with a host") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ConfigurationError("url is not an http(s) address with a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("url carries a user or password", cure="Use the transport's own setting for secrets.")
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        raise ConfigurationError(
            f"url sends to {parts.hostname} without TLS", cure="Use https://, or allow it with `insecure = true`."
        )
    return parts
