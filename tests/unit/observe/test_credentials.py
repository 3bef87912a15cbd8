"""Who calls, by every way in which APIs are called with credentials."""

from __future__ import annotations

from base64 import b64encode

import pytest

from gatewatch.model.observation import AuthScheme
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities, Identity

OPAQUE = "q7Zp0LrT5vX2nB8mK4sD"
OTHER = "w1Yh6Gc9eU3jA5oR8tFx"
SIGNATURE = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"


def identified(headers: dict[str, str] | None = None, query: list[tuple[str, str]] | None = None) -> Identity:
    identities = Identities(ObserveSettings(), Fingerprinter(b"0123456789abcdef"))
    return identities.identify(headers or {}, query or [], consumer=None, user=None, certificate=None)


def _aws(key: str, signature: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={key}/20261110/eu-west-1/execute-api/aws4_request, Signature={signature}"


def _digest(user: str, response: str) -> str:
    return f'Digest username="{user}", realm="r", nonce="{response}", uri="/", response="{response}", qop=auth'


SIGNED = {
    "AWS signature": _aws,
    "Digest": _digest,
    "draft of HTTP signatures": lambda who, sign: f'Signature keyId="{who}",algorithm="rsa-sha256",signature="{sign}"',
    "Hawk": lambda who, sign: f'Hawk id="{who}", ts="1353832234", nonce="{sign[:6]}", mac="{sign}="',
    "OAuth 1.0": lambda who, sign: f'OAuth oauth_consumer_key="app", oauth_token="{who}", oauth_signature="{sign}"',
    "Azure shared key": lambda who, sign: f"SharedKey {who}:{sign}=",
    "Azure HMAC": lambda who, sign: f"HMAC-SHA256 Credential={who}&SignedHeaders=date;host&Signature={sign}=",
}


@pytest.mark.parametrize("scheme", SIGNED)
def test_signed_calls_of_one_caller_are_one_actor(scheme: str) -> None:
    calls = [identified({"authorization": SIGNED[scheme](who, sign)}) for who, sign in CALLS]
    assert {call.scheme for call in calls} == {AuthScheme.OTHER}
    assert calls[0].actor == calls[1].actor != calls[2].actor
    assert calls[0].actor is not None


CALLS = (("ann", SIGNATURE), ("ann", SIGNATURE[::-1]), ("bob", SIGNATURE))


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({"x-hub-signature-256": f"sha256={SIGNATURE}"}, AuthScheme.OTHER),
        ({"x-slack-signature": f"v0={SIGNATURE}"}, AuthScheme.OTHER),
        ({"authorization": f"Negotiate {SIGNATURE}"}, AuthScheme.OTHER),
    ],
    ids=["webhook of GitHub", "webhook of Slack", "Kerberos ticket"],
)
def test_a_credential_that_names_nobody_leaves_the_address(headers: dict[str, str], scheme: AuthScheme) -> None:
    found = identified(headers)
    assert (found.scheme, found.actor) == (scheme, None)
    assert found.credential


CREDENTIALS = {
    "key of Google": ({"x-goog-api-key": OPAQUE}, [], AuthScheme.API_KEY),
    "token of GitLab": ({"private-token": OPAQUE}, [], AuthScheme.API_KEY),
    "assertion of Cloudflare Access": ({"cf-access-jwt-assertion": OPAQUE}, [], AuthScheme.API_KEY),
    "session of Laravel": ({"cookie": f"lang=en; laravel_session={OPAQUE}"}, [], AuthScheme.SESSION),
    "session of Rails": ({"cookie": f"_shop_session={OPAQUE}"}, [], AuthScheme.SESSION),
    "session of ASP.NET Core": ({"cookie": f".AspNetCore.Cookies={OPAQUE}"}, [], AuthScheme.SESSION),
    "session of Auth.js": ({"cookie": f"__Secure-next-auth.session-token={OPAQUE}"}, [], AuthScheme.SESSION),
    "token in a cookie": ({"cookie": f"access_token={OPAQUE}"}, [], AuthScheme.SESSION),
    "presigned address": ({}, [("X-Amz-Credential", f"{OPAQUE}/20261110/eu-west-1/s3/aws4_request")], AuthScheme.OTHER),
    "shared access signature": ({}, [("sv", "2022-11-02"), ("sig", SIGNATURE)], AuthScheme.OTHER),
    "key in the query": ({}, [("key", OPAQUE)], AuthScheme.API_KEY),
    "token as Rails writes it": ({"authorization": f'Token token="{OPAQUE}"'}, [], AuthScheme.BEARER),
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_finds_the_credential(kind: str) -> None:
    headers, query, scheme = CREDENTIALS[kind]
    other_headers = {name: value.replace(OPAQUE, OTHER).replace(SIGNATURE, OTHER) for name, value in headers.items()}
    other_query = [(name, value.replace(OPAQUE, OTHER).replace(SIGNATURE, OTHER)) for name, value in query]
    found, other = identified(headers, query), identified(other_headers, other_query)
    assert found.scheme is scheme
    assert found.actor == identified(headers, query).actor != other.actor


NONE = {
    "token of a client that has none": ({"authorization": "Bearer null"}, []),
    "the same in JavaScript": ({"authorization": "Bearer undefined"}, []),
    "empty key header": ({"x-api-key": "undefined"}, []),
    "column to sort by": ({}, [("key", "created-at"), ("sort", "asc")]),
    "short word as token": ({}, [("token", "abc")]),
    "signature of something else": ({}, [("sig", SIGNATURE)]),
    "telemetry of the browser": ({"cookie": f"ai_session={OPAQUE}; _hjSession_1={OPAQUE}"}, []),
    "consent": ({"cookie": f"cookie_consent={OPAQUE}; OptanonConsent={OPAQUE}"}, []),
    "protection against forgery": ({"cookie": f"XSRF-TOKEN={OPAQUE}; csrftoken={OPAQUE}"}, []),
    "bot management": ({"cookie": f"__cf_bm={OPAQUE}; AWSALB={OPAQUE}"}, []),
    "short flag": ({"cookie": "new_session=1"}, []),
}


@pytest.mark.parametrize("kind", NONE)
def test_what_is_no_credential_is_nobody(kind: str) -> None:
    headers, query = NONE[kind]
    assert identified(headers, query).scheme is AuthScheme.NONE


def test_digest_shows_the_user_and_basic_still_does() -> None:
    digest = identified({"authorization": _digest("ann", SIGNATURE)})
    basic = identified({"authorization": "Basic " + b64encode(b"ann:secret").decode()})
    assert digest.actor == basic.actor
    assert digest.actor is not None
    assert digest.actor.id == "ann"


def test_whoever_signed_an_address_is_found_for_refusing() -> None:
    identities = Identities(ObserveSettings(), Fingerprinter(b"0123456789abcdef"))
    query = [("X-Amz-Credential", f"{OPAQUE}/20261110/eu-west-1/s3/aws4_request")]
    named = identities.identify({}, query, consumer=None, user=None, certificate=None).actor
    assert named in identities.everyone({}, query)
