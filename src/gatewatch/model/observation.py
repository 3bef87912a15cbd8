"""What is stored of a transaction: types, counts, positions, labels and keyed fingerprints; no payload, no secret."""

from __future__ import annotations

from enum import IntFlag, StrEnum

import msgspec

__all__ = [
    "NO_PATH",
    "Actor",
    "ActorKind",
    "AuthScheme",
    "Evidence",
    "IndicatorHit",
    "InformationHit",
    "Location",
    "Observation",
    "Parameter",
]

NO_PATH = 0
"""`path_id` of an observation that belongs to no endpoint (the bounded unknown bucket)."""


class Location(StrEnum):
    """Where in a transaction something was found."""

    REQUEST_PATH = "request.path"
    REQUEST_QUERY = "request.query"
    REQUEST_HEADER = "request.header"
    REQUEST_BODY = "request.body"
    RESPONSE_HEADER = "response.header"
    RESPONSE_BODY = "response.body"


class Evidence(IntFlag):
    """What a source carries; a detector says what it needs, and is blind where that is missing."""

    PATH = 1
    """Method, path, query and status."""
    CLIENT_ADDRESS = 2
    REQUEST_HEADERS = 4
    RESPONSE_HEADERS = 8
    REQUEST_BODY = 16
    RESPONSE_BODY = 32
    IDENTITY = 64
    """Credentials or the gateway's consumer can be seen."""
    ROUTE = 128
    LATENCY = 256
    SIZES = 512
    USER_AGENT = 1024


class ActorKind(StrEnum):
    """How sure we are who calls, best first."""

    SUBJECT = "subject"
    """`sub` of a token or a user name."""
    CONSUMER = "consumer"
    """The gateway's name for an authenticated caller."""
    CERTIFICATE = "certificate"
    KEY = "key"
    """Keyed fingerprint of an API key or opaque token."""
    SESSION = "session"
    """Keyed fingerprint of a session cookie."""
    ADDRESS = "address"
    """Nothing better than the client address."""


class AuthScheme(StrEnum):
    """What credential the call carried."""

    NONE = "none"
    JWT = "jwt"
    BEARER = "bearer"
    API_KEY = "api_key"
    BASIC = "basic"
    SESSION = "session"
    MTLS = "mtls"
    CONSUMER = "consumer"
    OTHER = "other"


class Actor(msgspec.Struct, frozen=True, gc=False):
    """Who calls: the best identity the transaction carries."""

    kind: ActorKind
    id: str


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """One input value: where, what it is called, what it looks like; the value itself only as keyed fingerprint."""

    location: Location
    name: str
    """Placeholder name for path positions (`p0`, `p1` … before naming), dotted path with `[]` for body members."""
    type: str
    """Value type: int, float, bool, null, uuid, ulid, hash, date, email, base64, token, string, array, object …"""
    length: int
    """Characters of the value (items of an array)."""
    value: int
    """Keyed fingerprint, unsigned 64 bit; 0 for containers and null."""
    reference: bool = False
    """Looks like a reference to an object (identifier in path, `*_id` in query or body)."""


class InformationHit(msgspec.Struct, frozen=True, gc=False):
    """A validated information type at one place."""

    type: str
    location: Location
    path: str
    count: int = 1


class IndicatorHit(msgspec.Struct, frozen=True, gc=False):
    """An attack pattern seen in one value."""

    class_: str
    """sql_injection, nosql_injection, command_injection, path_traversal, xss, template_injection, xxe, ssrf, log4shell,
    suspicious_user_agent."""
    indicator: str
    """Id of the pattern that decided."""
    location: Location
    name: str
    """Parameter, header or body member."""
    confidence: float
    """0..1."""
    snippet: str = ""
    """Redacted: attack vocabulary and punctuation kept, everything else masked; at most 80 characters."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One observed transaction as the traffic store keeps it. Column for column the table `observations`."""

    ts: float
    """Unix seconds UTC."""
    id: str
    source: str
    path_id: int
    """Unsigned 64 bit id of (method, host, template at time of writing, operation); `NO_PATH` for none."""
    method: str
    host: str
    template: str
    """Template at time of writing; '' with `NO_PATH`. Not stored per row: goes to table `paths`."""
    template_reason: str = "typed_segments"
    """`TemplateReason`; not stored per row either."""
    operation: str = ""
    """GraphQL operation and root fields, gRPC or JSON-RPC method; '' otherwise."""
    status: int
    latency_ms: float = -1.0
    """-1: not carried."""
    request_size: int = 0
    response_size: int = 0
    evidence: int
    """`Evidence` bits that this transaction really carried."""
    actor_kind: ActorKind
    actor_id: str
    auth_scheme: AuthScheme = AuthScheme.NONE
    credential: int = 0
    """Keyed fingerprint of the credential; 0: none."""
    auth_issuer: str = ""
    auth_algorithm: str = ""
    auth_expires: int = 0
    """Unix seconds of a token's `exp`; 0: unknown."""
    client_ip: str
    """Textual address ('::' when unknown); stored as IPv6."""
    external: bool = False
    """The client address is outside the internal networks."""
    user_agent: str = ""
    """Family from the known list (`curl`, `sqlmap`, `Chrome` …), 'other' or ''; never the raw header."""
    user_agent_value: int = 0
    """Keyed fingerprint of the raw header."""
    login_attempt: bool = False
    """The call tries to authenticate somebody (password or one-time code given)."""
    login_user: int = 0
    """Keyed fingerprint of the attempted user name (lower-cased); 0: not seen."""
    login_secret: int = 0
    """Keyed fingerprint of the attempted password; 0: not seen."""
    content_type: str = ""
    """Media type of the response without parameters, from a bounded list or 'other'."""
    response_shape: int = 0
    """Keyed hash of the response's structure (sorted member names, depth-limited); 0: none."""
    response_signals: tuple[str, ...] = ()
    """sql_error, stack_trace, passwd_file, command_output, template_evaluated, reflected_input, login_failed …"""
    cut: tuple[str, ...] = ()
    """What limits removed: request_body, response_body, depth, members, parameters, decompression …"""
    parameters: tuple[Parameter, ...] = ()
    information: tuple[InformationHit, ...] = ()
    indicators: tuple[IndicatorHit, ...] = ()
