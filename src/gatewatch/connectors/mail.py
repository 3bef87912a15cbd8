"""Mail through a submission server: text and HTML of the same words, answers as links."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Any, ClassVar
from urllib.parse import urlsplit

from gatewatch.connectors.coded import CodedConnector
from gatewatch.connectors.definition import OptionField, SecretField
from gatewatch.connectors.judging import no_answer
from gatewatch.connectors.reach import Reach, Requirements
from gatewatch.egress.addresses import is_loopback
from gatewatch.egress.errors import EgressError
from gatewatch.egress.mail import MailServer
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

__all__ = ["Mail"]

_PORTS = {"smtp": 587, "smtps": 465}
_MOST_RECIPIENTS = 100
_BUTTON = (
    "display:inline-block;margin:4px 8px 4px 0;padding:8px 16px;border:1px solid #245;border-radius:4px;"
    "text-decoration:none"
)


class Mail(CodedConnector):
    """`smtp://` asks for STARTTLS and goes without TLS to this machine only, or with `insecure`; `smtps://` is TLS."""

    meta: ClassVar[ConnectorMeta] = ConnectorMeta(
        id="mail",
        title="E-mail (SMTP)",
        description=(
            "Sends mail through a submission server: `smtp://host:587` with STARTTLS, `smtps://host:465` with TLS from "
            "the first octet. The Message-ID is made of the key. Mail can't be read back: when the connection breaks "
            "between the message and the server's answer, the outcome stays unknown."
        ),
        references=("RFC 5321", "RFC 5322", "RFC 6409", "RFC 8314"),
        actions=(
            ActionMeta(
                id="send",
                title="Send a mail",
                description="The HTML part is made of the text, so nothing in it can become markup.",
                inputs=(
                    ActionInput(
                        name="to", type="array", required=True, description="Addresses.", example=["soc@example.org"]
                    ),
                    ActionInput(name="cc", type="array", description="Addresses.", example=["lead@example.org"]),
                    ActionInput(
                        name="subject", required=True, description="One line.", example="High - Credential stuffing"
                    ),
                    ActionInput(name="text", required=True, description="The words.", example="Block the addresses?"),
                    ActionInput(
                        name="options",
                        type="array",
                        description="Answers to choose from; objects with title and url, which become links.",
                        example=[{"title": "Block", "url": "https://gatewatch.example/approvals/1?answer=block"}],
                    ),
                    ActionInput(
                        name="importance",
                        description="As readers show it.",
                        choices=("high", "normal", "low"),
                        example="high",
                    ),
                ),
                outputs=(
                    ActionInput(
                        name="message_id", description="Of the mail.", example="<gatewatch.run-1.ask@example.org>"
                    ),
                    ActionInput(
                        name="refused", type="object", description="Recipients that the server refused.", example={}
                    ),
                ),
            ),
        ),
    )
    requirements: ClassVar[Requirements] = Requirements(
        secrets=(SecretField(name="password", description="Password of the user.", required=False),),
        options=(
            OptionField(name="sender", description="Address of the sender.", required=True, pattern=r"[^@\s]+@[^@\s]+"),
            OptionField(name="user", description="User of the server; without one nobody signs in."),
        ),
        hosts_of=lambda address: [urlsplit(address).hostname or ""],
    )

    def __init__(self, reach: Reach, *, clock: Callable[[], float] = time.time) -> None:
        """Raises ConfigurationError."""
        self._reach, self._clock = reach, clock
        self._server()

    def perform(self, call: ActionCall) -> ActionResult:
        """See Connector.perform."""
        message, recipients = self._message(call)
        user = self._reach.options["user"]
        try:
            login = (user, self._reach.secret("password")) if user else None
            done = self._server().submit(
                self._reach.options["sender"], recipients, message.as_bytes(policy=SMTP), login=login
            )
        except EgressError as error:
            return no_answer(error, changes=True, repeatable=False)
        except ConfigurationError as error:
            raise ConnectorError(f"{call.connection}: {error.message}", cure=error.cure) from error
        values = {"message_id": str(message["message-id"]), "refused": done.refused}
        return ActionResult(outcome=Outcome.SUCCEEDED, values=values)

    def read_back(self, call: ActionCall) -> ActionResult:
        """Mail can't be read back."""
        return ActionResult(outcome=Outcome.UNKNOWN, error=f"{call.action} can't be read back")

    def close(self) -> None:
        """Nothing stays open."""

    def _server(self) -> MailServer:
        settings, address = self._reach.settings, self._reach.address()
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            host, port = "", 0
        if not host or not port or parts.scheme not in _PORTS:
            raise ConfigurationError(f"connection {self._reach.name}: url is not smtp://host:port or smtps://host:port")
        plain = settings.insecure or is_loopback(host)
        tls = "tls" if parts.scheme == "smtps" else ("none" if plain and not settings.ca_file else "starttls")
        return MailServer(
            self._reach.guard(address),
            host=host,
            port=port,
            tls=tls,
            ca_file=settings.ca_file,
            timeout_s=settings.timeout_s,
        )

    def _message(self, call: ActionCall) -> tuple[EmailMessage, list[str]]:
        given, sender = call.inputs, self._reach.options["sender"]
        to, cc = _addresses(given["to"]), _addresses(given.get("cc") or [])
        if not to or len(to) + len(cc) > _MOST_RECIPIENTS:
            raise ConnectorError(f"{call.connection}: a mail has 1 to {_MOST_RECIPIENTS} recipients")
        message = EmailMessage(policy=SMTP)
        message["from"], message["to"] = _addresses([sender]), to
        if cc:
            message["cc"] = cc
        message["subject"] = _one_line(given["subject"])
        message["date"] = formatdate(self._clock())
        domain = sender.rpartition("@")[2]
        message["message-id"] = f"<gatewatch.{call.key.replace(':', '=')}@{domain}>"
        message["auto-submitted"] = "auto-generated"
        if given.get("importance"):
            message["importance"] = given["importance"]
        options = _options(given.get("options") or [])
        message.set_content(_plain(given["text"], options))
        message.add_alternative(_marked_up(given["text"], options), subtype="html")
        return message, [address.addr_spec for address in (*to, *cc)]


