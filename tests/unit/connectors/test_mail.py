"""Mail to a real SMTP server."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.connector_servers import SECRET
from tests.export_servers import authority

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.mail import Mail
from gatewatch.connectors.reach import Reach
from gatewatch.errors import ConfigurationError
from gatewatch.ports.connectors import ActionCall, ActionResult, ConnectorError, Outcome


class Mailbox:
    """Keeps mail; `refusing` recipients, `answer` to a message, and a connection that can break."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.tls: list[bool] = []
        self.envelopes: list[Envelope] = []
        self.refusing: dict[str, str] = {}
        self.answer = "250 taken"
        self.cut = False

    async def rcpt(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refusing:
            return self.refusing[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def data(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.envelopes.append(envelope)
        self.tls.append(session.ssl is not None)
        if self.cut:
            cut: Any = server.transport
            cut.abort()
        return self.answer


for hook, name in {"handle_RCPT": "rcpt", "handle_DATA": "data"}.items():
    setattr(Mailbox, hook, getattr(Mailbox, name))


class Receiver(Controller):
    """On whatever port is free."""

    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mailbox, Controller, str]]:
    monkeypatch.setenv("GW_TEST_SECRET", SECRET)
    trust = authority(tmp_path)
    box = Mailbox()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"bot", SECRET.encode())
        return AuthResult(success=good, handled=False)

    controller = Receiver(
        box,
        hostname="127.0.0.1",
        port=0,
        tls_context=trust.server,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
    )
    controller.start()
    yield box, controller, trust.ca_file
    controller.stop(no_assert=True)


def connector(controller: Controller, ca_file: str, **changes: Any) -> Mail:
    chosen = {
        "name": "mail",
        "connector": "mail",
        "url": f"smtp://127.0.0.1:{controller.port}",
        "secrets": {"password": "env:GW_TEST_SECRET"},
        "options": {"sender": "gatewatch@example.org", "user": "bot"},
        "private_hosts": ("127.0.0.1",),
        "ca_file": ca_file,
        "timeout_s": 60.0,
        **changes,
    }
    return Mail(Reach(ConnectionSettings(**chosen), Mail.requirements), clock=lambda: 1767268800.0)


def send(mail: Mail, **inputs: Any) -> ActionResult:
    given = {"to": ["soc@example.org"], "subject": "Block?", "text": "Two sources <b>tried</b>.", **inputs}
    return mail.perform(ActionCall(connection="mail", action="send", inputs=given, key="run-1:ask"))


