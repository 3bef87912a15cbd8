"""A minute of a shop's life: hundreds of customers, a few special ones, and attackers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx
from examples.shop.app import token_for
from examples.shop.data import PRODUCTS

__all__ = ["ATTACKERS", "CHAIN", "CHAIN_ADDRESSES", "Attacker", "Clock", "drive"]

_BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "ShopApp/4.2 CFNetwork/1494 Darwin/23.4.0",
]
_SEARCHES = [
    "lamp",
    "tiny mug",
    "O'Hara",
    "select a chair",
    "tent and blanket",
    "copper",
    "rock 'n' roll mug",
    "notebook 5 or 6",
]
_CUSTOMERS = 260
_NIKTO = "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:map_codes)"


@dataclass(frozen=True)
class Attacker:
    """Who must be named, and by which kinds of alert."""

    name: str
    address: str
    types: tuple[str, ...]
    actor: str = ""


ATTACKERS = [
    Attacker("object enumeration", "198.18.20.20", ("API_ParameterEnumeration",), "user-666"),
    Attacker("SQL injection", "198.18.30.30", ("API_InjectionAttempt",)),
    Attacker("credential stuffing", "198.18.40.40", ("API_CredentialStuffing",)),
    Attacker("scanner", "198.18.50.50", ("API_AccessFromSuspiciousUserAgent",)),
    Attacker("address on a threat list", "198.18.60.60", ("API_AccessFromSuspiciousIP",)),
    Attacker("the chain: scan", "198.18.70.70", ("API_AccessFromSuspiciousUserAgent",)),
    Attacker("the chain: stuffing", "198.18.70.70", ("API_CredentialStuffing",)),
    Attacker("the chain: data theft", "198.18.80.80", ("API_ParameterEnumeration",), "user-583"),
]
CHAIN = ("API_AccessFromSuspiciousUserAgent", "API_CredentialStuffing", "API_ParameterEnumeration")
"""One intruder: scans, tries leaked passwords, then reads orders with the account that got in, from elsewhere too."""
CHAIN_ADDRESSES = frozenset({"198.18.70.70", "198.18.80.80"})


@dataclass
class Clock:
    """How long the play lasts and how much was sent."""

    seconds: float
    sent: int = 0
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        return self.seconds - (time.monotonic() - self.started)


class Visitor:
    """One client: address, user agent, perhaps a token."""

    def __init__(self, client: httpx.AsyncClient, clock: Clock, address: str, agent: str, token: str = "") -> None:
        self._client, self._clock = client, clock
        self._headers = {"x-forwarded-for": address, "user-agent": agent, "host": "shop.example"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self._headers, **more.pop("headers", {})}
        response = await self._client.request(method, path, headers=headers, **more)
        self._clock.sent += 1
        return response


async def _customer(number: int, visitor: Visitor, clock: Clock, chosen: random.Random) -> None:
    """Logs in (sometimes mistyping), browses, looks at own things, sometimes orders."""
    await asyncio.sleep(chosen.uniform(0, clock.seconds * 0.6))
    if chosen.random() < 0.5:
        for wrong in ["wrong"] * (chosen.random() < 0.15) + [""]:
            await visitor.call(
                "POST", "/api/login", json={"username": f"user-{number}", "password": wrong or f"correct-{number}"}
            )
    actions: list[Callable[[], Coroutine[Any, Any, httpx.Response]]] = [
        lambda: visitor.call("GET", f"/api/products/{chosen.choice(list(PRODUCTS))}"),
        lambda: visitor.call("GET", f"/api/products/{chosen.choice(list(PRODUCTS))}"),
        lambda: visitor.call("GET", "/api/search", params={"q": chosen.choice(_SEARCHES[:2] + _SEARCHES[3:6])}),
        lambda: visitor.call("GET", f"/api/users/{number}"),
        lambda: visitor.call("GET", f"/api/users/{number}/orders"),
        lambda: visitor.call("GET", f"/api/orders/{number * 10 + chosen.randrange(3)}"),
        lambda: visitor.call("GET", f"/api/cards/{number}"),
        lambda: visitor.call("POST", "/graphql", json={"query": "query { me { id loyaltyPoints } }"}),
        lambda: visitor.call("POST", "/graphql", json={"query": "{ recommendations { slug } }"}),
        lambda: visitor.call(
            "POST", "/api/orders", json={"items": [{"sku": "quiet-lamp", "qty": 1}], "note": "ring twice; thanks"}
        ),
        lambda: visitor.call("GET", "/favicon.ico"),
    ]
    for _ in range(chosen.randrange(4, 14)):
        if clock.left() < 1:
            return
        await chosen.choice(actions)()
        await asyncio.sleep(chosen.uniform(0.2, 3.0))


async def _support(visitor: Visitor, clock: Clock, chosen: random.Random) -> None:
    """A support agent looks at customers' orders all day, each because that customer called."""
    while clock.left() > 3:
        number = chosen.randrange(1, _CUSTOMERS)
        await visitor.call("GET", f"/api/users/{number}")
        await visitor.call("GET", f"/api/orders/{number * 10 + chosen.randrange(3)}")
        await asyncio.sleep(chosen.uniform(6, 10))


