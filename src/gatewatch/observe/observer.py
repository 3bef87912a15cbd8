"""Transaction in, observation out. Payload and credentials end here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from gatewatch.knowledge.word_lists import words
from gatewatch.model.observation import (
    Actor,
    ActorKind,
    AuthScheme,
    Evidence,
    IndicatorHit,
    InformationHit,
    Location,
    Observation,
)
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Headers, Transaction
from gatewatch.observe.bodies import Body, decode_body, media_type
from gatewatch.observe.client_address import ClientAddresses
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities, Identity
from gatewatch.observe.leaves import Cuts, Leaf, safe_name
from gatewatch.observe.login import Login, read_login
from gatewatch.observe.matching import Matcher
from gatewatch.observe.normalising import normalise
from gatewatch.observe.parameters import Parameters
from gatewatch.observe.pattern import MatchValue
from gatewatch.observe.response_shape import shape_of
from gatewatch.observe.templates.template_set import PathMatch, TemplateSet, normal_host
from gatewatch.observe.user_agents import family

__all__ = ["Observer", "Parsed"]

_METHODS = words("http_methods")
_ATTACKED_HEADERS = words("attacked_headers")
_CONTENT_TYPES = words("media_types")
_NO_HEADERS: dict[str, str] = {}
_MAX_ID = 256
_REMEMBERED = 16_384
_DISGUISED = (b"\\", b"%", b"&")
_MAX_SEVERITY_SIZE = (1 << 63) - 1


class Parsed:
    """Everything read from one transaction; lives as long as one call and holds payload."""

    __slots__ = ("cuts", "headers", "host", "match", "query", "request", "response", "response_headers")

    cuts: Cuts
    headers: dict[str, str]
    response_headers: dict[str, str]
    host: str
    query: list[tuple[str, str]]
    request: Body
    response: Body
    match: PathMatch


class Observer:
    """One per process; not thread-safe. `observe` never raises on any transaction that a source can give."""

    def __init__(self, settings: ObserveSettings, key: bytes) -> None:
        """`key`: 16 to 64 octets for fingerprints."""
        self._settings = settings
        self._limits = settings.limits
        self._fingerprint = Fingerprinter(key)
        self._addresses = ClientAddresses(settings.trusted_proxies, settings.internal_networks)
        self._identities = Identities(settings, self._fingerprint)
        self._parameters = Parameters(settings.limits, self._fingerprint, self._identities)
        self._matcher = Matcher()
        self._names: dict[str, str] = {}
        self._header_answers: dict[tuple[str, str], list[IndicatorHit]] = {}

    def observe(self, transaction: Transaction, source: str, templates: TemplateSet) -> Observation:
        """The observation of one transaction."""
        parsed = self.parse(transaction, templates)
        client_ip, external = self._addresses.resolve(transaction.client_ip, parsed.headers)
        identity = self.identify(transaction, parsed)
        login = self.login(transaction, parsed, identity)
        text = _searchable(transaction, parsed.request.data)
        attacked, informing = self._matcher.may_attack(text), self._matcher.may_inform(text)
        values = self.request_values(transaction, parsed) if attacked or informing else []
        indicators = (*self._header_hits(parsed.headers), *(self.indicators(parsed, values) if attacked else ()))
        information = self.information(parsed, values if informing else [])
        match = parsed.match
        media = media_type(parsed.response_headers)
        return Observation(
            ts=transaction.ts,
            id=transaction.id[:_MAX_ID],
            source=source,
            path_id=match.path_id,
            method=_method(transaction.method),
            host=parsed.host,
            template=match.template,
            template_reason=match.reason.value,
            operation=parsed.request.operation,
            status=transaction.status,
            latency_ms=-1.0 if transaction.latency_ms is None else transaction.latency_ms,
            request_size=_size(transaction.request_size, transaction.request_body, parsed.headers),
            response_size=_size(transaction.response_size, transaction.response_body, parsed.response_headers),
            evidence=_evidence(transaction),
            actor_kind=identity.actor.kind if identity.actor else ActorKind.ADDRESS,
            actor_id=identity.actor.id if identity.actor else client_ip,
            client_ip=client_ip,
            external=external,
            content_type=media if media in _CONTENT_TYPES or not media else "other",
            response_shape=shape_of(parsed.response.content),
            response_signals=self.signals(transaction, parsed, values, indicators),
            cut=tuple(sorted(parsed.cuts.names)),
            parameters=self._parameters.of(parsed.match.values, parsed.query, parsed.request.leaves, parsed.cuts),
            information=information,
            indicators=indicators,
            **self._who(parsed, identity),
            **self._login_columns(login),
        )

    def _who(self, parsed: Parsed, identity: Identity) -> dict[str, Any]:
        """Credential and user agent as columns."""
        agent = parsed.headers.get("user-agent", "")
        return {
            "auth_scheme": identity.scheme,
            "credential": identity.credential,
            "auth_issuer": identity.issuer,
            "auth_algorithm": identity.algorithm,
            "auth_expires": identity.expires,
            "user_agent": family(agent),
            "user_agent_value": self._fingerprint(agent) if agent else 0,
        }

    def _login_columns(self, login: Login | None) -> dict[str, Any]:
        if login is None:
            return {}
        return {
            "login_attempt": True,
            "login_user": self._fingerprint(login.user) if login.user else 0,
            "login_secret": self._fingerprint(login.secret) if login.secret else 0,
        }

    def parse(self, transaction: Transaction, templates: TemplateSet) -> Parsed:
        """Headers, query, bodies, template."""
        parsed = Parsed()
        parsed.cuts = Cuts(set())
        parsed.headers = self._headers(transaction.request_headers, parsed.cuts)
        parsed.response_headers = self._headers(transaction.response_headers, parsed.cuts)
        parsed.host = normal_host(transaction.host or parsed.headers.get("host", ""))
        parsed.query = _query(transaction.query, self._limits.members, parsed.cuts)
        if transaction.truncated:
            parsed.cuts.add("source")
        parsed.request = self._body(transaction.request_body, parsed.headers, parsed.cuts, "request_body")
        parsed.response = self._body(transaction.response_body, parsed.response_headers, parsed.cuts, "response_body")
        if not parsed.request.operation and (document := dict(parsed.query).get("query", "")):
            parsed.request.operation = _query_operation(document)
        parsed.match = templates.match(
            _method(transaction.method),
            parsed.host,
            transaction.path,
            operation=parsed.request.operation,
            status=transaction.status,
            hint=transaction.route_hint,
        )
        return parsed

    def _headers(self, lines: Headers | None, cuts: Cuts) -> dict[str, str]:
        if not lines:
            return _NO_HEADERS
        if len(lines) > self._limits.header_lines:
            cuts.add("headers")
            lines = lines[: self._limits.header_lines]
        names = self._names
        found: dict[str, str] = {}
        for name, value in lines:
            lower = names.get(name)
            if lower is None:
                if len(names) > 4096:
                    names.clear()
                lower = names[name] = name.lower()
            if lower not in found:
                found[lower] = value
            elif lower in ("x-forwarded-for", "cookie", "forwarded"):
                found[lower] += ("; " if lower == "cookie" else ", ") + value
        return found

    def _body(self, data: bytes | None, headers: dict[str, str], cuts: Cuts, side: str) -> Body:
        if not data:
            return Body()
        if len(data) > self._limits.body_bytes:
            data = data[: self._limits.body_bytes]
            cuts.add(side)
        # A response is flattened only when its text holds a candidate of some information type.
        return decode_body(data, headers, self._limits, cuts, side=side, leaves=side == "request_body")

    def identify(self, transaction: Transaction, parsed: Parsed) -> Identity:
        """Who calls."""
        return self._identities.identify(
            parsed.headers,
            parsed.query,
            consumer=transaction.consumer,
            user=transaction.user,
            certificate=transaction.client_certificate,
        )

    def login(self, transaction: Transaction, parsed: Parsed, identity: Identity) -> Login | None:
        """The login attempt, if the call is one."""
        found = read_login(
            _method(transaction.method), transaction.path, parsed.request.leaves, parsed.request.operation
        )
        if found is None and identity.scheme is AuthScheme.BASIC and identity.login_user:
            return Login(identity.login_user.strip().lower(), identity.login_secret)
        return found

    def request_values(self, transaction: Transaction, parsed: Parsed) -> list[MatchValue]:
        """Every value of the request that patterns look at, normalised."""
        longest = self._limits.value_chars
        values = [_value(Location.REQUEST_PATH, "path", transaction.path, longest)]
        values += [_value(Location.REQUEST_PATH, name, raw, longest) for name, _, raw in parsed.match.values]
        values += [
            MatchValue(Location.REQUEST_QUERY, safe_name(name), normalise(value[:longest]), value[:longest])
            for name, value in parsed.query
        ]
        values += [_leaf_value(leaf, longest) for leaf in parsed.request.leaves if leaf.kind == "string"]
        return values

    def indicators(self, parsed: Parsed, values: Sequence[MatchValue]) -> tuple[IndicatorHit, ...]:
        """Attack patterns in path, query and body."""
        names = [MatchValue(Location.REQUEST_QUERY, name[:128], "", "") for name, _ in parsed.query if "$" in name]
        return tuple(self._matcher.indicators([*values, *names]))

    def _header_hits(self, headers: dict[str, str]) -> list[IndicatorHit]:
        """Attack patterns in headers; the same few values come again and again, so answers are remembered."""
        found: list[IndicatorHit] = []
        for name in _ATTACKED_HEADERS & headers.keys():
            key = (name, headers[name])
            hits = self._header_answers.get(key)
            if hits is None:
                if len(self._header_answers) >= _REMEMBERED:
                    self._header_answers.clear()
                value = _value(Location.REQUEST_HEADER, name, headers[name], self._limits.value_chars)
                hits = self._header_answers[key] = self._matcher.indicators([value])
            found += hits
        return found

    def information(self, parsed: Parsed, values: Sequence[MatchValue]) -> tuple[InformationHit, ...]:
        """Information types of request (path, query, body) and response body."""
        looked_at = [value for value in values if value.name != "path"]
        found = self._matcher.information(looked_at) if looked_at else []
        if parsed.response.data and self._matcher.may_inform(parsed.response.data):
            leaves = parsed.response.leaves or self._response_leaves(parsed)
            longest = self._limits.value_chars
            found += self._matcher.information(
                [
                    MatchValue(Location.RESPONSE_BODY, leaf.path, leaf.value[:longest], "")
                    for leaf in leaves
                    if leaf.kind in ("string", "int")
                ]
            )
        return tuple(found)

    def _response_leaves(self, parsed: Parsed) -> list[Leaf]:
        return decode_body(
            parsed.response.data,
            {"content-type": parsed.response_headers.get("content-type", "")},
            self._limits,
            parsed.cuts,
            side="response_body",
        ).leaves

    def signals(
        self, transaction: Transaction, parsed: Parsed, values: Sequence[MatchValue], indicators: Sequence[IndicatorHit]
    ) -> tuple[str, ...]:
        """Signs in the response that an attack worked."""
        if not parsed.response.data:
            return ()
        places = {(hit.location, hit.name) for hit in indicators}
        attacked = [value for value in values if (value.location, value.name) in places]
        if not attacked and not self._matcher.may_leak(parsed.response.data):
            return ()
        text = parsed.response.data[: self._limits.body_bytes].decode("utf-8", "replace")
        return self._matcher.response_signals(text, transaction.status, attacked)


def _searchable(transaction: Transaction, body: bytes) -> bytes:
    """The request's text for the prefilter, disguises undone; patterns that find nothing here find nothing at all."""
    line = f"{transaction.path}\x1f{transaction.query}"
    head = normalise(line, plus_is_space=True).encode("utf-8", "replace")
    if not body:
        return head
    if not body.isascii() or any(mark in body for mark in _DISGUISED):
        body = normalise(body.decode("utf-8", "replace"), plus_is_space=b"%" in body).encode("utf-8", "replace")
    return head + b"\x1f" + body