SUBJECTS = {
    "=?utf-8?q?a=0d=0aBcc:_eve@example.org=0d=0a=0d=0aSign_in_here?=": (
        "= ?utf-8?q?a=0d=0aBcc:_eve@example.org=0d=0a=0d=0aSign_in_here?="
    ),
    "=?utf-8?b?YQ0KQmNjOiBldmVAZXhhbXBsZS5vcmcNCg==?= x": "= ?utf-8?b?YQ0KQmNjOiBldmVAZXhhbXBsZS5vcmcNCg== ?= x",
    "a\r\nBcc: eve@example.org": "a Bcc: eve@example.org",
    "=\x00?utf-8?q?a=0d=0aB:c?=": "= ?utf-8?q?a=0d=0aB:c?=",
    "Überlauf 漢字": "Überlauf 漢字",
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_writes_nothing_but_the_subject(subject: str, mailbox: tuple[Mailbox, Controller, str]) -> None:
    box, controller, ca_file = mailbox
    assert send(connector(controller, ca_file), subject=subject).outcome is Outcome.SUCCEEDED
    (mail,) = box.mails
    assert (mail["bcc"], str(mail["subject"])) == (None, SUBJECTS[subject])
    assert mail.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("address", ["@", "a@b@c", "a@", "", "a b@c.example", "a@b.example\r\nBcc: c@d.example"])
def test_what_is_no_address_is_told(address: str, mailbox: tuple[Mailbox, Controller, str]) -> None:
    box, controller, ca_file = mailbox
    with pytest.raises(ConnectorError, match="not a mail address"):
        send(connector(controller, ca_file), to=[address])
    assert box.mails == []


def test_mail_with_options(mailbox: tuple[Mailbox, Controller, str]) -> None:
    box, controller, ca_file = mailbox
    options = [
        {"title": "Block & tell", "url": "https://gw.example/a?x=1&y=2"},
        {"title": "Ignore", "url": "https://gw.example/b"},
    ]
    result = send(connector(controller, ca_file), cc=["lead@example.org"], options=options, importance="high")
    assert (result.outcome, result.error) == (Outcome.SUCCEEDED, "")
    assert result.values == {"message_id": "<gatewatch.run-1=ask@example.org>", "refused": {}}
    (mail,) = box.mails
    assert box.tls == [True]
    assert box.envelopes[0].rcpt_tos == ["soc@example.org", "lead@example.org"]
    heads = {name: str(mail[name]) for name in ("from", "to", "cc", "subject", "message-id", "importance", "date")}
    assert heads == {
        "from": "gatewatch@example.org",
        "to": "soc@example.org",
        "cc": "lead@example.org",
        "subject": "Block?",
        "message-id": "<gatewatch.run-1=ask@example.org>",
        "importance": "high",
        "date": "Thu, 01 Jan 2026 12:00:00 -0000",
    }
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == (
        "Two sources <b>tried</b>.\n\nBlock & tell: https://gw.example/a?x=1&y=2\nIgnore: https://gw.example/b\n"
    )
    assert "<p>Two sources &lt;b&gt;tried&lt;/b&gt;.</p>" in html.get_content()
    assert 'href="https://gw.example/a?x=1&amp;y=2"' in html.get_content()


def test_a_connection_that_breaks_after_the_message_leaves_the_outcome_open(
    mailbox: tuple[Mailbox, Controller, str],
) -> None:
    box, controller, ca_file = mailbox
    box.cut = True
    mail = connector(controller, ca_file)
    result = send(mail)
    assert (result.outcome, result.again) == (Outcome.UNKNOWN, False)
    assert len(box.mails) == 1
    call = ActionCall(connection="mail", action="send", inputs={}, key="run-1:ask")
    assert mail.read_back(call).outcome is Outcome.UNKNOWN


def test_what_the_server_refuses(mailbox: tuple[Mailbox, Controller, str]) -> None:
    box, controller, ca_file = mailbox
    mail = connector(controller, ca_file)
    box.refusing = {"gone@example.org": "550 5.1.1 no such user", "full@example.org": "452 4.2.2 full"}
    some = send(mail, to=["soc@example.org", "gone@example.org"])
    assert (some.outcome, some.values["refused"]) == (Outcome.SUCCEEDED, {"gone@example.org": "550 5.1.1"})
    all_ = send(mail, to=["gone@example.org"])
    assert (all_.outcome, all_.again) == (Outcome.FAILED, False)
    later = send(mail, to=["full@example.org"])
    assert (later.outcome, later.again) == (Outcome.FAILED, True)
    box.answer = "451 4.3.0 later"
    assert (send(mail).outcome, send(mail).again) == (Outcome.FAILED, True)
    box.answer = "554 5.7.1 spam"
    refused = send(mail)
    assert (refused.outcome, refused.again, refused.error) == (
        Outcome.FAILED, False, "127.0.0.1 refused the message: 554 5.7.1",
    )  # fmt: skip


def test_wrong_passwords_and_strange_certificates(
    mailbox: tuple[Mailbox, Controller, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    box, controller, ca_file = mailbox
    (tmp_path / "other").mkdir()
    strange = send(connector(controller, authority(tmp_path / "other").ca_file))
    assert (strange.outcome, strange.error) == (
        Outcome.FAILED, "127.0.0.1 did not let us in: SSLCertVerificationError",
    )  # fmt: skip
    monkeypatch.setenv("GW_TEST_SECRET", "wr0ng-password")
    wrong = send(connector(controller, ca_file))
    assert wrong.outcome is Outcome.FAILED
    assert (wrong.error, wrong.again) == ("127.0.0.1 did not let us in: 535", False)
    assert box.mails == []


def test_a_server_without_tls_gets_nothing_when_tls_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GW_TEST_SECRET", SECRET)
    box = Mailbox()
    plain = Receiver(box, hostname="127.0.0.1", port=0)
    plain.start()
    try:
        refused = send(connector(plain, authority(tmp_path).ca_file))
        assert (refused.outcome, refused.again, box.mails) == (Outcome.FAILED, False, [])
        taken = send(connector(plain, "", options={"sender": "gatewatch@example.org"}))
        assert (taken.outcome, box.tls) == (Outcome.SUCCEEDED, [False])
    finally:
        plain.stop(no_assert=True)


def test_a_host_inside_has_to_be_named(mailbox: tuple[Mailbox, Controller, str]) -> None:
    _, controller, ca_file = mailbox
    result = send(connector(controller, ca_file, private_hosts=()))
    assert (result.outcome, result.again) == (Outcome.FAILED, False)
    assert "leads to an address of this machine" in result.error


INJECTIONS: dict[str, dict[str, Any]] = {
    "a recipient with a line break": {"to": ["a@b.example\r\nbcc: evil@x.example"]},
    "a recipient that is none": {"to": ["nobody"]},
    "no recipient": {"to": []},
    "an option that is no link": {"options": [{"title": "x", "url": "javascript:alert(1)"}]},
}


@pytest.mark.parametrize("name", INJECTIONS)
def test_inputs_that_are_refused(mailbox: tuple[Mailbox, Controller, str], name: str) -> None:
    box, controller, ca_file = mailbox
    with pytest.raises(ConnectorError):
        send(connector(controller, ca_file), **INJECTIONS[name])
    assert box.mails == []


def test_a_subject_is_one_line(mailbox: tuple[Mailbox, Controller, str]) -> None:
    box, controller, ca_file = mailbox
    send(connector(controller, ca_file), subject="a\r\nbcc: evil@x.example")
    assert (str(box.mails[0]["subject"]), box.mails[0]["bcc"]) == ("a bcc: evil@x.example", None)


@pytest.mark.parametrize("url", ["mail.example:25", "http://mail.example", "smtp://", "smtp://x:y"])
def test_addresses_that_are_none(url: str) -> None:
    settings = ConnectionSettings(name="m", connector="mail", url=url, options={"sender": "a@b.example"})
    with pytest.raises(ConfigurationError):
        Mail(Reach(settings, Mail.requirements))