async def _price_bot(visitor: Visitor, clock: Clock) -> None:
    """An honest price comparison reads the public catalogue."""
    for slug in PRODUCTS:
        if clock.left() < 1:
            return
        await visitor.call("GET", f"/api/products/{slug}")
        await asyncio.sleep(0.5)


async def _admin(visitor: Visitor, clock: Clock) -> None:
    while clock.left() > 5:
        await visitor.call("GET", "/api/admin/stats")
        await asyncio.sleep(10)


async def _enumerate(visitor: Visitor, first: int, wait_s: float, pause_s: float = 0.1) -> None:
    await asyncio.sleep(wait_s)
    for number in range(first, first + 220):
        await visitor.call("GET", f"/api/orders/{number}")
        await asyncio.sleep(pause_s)


async def _inject(visitor: Visitor) -> None:
    await asyncio.sleep(12)
    for attack in (
        "lamp'",
        "lamp' OR '1'='1",
        "x' UNION SELECT name, sql FROM sqlite_master--",
        "1; DROP TABLE users;--",
        "a' AND SLEEP(5)--",
    ):
        for _ in range(3):
            await visitor.call("GET", "/api/search", params={"q": attack})
            await asyncio.sleep(0.4)


async def _stuff(visitor: Visitor, accounts: range, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    for number in accounts:
        password = f"correct-{number}" if number % 53 == 0 else "Summer2025!"
        await visitor.call("POST", "/api/login", json={"username": f"user-{number}", "password": password})
        await asyncio.sleep(0.12)


async def _scan(visitor: Visitor, wait_s: float) -> None:
    await asyncio.sleep(wait_s)
    for path in (
        "/",
        "/admin",
        "/.env",
        "/.git/config",
        "/api/users/1",
        "/wp-login.php",
        "/actuator/env",
        "/api/products/quiet-lamp",
    ):
        await visitor.call("GET", path)
        await asyncio.sleep(0.3)


async def _thieve(visitor: Callable[[str, str, str], Visitor], agent: str) -> None:
    """With the account that got in: first where the passwords were tried, then from another address."""
    await _enumerate(visitor("198.18.70.70", agent, token_for(583)), 2000, 24, 0.05)
    await _enumerate(visitor("198.18.80.80", agent, token_for(583)), 2220, 1, 0.05)


async def _listed(visitor: Visitor) -> None:
    await asyncio.sleep(10)
    for slug in list(PRODUCTS)[:6]:
        await visitor.call("GET", f"/api/products/{slug}")
        await asyncio.sleep(2)


async def drive(gateway: str, clock: Clock, seed: int) -> None:
    """Everybody at once until the time is over."""
    chosen = random.Random(seed)
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=gateway, limits=limits, timeout=120) as client:

        def visitor(address: str, agent: str, token: str = "") -> Visitor:
            return Visitor(client, clock, address, agent, token)

        people = []
        for number in range(1, _CUSTOMERS + 1):
            # Forty of them sit behind one office address.
            address = "198.51.100.7" if number % 13 == 0 else f"192.0.2.{number % 250 + 1}"
            person = visitor(address, chosen.choice(_BROWSERS), token_for(number))
            people.append(_customer(number, person, clock, random.Random(seed + number)))
        chrome = _BROWSERS[0]
        special = [
            _support(visitor("198.51.100.20", chrome, token_for(9001, role="support")), clock, random.Random(seed)),
            _price_bot(visitor("198.51.100.30", "PriceCompare/2.0 (+https://prices.example/bot)"), clock),
            _admin(visitor("198.51.100.40", _BROWSERS[2]), clock),
            _enumerate(visitor("198.18.20.20", chrome, token_for(666)), 1000, 8),
            _inject(visitor("198.18.30.30", _BROWSERS[2])),
            _stuff(visitor("198.18.40.40", chrome), range(400, 560), 6),
            _scan(visitor("198.18.50.50", _NIKTO), 15),
            _listed(visitor("198.18.60.60", chrome)),
            _scan(visitor("198.18.70.70", "sqlmap/1.8.2#stable (https://sqlmap.org)"), 3),
            _stuff(visitor("198.18.70.70", chrome), range(560, 680), 8),
            _thieve(visitor, chrome),
        ]
        await asyncio.gather(*people, *special)