def _method(method: str) -> str:
    upper = method.upper()
    return upper if upper in _METHODS else "_OTHER"


def _value(location: Location, name: str, raw: str, longest: int) -> MatchValue:
    raw = raw[:longest]
    return MatchValue(location, name, normalise(raw), raw)


def _leaf_value(leaf: Leaf, longest: int) -> MatchValue:
    raw = leaf.value[:longest]
    return MatchValue(Location.REQUEST_BODY, leaf.path, normalise(raw), raw)


def _query(text: str, members: int, cuts: Cuts) -> list[tuple[str, str]]:
    if not text:
        return []
    pairs = text.split("&")
    if len(pairs) > members:
        cuts.add("members")
        pairs = pairs[:members]
    return parse_qsl("&".join(pairs), keep_blank_values=True, errors="replace")


def _query_operation(document: str) -> str:
    from gatewatch.observe.graphql_body import looks_like_graphql, operation  # noqa: PLC0415 - GET GraphQL is rare

    return operation(document) if looks_like_graphql(document) else ""


def _size(declared: int | None, body: bytes | None, headers: dict[str, str]) -> int:
    if declared is not None:
        return min(max(0, declared), _MAX_SEVERITY_SIZE)
    length = headers.get("content-length", "")
    if length.isdecimal() and length.isascii():
        return min(int(length[:20]), _MAX_SEVERITY_SIZE)
    return len(body) if body else 0


