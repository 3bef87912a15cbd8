"""SMTP to hosts that are allowed, at addresses that were checked."""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Any

from gatewatch.egress.errors import EgressError
from gatewatch.egress.guard import Guard
from gatewatch.egress.tls import tls_context
from gatewatch.errors import ConfigurationError

__all__ = ["MailServer", "Submission"]


_DONE, _TAKEN, _FOR_GOOD = 250, (250, 251), 500


class _Smtp(smtplib.SMTP):
    """The library's client over a socket of ours; `smtplib.SMTP_SSL` extends it at the same place."""

    def __init__(self, guard: Guard, timeout_s: float, context: ssl.SSLContext | None) -> None:
        self._guard, self._context = guard, context
        super().__init__(timeout=timeout_s, local_hostname="gatewatch.invalid")

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._guard.connect(host, port, timeout)
        return plain if self._context is None else self._context.wrap_socket(plain, server_hostname=host)

    def open(self, host: str, port: int) -> None:
        """Connect and keep the name for the certificate."""
        self._host = host
        self.connect(host, port)


class Submission:
    """What a server said to a message."""

    def __init__(self, refused: dict[str, str]) -> None:
        """`refused`: recipient -> the server's answer; the others have it."""
        self.refused = refused


class MailServer:
    """One server of the settings."""

    def __init__(self, guard: Guard, *, host: str, port: int, tls: str, ca_file: str, timeout_s: float) -> None:
        """`tls`: `starttls`, `tls` (from the first octet) or `none`. Raises ConfigurationError."""
        if tls not in ("starttls", "tls", "none"):
            raise ConfigurationError("tls of a mail server is starttls, tls or none")
        self._guard, self._tls, self._timeout = guard, tls, timeout_s
        self.host, self.port = host, port
        self._context = tls_context(ca_file)

    def submit(
        self, sender: str, recipients: list[str], message: bytes, *, login: tuple[str, str] | None
    ) -> Submission:
        """Hand over one message.

        Raises EgressError; `sent` is true when the connection broke after the message was sent and before the
        server's answer, so nobody knows.
        """
        client = _Smtp(self._guard, self._timeout, self._context if self._tls == "tls" else None)
        try:
            self._prepared(client, login)
            refused = self._envelope(client, sender, recipients)
            self._data(client, message)
        finally:
            client.close()
        return Submission(refused)

    def _prepared(self, client: _Smtp, login: tuple[str, str] | None) -> None:
        try:
            client.open(self.host, self.port)
            if self._tls == "starttls":
                client.starttls(context=self._context)
            client.ehlo_or_helo_if_needed()
            if login is not None:
                client.login(*login)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self._failed("did not let us in", error) from error

    def _envelope(self, client: _Smtp, sender: str, recipients: list[str]) -> dict[str, str]:
        refused = {}
        try:
            code, told = client.mail(sender)
            if code != _DONE:
                raise EgressError(
                    f"{self.host} refused the sender: {code}{_enhanced(told)}", sent=False, for_good=code >= _FOR_GOOD
                )
            for recipient in recipients:
                code, told = client.rcpt(recipient)
                if code not in _TAKEN:
                    refused[recipient] = f"{code}{_enhanced(told)}"
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise self._failed("broke off before the message", error) from error
        if len(refused) == len(recipients):
            answers = ", ".join(dict.fromkeys(refused.values()))
            passing = any(answer.startswith("4") for answer in refused.values())
            raise EgressError(f"{self.host} refused all recipients: {answers}", sent=False, for_good=not passing)
        return refused

    def _data(self, client: _Smtp, message: bytes) -> None:
        try:
            code, told = client.data(message)
        except smtplib.SMTPDataError as error:
            # The answer to the word DATA: the message was not asked for.
            raise EgressError(
                f"{self.host} refused the message: {error.smtp_code}", sent=False, for_good=error.smtp_code >= _FOR_GOOD
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise EgressError(
                f"no answer from {self.host} to the message: {type(error).__name__}", sent=True
            ) from error
        if code != _DONE:
            raise EgressError(
                f"{self.host} refused the message: {code}{_enhanced(told)}", sent=False, for_good=code >= _FOR_GOOD
            )
        try:
            client.quit()
        except (OSError, smtplib.SMTPException):
            return  # It has the message.

    def _failed(self, what: str, error: Exception) -> EgressError:
        code = getattr(error, "smtp_code", "")
        for_good = isinstance(error, smtplib.SMTPNotSupportedError | smtplib.SMTPAuthenticationError)
        return EgressError(f"{self.host} {what}: {code or type(error).__name__}", sent=False, for_good=for_good)


def _enhanced(told: Any) -> str:
    """The enhanced status code (RFC 3463) of an answer; its prose may repeat addresses."""
    words = bytes(told).decode("ascii", "replace").split()
    return f" {words[0]}" if words and words[0].replace(".", "").isdecimal() else ""