def _addresses(given: list[Any]) -> tuple[Address, ...]:
    try:
        return tuple(Address(addr_spec=str(one).strip()) for one in given)
    except (ValueError, IndexError, MessageError) as error:
        raise ConnectorError("one of the recipients is not a mail address") from error


def _one_line(text: str) -> str:
    """A subject that is only itself.

    The library decodes what looks like an encoded word (RFC 2047) and, before Python 3.11.10 and 3.12.5, sends the line
    breaks in it as they are (CVE-2024-6923): an incident that is named so would write headers and the mail itself.
    """
    visible = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(visible.split()).replace("=?", "= ?")


def _options(given: list[Any]) -> list[tuple[str, str]]:
    found = []
    for one in given:
        url = str(one.get("url", "")) if isinstance(one, dict) else ""
        if not url.startswith(("https://", "http://")) or any(sign.isspace() for sign in url):
            raise ConnectorError("an option is an object with a title and an http(s) url")
        found.append((" ".join(str(one.get("title", "")).split()) or url, url))
    return found


def _plain(text: str, options: list[tuple[str, str]]) -> str:
    return "\n".join([text, *([""] if options else []), *(f"{title}: {url}" for title, url in options)]) + "\n"


def _marked_up(text: str, options: list[tuple[str, str]]) -> str:
    words = "".join(f"<p>{html.escape(line)}</p>\n" for line in text.splitlines() if line.strip())
    links = "".join(
        f'<a href="{html.escape(url, quote=True)}" style="{_BUTTON}">{html.escape(title)}</a>\n'
        for title, url in options
    )
    return f"<!doctype html>\n<html><body>\n{words}{links}</body></html>\n"
