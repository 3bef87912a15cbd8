"""Transaction in, observation out. Payload and credentials end here."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.knowledge.word_lists import words
from gatewatch.model.observation import Actor, ActorKind, AuthScheme, Evidence, Observation, Parameter
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Headers, Transaction
from gatewatch.observe.bodies import media_type
from gatewatch.observe.client_address import ClientAddresses
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities, Identity
from gatewatch.observe.login import Login, read_login
from gatewatch.observe.login_outcome import SIGNAL, refused
from gatewatch.observe.parameters import Parameters
from gatewatch.observe.parsing import Parsed, Parser
from gatewatch.observe.response_shape import shape_of
from gatewatch.observe.scanning import Scan, Scanning
from gatewatch.observe.templates.template_set import TemplateSet
from gatewatch.observe.user_agents import family

__all__ = ["BATCH", "Observer"]

_CONTENT_TYPES = words("media_types")
_MAX_ID = 256
_MAX_SIZE = (1 << 63) - 1
BATCH = 64
"""Transactions that go through the stages together. One at a time every stage finds the processor's caches full of the
others: 67 us a transaction against 47 us by 64, with no more to gain up to 256 (measured on benchmarks/pipeline.py).
"""


class Observer:
    """One per process; not thread-safe. Never raises on any transaction that a source can give."""

    def __init__(self, settings: ObserveSettings, key: bytes) -> None:
        """`key`: 16 to 64 octets for fingerprints."""
        self._fingerprint = Fingerprinter(key)
        self._addresses = ClientAddresses(settings.trusted_proxies, settings.internal_networks)
        self._identities = Identities(settings, self._fingerprint)
        self._parameters = Parameters(settings.limits, self._fingerprint, self._identities)
        self._parser = Parser(settings.limits)
        self._scanning = Scanning(settings, self._parser)

    def observe(self, transaction: Transaction, source: str, templates: TemplateSet) -> Observation:
        """The observation of one transaction."""
        return self.observe_all((transaction,), source, templates)[0]

    def observe_all(
        self, transactions: Sequence[Transaction], source: str, templates: TemplateSet
    ) -> list[Observation]:
        """The observations of some transactions, in order; give `BATCH` at a time."""
        block = self._parser.parse(transactions, templates)
        addresses = [self._addresses.resolve(parsed.transaction.client_ip, parsed.headers) for parsed in block]
        identities = [self._identify(parsed) for parsed in block]
        logins = [_login(parsed, identity) for parsed, identity in zip(block, identities, strict=True)]
        scans = self._scanning.scan(block)
        shapes = [shape_of(parsed.response.content) for parsed in block]
        parameters = [
            self._parameters.of(parsed.match.values, parsed.query, parsed.headers, parsed.request.leaves, parsed.cuts)
            for parsed in block
        ]
        parts = zip(block, addresses, identities, logins, scans, shapes, parameters, strict=True)
        return [self._observation(source, *one) for one in parts]

    def parse(self, transaction: Transaction, templates: TemplateSet) -> Parsed:
        """What is read before anything is judged."""
        return self._parser.parse((transaction,), templates)[0]

    def _identify(self, parsed: Parsed) -> Identity:
        transaction = parsed.transaction
        return self._identities.identify(
            parsed.headers,
            parsed.query,
            consumer=transaction.consumer,
            user=transaction.user,
            certificate=transaction.client_certificate,
        )

    def _observation(
        self,
        source: str,
        parsed: Parsed,
        address: tuple[str, bool],
        identity: Identity,
        login: Login | None,
        scan: Scan,
        shape: int,
        parameters: tuple[Parameter, ...],
    ) -> Observation:
        transaction, match, actor = parsed.transaction, parsed.match, identity.actor
        media = media_type(parsed.response_headers)
        agent = parsed.headers.get("user-agent", "")
        return Observation(
            ts=transaction.ts,
            id=transaction.id[:_MAX_ID],
            source=source,
            path_id=match.path_id,
            method=parsed.method,
            host=parsed.host,
            template=match.template,
            template_reason=match.reason.value,
            operation=parsed.request.operation,
            status=transaction.status,
            latency_ms=-1.0 if transaction.latency_ms is None else transaction.latency_ms,
            request_size=_size(transaction.request_size, transaction.request_body, parsed.headers),
            response_size=_size(transaction.response_size, transaction.response_body, parsed.response_headers),
            evidence=_evidence(transaction),
            actor_kind=actor.kind if actor else ActorKind.ADDRESS,
            actor_id=actor.id if actor else address[0],
            auth_scheme=identity.scheme,
            credential=identity.credential,
            auth_issuer=identity.issuer,
            auth_algorithm=identity.algorithm,
            auth_expires=identity.expires,
            client_ip=address[0],
            external=address[1],
            user_agent=family(agent),
            user_agent_value=self._number(agent),
            login_attempt=login is not None,
            login_user=self._number(login.user) if login else 0,
            login_secret=self._number(login.secret) if login else 0,
            content_type=media if media in _CONTENT_TYPES or not media else "other",
            response_shape=shape,
            response_signals=(*scan.signals, SIGNAL) if login and _refused(parsed, login) else scan.signals,
            cut=tuple(sorted(parsed.cuts.names)),
            parameters=parameters,
            information=scan.information,
            indicators=scan.indicators,
        )

    def _number(self, text: str) -> int:
        return self._fingerprint(text) if text else 0


def _login(parsed: Parsed, identity: Identity) -> Login | None:
    """The login attempt, if the call is one."""
    found = read_login(parsed.method, parsed.transaction.path, parsed.request.leaves, parsed.request.operation)
    if found is None and identity.scheme is AuthScheme.BASIC and identity.login_user:
        return Login(identity.login_user.strip().lower(), identity.login_secret, basic=True)
    return found


def _refused(parsed: Parsed, login: Login) -> bool:
    """Whether the answer refuses the login though its status does not."""
    transaction = parsed.transaction
    return not login.basic and refused(transaction.status, transaction.path, parsed.response_headers, parsed.response)


def _size(declared: int | None, body: bytes | None, headers: dict[str, str]) -> int:
    if declared is not None:
        return min(max(0, declared), _MAX_SIZE)
    length = headers.get("content-length", "")
    if length.isdecimal() and length.isascii():
        return min(int(length[:20]), _MAX_SIZE)
    return len(body) if body else 0


_PATH, _ADDRESS, _AGENT = int(Evidence.PATH), int(Evidence.CLIENT_ADDRESS), int(Evidence.USER_AGENT)
_IDENTITY, _ROUTE = int(Evidence.IDENTITY), int(Evidence.ROUTE)
_CREDENTIALS = int(Evidence.REQUEST_HEADERS | Evidence.IDENTITY)
_RESPONSE_HEADERS = int(Evidence.RESPONSE_HEADERS)
_REQUEST_BODY, _RESPONSE_BODY = int(Evidence.REQUEST_BODY), int(Evidence.RESPONSE_BODY)
_LATENCY, _SIZES = int(Evidence.LATENCY), int(Evidence.SIZES)


def _evidence(transaction: Transaction) -> int:
    bits = _PATH | (_ADDRESS if transaction.client_ip else 0)
    if transaction.request_headers is not None:
        bits |= _AGENT
        if transaction.user or _whole_headers(transaction.request_headers):
            bits |= _CREDENTIALS
    if transaction.consumer or transaction.client_certificate:
        bits |= _IDENTITY
    if transaction.response_headers is not None:
        bits |= _RESPONSE_HEADERS
    if transaction.request_body is not None:
        bits |= _REQUEST_BODY
    if transaction.response_body is not None:
        bits |= _RESPONSE_BODY
    if transaction.route_hint:
        bits |= _ROUTE
    if transaction.latency_ms is not None:
        bits |= _LATENCY
    if transaction.request_size is not None or transaction.response_size is not None:
        bits |= _SIZES
    return bits


_LOG_HEADERS = frozenset({"referer", "user-agent"})


def _whole_headers(headers: Headers) -> bool:
    """Access logs carry only Referer and User-Agent: no credential could show there."""
    return any(name.lower() not in _LOG_HEADERS for name, _ in headers)


def actor_of(identity: Identity, client_ip: str) -> Actor:
    """The actor that `observe` stores."""
    return identity.actor or Actor(ActorKind.ADDRESS, client_ip)
