"""One configured connection: its address, secrets and options, and the guarded way to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, unquote_plus, urlsplit, urlunsplit

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.definition import OptionField, SecretField
from gatewatch.connectors.judging import Answer
from gatewatch.connectors.rendering import Rendered
from gatewatch.egress.guard import Guard, Resolver, check_url, looked_up
from gatewatch.egress.http import HttpClient, retry_after
from gatewatch.egress.secrets import is_reference, resolve
from gatewatch.egress.tls import tls_context
from gatewatch.errors import ConfigurationError

__all__ = ["Reach", "Requirements"]

_LONG_PART = 12
"""Parts of a secret address that are that long are secrets by themselves."""


class Requirements:
    """What a connector asks of its connections."""

    def __init__(
        self,
        *,
        url: str = "",
        secret_url: bool = False,
        needs_url: bool = True,
        hosts: Iterable[str] = (),
        secrets: tuple[SecretField, ...] = (),
        options: tuple[OptionField, ...] = (),
        hosts_of: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        """`hosts_of`: the hosts that an address leads to, when it is not an http(s) one."""
        self.url, self.secret_url, self.needs_url, self.hosts = url, secret_url, needs_url, tuple(hosts)
        self.secrets, self.options, self.hosts_of = secrets, options, hosts_of

    def problems(self, settings: ConnectionSettings) -> list[str]:
        """What is wrong with a connection's settings."""
        found = list(_field_problems(settings, self))
        if self.needs_url and not (settings.url or self.url):
            found.append("url is missing")
        if settings.ca_file:
            try:
                tls_context(settings.ca_file)
            except ConfigurationError as error:
                found.append(error.message)
        if self.secret_url and settings.url and not is_reference(settings.url):
            found.append("url is a secret here; give it as `env:NAME` or `file:/path`")
        if self.needs_url and not self.hosts_of and not is_reference(settings.url) and (settings.url or self.url):
            try:
                check_url(settings.url or self.url, insecure=settings.insecure)
            except ConfigurationError as error:
                found.append(error.message)
        return found


class Reach:
    """Thread-safe."""

    def __init__(
        self, settings: ConnectionSettings, requirements: Requirements, *, resolver: Resolver = looked_up
    ) -> None:
        """Opens nothing. Raises ConfigurationError that names everything that is wrong."""
        if wrong := requirements.problems(settings):
            raise ConfigurationError(
                f"connection {settings.name}: {'; '.join(wrong)}",
                cure="docs/reference/connectors.md lists what a connector needs.",
            )
        self.settings, self.name = settings, settings.name
        self._requirements, self._resolver = requirements, resolver
        defaults = {field.name: field.default for field in requirements.options}
        self.options: dict[str, str] = {**defaults, **settings.options}
        self._clients: dict[frozenset[str], HttpClient] = {}

    def address(self) -> str:
        """The connection's address. Raises SecretError, ConfigurationError."""
        given = self.settings.url
        if is_reference(given):
            return resolve(given)
        return given or self._requirements.url

    def site(self) -> str:
        """The address without its query, for links; '' when it is a secret."""
        if is_reference(self.settings.url):
            return ""
        parts = urlsplit(self.address())
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))

    def secret(self, name: str) -> str:
        """A secret's value now. Raises SecretError; ConfigurationError for one that was not given."""
        if name not in self.settings.secrets:
            raise ConfigurationError(f"connection {self.name} has no secret {name}")
        return resolve(self.settings.secrets[name])

    def secret_values(self) -> list[str]:
        """Everything secret that this connection knows, to be taken out of what comes back. Raises SecretError."""
        values = [resolve(reference) for reference in self.settings.secrets.values()]
        return values + (_parts(self.address()) if is_reference(self.settings.url) else [])

    def guard(self, address: str) -> Guard:
        """Who may be reached by way of an address."""
        settings, hosts_of = self.settings, self._requirements.hosts_of
        own = hosts_of(address) if hosts_of is not None else [urlsplit(address).hostname or ""]
        hosts = [*own, *self._requirements.hosts, *settings.allowed_hosts]
        return Guard(hosts, private=settings.private_hosts, resolver=self._resolver)

    def send(self, request: Rendered) -> Answer:
        """Raises EgressError, ConfigurationError."""
        response = self._client().send(request.method, request.url, headers=request.headers, content=request.content)
        return Answer(
            host=urlsplit(request.url).hostname or "",
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            content=response.content,
            retry_after_s=retry_after(response),
        )

    def close(self) -> None:
        """Let go of connections."""
        for client in list(self._clients.values()):
            client.close()

    def _client(self) -> HttpClient:
        guard = self.guard(self.address())
        if guard.hosts not in self._clients:
            settings = self.settings
            # Made anew when the address, a secret, leads to another host.
            self._clients[guard.hosts] = HttpClient(
                guard,
                timeout_s=settings.timeout_s,
                ca_file=settings.ca_file,
                proxy=settings.proxy,
                insecure=settings.insecure,
            )
        return self._clients[guard.hosts]


def _parts(address: str) -> list[str]:
    """A secret address and what of it is secret by itself."""
    parts = urlsplit(address)
    pieces = [*parts.path.split("/"), *(pair.partition("=")[2] for pair in parts.query.split("&")), parts.query]
    whole = [address, address.rstrip("/"), parts.path + ("?" + parts.query if parts.query else "")]
    forms = {form for piece in (*whole, *pieces) for form in (piece, unquote(piece), unquote_plus(piece))}
    return sorted(form for form in forms if len(form) >= _LONG_PART)


def _field_problems(settings: ConnectionSettings, wanted: Requirements) -> Iterable[str]:
    pairs: tuple[tuple[str, Mapping[str, str], tuple[SecretField | OptionField, ...]], ...] = (
        ("secret", settings.secrets, wanted.secrets),
        ("option", settings.options, wanted.options),
    )
    for kind, given, fields in pairs:
        if strange := sorted(set(given) - {field.name for field in fields}):
            yield f"there is no {kind} {', '.join(strange)}"
        for field in fields:
            if field.required and not given.get(field.name):
                yield f"the {kind} {field.name} is missing"
    for field in wanted.options:
        value = settings.options.get(field.name, "")
        if value and field.pattern and not re.fullmatch(field.pattern, value):
            yield f"the option {field.name} does not match {field.pattern}"