_PATH, _ADDRESS, _AGENT = int(Evidence.PATH), int(Evidence.CLIENT_ADDRESS), int(Evidence.USER_AGENT)
_CREDENTIALS = int(Evidence.REQUEST_HEADERS | Evidence.IDENTITY)


def _evidence(transaction: Transaction) -> int:
    bits = _PATH | (_ADDRESS if transaction.client_ip else 0)
    if transaction.request_headers is not None:
        bits |= _AGENT
        if transaction.user or _whole_headers(transaction.request_headers):
            bits |= _CREDENTIALS
    for present, bit in (
        (transaction.consumer or transaction.client_certificate, Evidence.IDENTITY),
        (transaction.response_headers is not None, Evidence.RESPONSE_HEADERS),
        (transaction.request_body is not None, Evidence.REQUEST_BODY),
        (transaction.response_body is not None, Evidence.RESPONSE_BODY),
        (transaction.route_hint, Evidence.ROUTE),
        (transaction.latency_ms is not None, Evidence.LATENCY),
        (transaction.request_size is not None or transaction.response_size is not None, Evidence.SIZES),
    ):
        if present:
            bits |= bit.value
    return bits


_LOG_HEADERS = frozenset({"referer", "user-agent"})


def _whole_headers(headers: Headers) -> bool:
    """Access logs carry only Referer and User-Agent: no credential could show there."""
    return any(name.lower() not in _LOG_HEADERS for name, _ in headers)


def actor_of(identity: Identity, client_ip: str) -> Actor:
    """The actor that `observe` stores."""
    return identity.actor or Actor(ActorKind.ADDRESS, client_ip)
