"""Who calls: the credential becomes a keyed fingerprint, the subject is what a person sees."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from gatewatch.model.observation import Actor, ActorKind, AuthScheme
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.credentials import is_blank, is_key, is_session_cookie, query_signer, signer
from gatewatch.observe.fingerprint import Fingerprinter

__all__ = ["Identities", "Identity"]

_REMEMBERED = 50_000
_MAX_SUBJECT = 128
_SUBJECT = re.compile(r"[\w.@:+|/ \-=,]{1,128}")
_SUBJECT_CLAIMS = (
    "sub",
    "preferred_username",
    "username",
    "user_name",
    "upn",
    "email",
    "client_id",
    "azp",
    "appid",
    "uid",
)
_JWT = re.compile(r"^eyJ[\w-]+\.[\w-]*\.[\w-]*$", re.ASCII)
_MAX_EXP = 1 << 40
_XFCC_SUBJECT = re.compile(r'Subject="([^"]{1,512})"')
_COMMON_NAME = re.compile(r"(?:^|[,/ ])CN\s*=\s*([^,/]+)", re.IGNORECASE)
_JSON = msgspec.json.Decoder()
_TICKETS = frozenset({"negotiate", "ntlm", "kerberos"})
"""Schemes whose value is new in every call and names nobody in the clear (RFC 4559)."""
_SIGNATURES = (
    "x-hub-signature-256",
    "x-hub-signature",
    "x-slack-signature",
    "stripe-signature",
    "x-shopify-hmac-sha256",
    "x-twilio-signature",
    "webhook-signature",
    "svix-signature",
    "x-line-signature",
    "x-signature",
)
"""Headers by which senders of webhooks prove that they know the shared secret: a credential that names nobody."""


class Identity(msgspec.Struct, frozen=True, gc=False):
    """What the credentials of one call say."""

    scheme: AuthScheme = AuthScheme.NONE
    actor: Actor | None = None
    credential: int = 0
    issuer: str = ""
    algorithm: str = ""
    expires: int = 0
    login_user: str = ""
    """User name of Basic credentials, for login detection; in memory only."""
    login_secret: str = ""


_NOBODY = Identity()


class Identities:
    """Reads credentials. Never raises; remembers a bounded number of answers by credential.

    Precedence, strongest statement first: verified client certificate, the gateway's consumer, Authorization header,
    API key header, session cookie, API key in the query, user name of an access log.
    """

    def __init__(self, settings: ObserveSettings, fingerprint: Fingerprinter) -> None:
        """Header and cookie names are matched without regard to case."""
        self._fingerprint = fingerprint
        self._key_headers = tuple(name.lower() for name in settings.api_key_headers)
        self._key_parameters = frozenset(name.lower() for name in settings.api_key_parameters)
        self._cookies = frozenset(name.lower() for name in settings.session_cookies)
        self._certificate_headers = tuple(name.lower() for name in settings.certificate_headers)
        self._consumer_headers = tuple(name.lower() for name in settings.consumer_headers)
        self._telling_headers = frozenset((*self._key_headers, *_SIGNATURES))
        self._answers: dict[int, Identity] = {}

    def is_key_parameter(self, name: str) -> bool:
        """Whether a query parameter holds an API key by its name."""
        return name.lower() in self._key_parameters

    def is_credential_header(self, name: str) -> bool:
        """Whether a header (lower case) says who calls."""
        return name in self._key_headers or name in self._certificate_headers or name in self._consumer_headers

    def identify(
        self,
        headers: Mapping[str, str],
        query: list[tuple[str, str]],
        *,
        consumer: str | None,
        user: str | None,
        certificate: str | None,
    ) -> Identity:
        """The best identity; scheme NONE when the call carries no credential at all."""
        if certificate:
            return self._named(AuthScheme.MTLS, ActorKind.CERTIFICATE, _common_name(certificate), certificate)
        for name in self._certificate_headers:
            if value := headers.get(name):
                return self._certificate(value)
        consumer = consumer or next((v for name in self._consumer_headers if (v := headers.get(name))), None)
        found = self._from_headers(headers) or self._from_query(query)
        if consumer:
            named = self._named(AuthScheme.CONSUMER, ActorKind.CONSUMER, consumer, consumer)
            return msgspec.structs.replace(found, actor=named.actor) if found else named
        if found is None and user:
            return self._named(AuthScheme.OTHER, ActorKind.SUBJECT, user, user)
        return found or _NOBODY

    def everyone(self, headers: Mapping[str, str], query: list[tuple[str, str]]) -> tuple[Actor, ...]:
        """Whoever a call says that it is from, by any of its credentials and not by the strongest alone.

        For what refuses calls: somebody who is contained could else hide behind one credential more.
        """
        found = [self._certificate(value) for value in _given(headers, self._certificate_headers)]
        consumers = _given(headers, self._consumer_headers)
        found += [self._named(AuthScheme.CONSUMER, ActorKind.CONSUMER, name, name) for name in consumers]
        found += [self._remembered("a", value, self._authorization) for value in _given(headers, ("authorization",))]
        keys = [value for name, value in query if self._is_key(name, value)]
        keys += _given(headers, self._key_headers)
        found += [self._remembered("k", value, self._api_key) for value in keys]
        if named := query_signer(query):
            found.append(self._signed("key", named, named))
        found += [self._cookie(part) for part in headers.get("cookie", "").split(";")]
        return tuple(dict.fromkeys(one.actor for one in found if one.actor is not None))

    def _from_headers(self, headers: Mapping[str, str]) -> Identity | None:
        if value := headers.get("authorization"):
            found = self._remembered("a", value, self._authorization)
            if found.scheme is not AuthScheme.NONE:
                return found
        if not self._telling_headers.isdisjoint(headers):
            for name in self._key_headers:
                if (value := headers.get(name)) and not is_blank(value):
                    return self._remembered("k", value, self._api_key)
            for name in _SIGNATURES:
                if value := headers.get(name):
                    return Identity(scheme=AuthScheme.OTHER, credential=self._fingerprint(value))
        if value := headers.get("cookie"):
            found = self._remembered("c", value, self._cookie)
            if found.scheme is not AuthScheme.NONE:
                return found
        return None

    def _from_query(self, query: list[tuple[str, str]]) -> Identity | None:
        for name, value in query:
            if self._is_key(name, value):
                return self._remembered("k", value, self._api_key)
        named = query_signer(query) if query else ""
        return self._signed("key", named, named) if named else None

    def _is_key(self, name: str, value: str) -> bool:
        lower = name.lower()
        return bool(value) and lower in self._key_parameters and is_key(lower, value)

    def _remembered(self, kind: str, value: str, read: Any) -> Identity:
        # SipHash under this process's key: no credential stays in memory, and nobody can make two of them meet.
        key = hash((kind, value))
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            found = self._answers[key] = read(value)
        return found

    def _certificate(self, value: str) -> Identity:
        subject = match.group(1) if (match := _XFCC_SUBJECT.search(value)) else value
        return self._named(AuthScheme.MTLS, ActorKind.CERTIFICATE, _common_name(unquote(subject)), value)

    def _named(self, scheme: AuthScheme, kind: ActorKind, name: str, credential: str) -> Identity:
        number = self._fingerprint(credential)
        return Identity(scheme=scheme, actor=_actor(kind, name, number), credential=number)

    def _authorization(self, value: str) -> Identity:
        scheme, _, rest = value.strip().partition(" ")
        rest = rest.strip()
        kind = scheme.lower()
        if kind in ("bearer", "dpop", "jwt", "token"):
            return self._token(_unwrapped(rest)) if rest and not is_blank(rest) else _NOBODY
        if kind == "basic":
            return self._basic(rest)
        if not scheme or is_blank(value):
            return _NOBODY
        if not rest:
            return self._token(scheme)
        return self._signed(*signer(kind, rest), value, kind)

    def _signed(self, what: str, name: str, value: str, scheme: str = "") -> Identity:
        """Who signed a request, by name where it gives one: each call has another signature."""
        number = self._fingerprint(f"{scheme} {name}" if name else value)
        if scheme in _TICKETS:
            return Identity(scheme=AuthScheme.OTHER, credential=number)
        actor = _actor(ActorKind.SUBJECT, name if what == "user" else "", number)
        return Identity(scheme=AuthScheme.OTHER, actor=actor, credential=number)

    def _token(self, token: str) -> Identity:
        number = self._fingerprint(token)
        if not _JWT.match(token):
            return Identity(scheme=AuthScheme.BEARER, actor=_actor(ActorKind.KEY, "", number), credential=number)
        header, claims = _jwt_parts(token)
        subject = next((str(claims[name]) for name in _SUBJECT_CLAIMS if isinstance(claims.get(name), str | int)), "")
        expires = claims.get("exp")
        return Identity(
            scheme=AuthScheme.JWT,
            actor=_actor(ActorKind.SUBJECT, subject, number),
            credential=number,
            issuer=_shown(claims.get("iss")),
            algorithm=_shown(header.get("alg"))[:16],
            expires=int(expires) if isinstance(expires, int | float) and 0 < expires < _MAX_EXP else 0,
        )

    def _basic(self, encoded: str) -> Identity:
        try:
            user, _, password = b64decode(encoded, validate=True).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            user, password = "", ""
        number = self._fingerprint(encoded)
        actor = _actor(ActorKind.SUBJECT, user, number)
        return Identity(
            scheme=AuthScheme.BASIC,
            actor=actor,
            credential=number,
            login_user=user[:_MAX_SUBJECT],
            login_secret=password,
        )

    def _api_key(self, value: str) -> Identity:
        if _JWT.match(value):
            return self._token(value)
        number = self._fingerprint(value)
        return Identity(scheme=AuthScheme.API_KEY, actor=_actor(ActorKind.KEY, "", number), credential=number)

    def _cookie(self, header: str) -> Identity:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            value = value.strip('"')
            if not value:
                continue
            lower = name.lower()
            if lower in self._cookies or (not _JWT.match(value) and is_session_cookie(lower, value)):
                number = self._fingerprint(value)
                return Identity(
                    scheme=AuthScheme.SESSION, actor=_actor(ActorKind.SESSION, "", number), credential=number
                )
            if _JWT.match(value):
                return msgspec.structs.replace(self._token(value), scheme=AuthScheme.SESSION)
        return _NOBODY


def _given(headers: Mapping[str, str], names: Iterable[str]) -> list[str]:
    return [value for name in names if (value := headers.get(name))]


def _actor(kind: ActorKind, name: str, number: int) -> Actor:
    """The named actor when the name is fit to be shown, else the credential's fingerprint."""
    if name and len(name) <= _MAX_SUBJECT and _SUBJECT.fullmatch(name):
        return Actor(kind, name)
    return Actor(ActorKind.SESSION if kind is ActorKind.SESSION else ActorKind.KEY, f"{number:016x}")


def _unwrapped(token: str) -> str:
    """`token="…"` as Rails writes it."""
    name, _, inner = token.partition('="')
    return inner.rstrip('"') if name == "token" and inner else token


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return text if len(text) <= _MAX_SUBJECT and _SUBJECT.fullmatch(text) else ""


def _common_name(subject: str) -> str:
    match = _COMMON_NAME.search(subject)
    return match.group(1).strip() if match else subject


def _jwt_parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims without verifying: the gateway verifies, we describe."""
    parts: list[dict[str, Any]] = []
    for part in token.split(".")[:2]:
        try:
            decoded = _JSON.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (binascii.Error, ValueError, msgspec.DecodeError):
            decoded = {}
        parts.append(decoded if isinstance(decoded, dict) else {})
    return parts[0], parts[1]
