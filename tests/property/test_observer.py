"""Observing never raises, whatever a source hands over, and gives a row that the store takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatewatch.model.observe_settings import LimitSettings, ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.columns import SCHEMA, to_arrow
from gatewatch.observe.explain import explain
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet

TEMPLATES = TemplateSet.empty()
NAMES = st.sampled_from(
    [
        "authorization",
        "Cookie",
        "content-type",
        "Content-Encoding",
        "x-api-key",
        "X-Forwarded-For",
        "forwarded",
        "user-agent",
        "host",
        "content-length",
        "x-forwarded-client-cert",
        "x",
    ]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "application/json",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "application/xml",
            "application/x-www-form-urlencoded",
            "application/graphql",
            "gzip",
            "br, gzip",
            "zstd",
            "deflate",
            "Bearer eyJhbGciOiJub25lIn0.e30.",
            "Basic Og==",
            "Basic !!",
            "for=[::1]:9;by=x",
            "text/html",
        ]
    ),
)
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=300),
    st.sampled_from(
        [
            b"{",
            b"[" * 4000,
            b'{"a":' * 500,
            b"<a>" * 900,
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
            b"a=1&b=%ff&c=%00",
            b'{"query":"{ a { b } }"}',
            b'{"query":"query ' + b"{" * 500 + b'"}',
            b'[{"jsonrpc":"2.0","method":"m"}]',
            b"\x1f\x8b\x08\x00broken",
            b'{"a":1e400,"b":123456789012345678901234567890}',
            b'{"n":NaN}',
            b'{"\\ud800":"\\udfff"}',
            b"\x28\xb5\x2f\xfd\x00",
            b'{"card":"4111111111111111","phone":"+49 30 901820"}',
            b'uid=0(root) gid=0(root) near "x": syntax error',
        ]
    ),
)
PATHS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["/", "*", "//a//b/", "/a/../b", "/%ff/%00", "/a;x=1/b", "/" + "a/" * 300, "http://[::1", "/{x}/{}"]
    ),
)
TRANSACTIONS = st.builds(
    Transaction,
    id=st.text(max_size=30),
    ts=st.floats(0, 4_000_000_000),
    method=st.text(max_size=12),
    path=PATHS,
    host=st.one_of(st.text(max_size=40), st.sampled_from(["x:80", "[::1]:8080", "a" * 300, "x:y:z"])),
    query=st.one_of(
        st.text(max_size=80), st.sampled_from(["a=1&a=2&&=", "q=%27%20OR%201=1", "&" * 2000, "query={a{b}}"])
    ),
    request_headers=st.one_of(st.none(), st.lists(st.tuples(NAMES, VALUES), max_size=8)),
    response_headers=st.one_of(st.none(), st.lists(st.tuples(NAMES, VALUES), max_size=4)),
    request_body=BODIES,
    response_body=BODIES,
    status=st.integers(0, 999),
    latency_ms=st.one_of(st.none(), st.floats(0, 1e9)),
    request_size=st.one_of(st.none(), st.integers(0, 2**70)),
    client_ip=st.one_of(
        st.text(max_size=20), st.sampled_from(["192.0.2.1", "::ffff:1.2.3.4", "fe80::1%eth0", "host.name"])
    ),
    route_hint=st.one_of(st.none(), st.text(max_size=30), st.sampled_from(["/a/{b}", "/{", ":id"])),
    consumer=st.one_of(st.none(), st.text(max_size=200)),
    user=st.one_of(st.none(), st.text(max_size=20)),
    client_certificate=st.one_of(st.none(), st.text(max_size=40)),
)


@pytest.fixture(scope="module")
def observer() -> Observer:
    limits = LimitSettings(members=64, depth=8, parameters=16)
    return Observer(ObserveSettings(limits=limits, trusted_proxies=("192.0.2.0/24", "::/0")), b"k" * 32)


@given(transaction=TRANSACTIONS)
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_observing_never_raises(observer: Observer, transaction: Transaction) -> None:
    seen = observer.observe(transaction, "s", TEMPLATES)
    batch = to_arrow([seen], block=1)
    assert batch.schema == SCHEMA
    assert len(seen.parameters) <= 16
    assert explain(observer, transaction, "s", TEMPLATES)


def transaction(**members: Any) -> Transaction:
    usual: dict[str, Any] = {
        "id": "i",
        "ts": 1.0,
        "method": "GET",
        "path": "/a",
        "status": 200,
        "client_ip": "192.0.2.9",
    }
    return Transaction(**(usual | members))


def test_limits_are_kept_and_told(observer: Observer) -> None:
    import gzip

    bomb = gzip.compress(b"[" + b"0," * 3_000_000 + b"0]")
    headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
    seen = observer.observe(transaction(request_body=bomb, request_headers=headers), "s", TEMPLATES)
    assert "decompression" in seen.cut
    deep = b'{"a":' * 40 + b"1" + b"}" * 40
    assert "depth" in observer.observe(transaction(request_body=deep), "s", TEMPLATES).cut
    wide = b"{" + b",".join(b'"k%d":1' % n for n in range(200)) + b"}"
    assert "members" in observer.observe(transaction(request_body=wide), "s", TEMPLATES).cut


IDENTITIES = {
    "nobody": ([], "address", "192.0.2.9"),
    "a token's subject": ([("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.x")], "subject", "anna"),
    "a user of Basic": ([("authorization", "Basic YW5uYTpzZWNyZXQ=")], "subject", "anna"),
    "an opaque token": ([("authorization", "Bearer abcdef")], "key", None),
    "an API key": ([("X-API-Key", "abcdef")], "key", None),
    "a session": ([("Cookie", "theme=dark; sessionid=abcdef")], "session", None),
    "a token in a cookie": ([("Cookie", "jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.x")], "subject", "anna"),
    "a certificate": ([("x-forwarded-client-cert", 'Hash=1;Subject="CN=edge,O=x"')], "certificate", "edge"),
    "a consumer of the gateway": ([("x-consumer-username", "partner")], "consumer", "partner"),
    "a cookie that is no session": ([("Cookie", "theme=dark")], "address", "192.0.2.9"),
    "a broken Basic": ([("authorization", "Basic ???")], "key", None),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identities(observer: Observer, name: str) -> None:
    headers, kind, identity = IDENTITIES[name]
    seen = observer.observe(transaction(request_headers=headers), "s", TEMPLATES)
    assert seen.actor_kind.value == kind
    if identity is not None:
        assert seen.actor_id == identity
    else:
        assert len(seen.actor_id) == 16


ADDRESSES = {
    "a bare header of a stranger": ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
    "a trusted proxy": ("192.0.2.1", "203.0.113.7", "203.0.113.7"),
    "two trusted proxies": ("192.0.2.1", "203.0.113.7, 192.0.2.2", "203.0.113.7"),
    "a forged beginning": ("192.0.2.1", "10.0.0.1, 203.0.113.7, 192.0.2.2", "203.0.113.7"),
    "a port": ("192.0.2.1", "203.0.113.7:1234", "203.0.113.7"),
    "garbage ends the walk": ("192.0.2.1", "unknown, 192.0.2.2", "192.0.2.2"),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_client_addresses(name: str) -> None:
    peer, forwarded, expected = ADDRESSES[name]
    observer = Observer(ObserveSettings(trusted_proxies=("192.0.2.0/24",)), b"k" * 32)
    seen = observer.observe(
        transaction(client_ip=peer, request_headers=[("X-Forwarded-For", forwarded)]), "s", TEMPLATES
    )
    assert seen.client_ip == expected


LOGINS = {
    "a JSON login": ("POST", "/api/login", b'{"username":"Anna ","password":"x"}', True),
    "a form login": ("POST", "/session", b"email=a%40b.c&password=x", True),
    "an OAuth grant": ("POST", "/oauth/token", b"grant_type=password&username=a&password=b", True),
    "a login whose body is not seen": ("POST", "/login", None, True),
    "reading the login page": ("GET", "/login", None, False),
    "signing up": ("POST", "/register", b'{"email":"a@b.c","password":"x"}', False),
    "changing a password": ("POST", "/me/password", b'{"old_password":"x","new_password":"y"}', False),
    "an order": ("POST", "/orders", b'{"user":"anna","items":[]}', False),
}


@pytest.mark.parametrize("name", LOGINS)
def test_login_attempts(observer: Observer, name: str) -> None:
    method, path, body, expected = LOGINS[name]
    kind = "application/json" if body and body.startswith(b"{") else "application/x-www-form-urlencoded"
    seen = observer.observe(
        transaction(method=method, path=path, request_body=body, request_headers=[("content-type", kind)]),
        "s",
        TEMPLATES,
    )
    assert seen.login_attempt is expected


def test_graphql_operations_are_endpoints_of_their_own(observer: Observer) -> None:
    def seen(query: str) -> Any:
        import json

        body = json.dumps({"query": query}).encode()
        return observer.observe(transaction(method="POST", path="/graphql", request_body=body), "s", TEMPLATES)

    me, both, change = (
        seen("query Q { me: viewer { id } }"),
        seen("{ orders { id } ...F } fragment F on Query { viewer { id } }"),
        seen("mutation { pay }"),
    )
    assert [item.operation for item in (me, both, change)] == ["query viewer", "query orders,viewer", "mutation pay"]
    assert len({item.path_id for item in (me, both, change)}) == 3
    assert {item.template for item in (me, both, change)} == {"/graphql"}
