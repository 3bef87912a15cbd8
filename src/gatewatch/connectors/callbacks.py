"""Calls flows back at the addresses with which they subscribed, if their hosts are allowed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from gatewatch.connectors.judging import Answer, no_answer
from gatewatch.egress.addresses import host_name
from gatewatch.egress.errors import EgressError, RefusedError
from gatewatch.egress.guard import Guard, Resolver, check_url, looked_up
from gatewatch.egress.http import HttpClient, retry_after
from gatewatch.errors import ConfigurationError, InputError
from gatewatch.ports.connectors import ActionResult, Outcome

__all__ = ["Callbacks"]

_HTTPS = 443
_MAX_ANSWER_BYTES = 64 * 1024
_PASSING = frozenset({408, 425, 429})
_MOST_URL = 4000


class Callbacks:
    """Implements ports.subscriptions.Caller."""

    def __init__(
        self,
        hosts: Collection[str],
        *,
        private: Collection[str] = (),
        ca_file: str = "",
        timeout_s: float = 30.0,
        resolver: Resolver = looked_up,
    ) -> None:
        """`hosts`: `host`, `host:port` or `*.domain`; only 443 without a port. `private`: those of them inside."""
        self._hosts = [one.lower() for one in (*hosts, *private)]
        self._private = frozenset(host_name(one.partition(":")[0]) for one in private)
        self._ca_file, self._timeout, self._resolver = ca_file, timeout_s, resolver

    def check(self, url: str) -> str:
        """See Caller.check."""
        if len(url) > _MOST_URL or not url.isascii() or not url.isprintable():
            raise InputError("callback_url is no address")
        try:
            parts = check_url(url, insecure=False)
        except ConfigurationError as error:
            raise InputError(f"callback_url: {error.message}") from error
        host, port = host_name(parts.hostname or ""), parts.port or _HTTPS
        if parts.scheme != "https" and host not in self._private:
            raise InputError("callback_url is not an https address")
        if not any(_fits(host, port, pattern) for pattern in self._hosts):
            raise InputError(
                f"callbacks to {host}:{port} are not allowed", cure="Name the host in `subscriptions.callback_hosts`."
            )
        return host

    def call(self, url: str, body: dict[str, Any], *, key: str) -> ActionResult:
        """See Caller.call. The answer's body is not kept."""
        try:
            host = self.check(url)
        except InputError as error:
            return ActionResult(outcome=Outcome.FAILED, error=error.message)
        guard = Guard([host], private=self._private & {host}, resolver=self._resolver)
        client = HttpClient(guard, timeout_s=self._timeout, ca_file=self._ca_file)
        headers = {"content-type": "application/json", "x-ms-client-tracking-id": key}
        content = msgspec.json.encode(body)
        try:
            response = client.send("POST", url, headers=headers, content=content, max_bytes=_MAX_ANSWER_BYTES)
        except RefusedError as error:
            return ActionResult(outcome=Outcome.FAILED, error=error.message)
        except EgressError as error:
            return no_answer(error, changes=True, repeatable=False)
        finally:
            client.close()
        answer = Answer(
            host=host, status=response.status_code, headers={}, content=b"", retry_after_s=retry_after(response)
        )
        return _judged(answer)


def _judged(answer: Answer) -> ActionResult:
    status, told = answer.status, f"{answer.host} answered {answer.status}"
    values = {"status": status}
    if 200 <= status < 300:
        return ActionResult(outcome=Outcome.SUCCEEDED, values=values)
    if status < 500:
        wait = answer.retry_after_s
        return ActionResult(
            outcome=Outcome.FAILED, values=values, error=told, again=status in _PASSING, retry_after_s=wait
        )
    return ActionResult(outcome=Outcome.UNKNOWN, values=values, error=told)


def _fits(host: str, port: int, pattern: str) -> bool:
    """`*.domain` fits every host below the domain, not the domain itself."""
    name, _, wanted = pattern.partition(":")
    if port != int(wanted or _HTTPS):
        return False
    if name.startswith("*."):
        return host.endswith(name[1:]) and len(host) > len(name) - 1
    return host == host_name(name)
