"""Attacks and benign look-alikes on a company, each with its label."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import msgspec

from gatewatch.model.observation import ActorKind, IndicatorHit, Location
from gatewatch.testing.scenarios.companies import Company
from gatewatch.testing.traffic import Call

__all__ = ["ATTACKS", "LOOK_ALIKES", "Label", "Story"]

Story = Callable[[Company, random.Random, float], Iterator[Call]]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What really happened."""

    id: str
    alert_types: tuple[str, ...]
    """Any of these names it; empty: a look-alike that nothing may name."""
    addresses: frozenset[str]
    actors: frozenset[str]
    request_ids: tuple[str, ...]
    first: float
    last: float


def _walk(
    count: int, pause_s: float, *, hit_share: float, tokens: int = 1, addresses: int = 1, anonymous: bool = False
) -> Story:
    def story(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
        template, ts = company.private[0], start
        for n in range(count):
            ts += dice.uniform(0.5, 1.5) * pause_s
            exists = dice.random() < hit_share
            owned = f"{company.name}-{template}-{n % company.users}-{n // company.users}"
            user = "" if anonymous else f"thief{n % tokens}"
            yield Call(
                ts=ts,
                host=company.host,
                template=template,
                user=user,
                ip=f"192.0.2.{10 + n % addresses}",
                agent="Chrome 3",
                status=200 if exists else 404,
                objects={"p0": owned if exists else f"none{n}"},
            )

    return story


def _stuffing(users: int, pause_s: float, *, addresses: int, success: float, agents: int = 1) -> Story:
    def story(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
        ts = start
        for n in range(users):
            ts += dice.uniform(0.5, 1.5) * pause_s
            yield Call(
                ts=ts,
                host=company.host,
                method="POST",
                template=company.login,
                ip=f"192.0.2.{20 + n % addresses}",
                agent=f"Gecko {n % agents}",
                status=200 if dice.random() < success else 401,
                login=f"leaked{n}",
                tried=f"leak{n}",
            )

    return story


def _scan(count: int, known_share: float) -> Story:
    def story(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
        for n in range(count):
            known = dice.random() < known_share
            template = dice.choice((*company.plain, *company.private)) if known else ""
            yield Call(
                ts=start + n * dice.uniform(0.2, 0.6),
                host=company.host,
                template=template,
                ip="192.0.2.30",
                status=401 if known else 404,
            )

    return story


def _injection(count: int, status: tuple[int, ...], confidence: float, signals: tuple[str, ...] = ()) -> Story:
    def story(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
        for n in range(count):
            hit = IndicatorHit("sql_injection", f"rule{n % 4}", Location.REQUEST_QUERY, "q", confidence, "' OR ")
            yield Call(
                ts=start + n * 7,
                host=company.host,
                template=company.plain[0],
                ip="192.0.2.40",
                status=dice.choice(status),
                indicators=(hit,),
                signals=signals,
            )

    return story


def _burst(count: int) -> Story:
    def story(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
        for n in range(count):
            yield Call(
                ts=start + n * 240 / count + dice.random(),
                host=company.host,
                template=company.plain[-1],
                ip="192.0.2.50",
            )

    return story


def _office(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for n in range(400):
        owner = n % 80
        yield Call(
            ts=start + n * 2.5,
            host=company.host,
            template=company.private[0],
            user=f"colleague{owner}",
            ip="198.18.9.1",
            objects={"p0": f"c{owner}-{dice.randrange(3)}"},
        )


def _support(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for n in range(300):
        owner = dice.randrange(company.users)
        yield Call(
            ts=start + n * dice.uniform(50, 90),
            host=company.host,
            template=company.private[0],
            user="support-ann",
            ip="198.18.8.1",
            objects={"p0": f"{company.name}-{company.private[0]}-{owner}-0"},
        )


def _partner(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for n in range(500):
        yield Call(
            ts=start + n * dice.uniform(1, 3),
            host=company.host,
            template=company.private[0],
            user="partner-key",
            kind=ActorKind.KEY,
            ip="198.18.7.1",
            objects={"p0": f"{company.name}-{company.private[0]}-{n % company.users}-0"},
        )


def _expiry(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for n in range(min(company.users, 150)):
        ts = start + dice.random() * 3000
        for delay, status in ((0, 401), (15, 401), (40, 200)):
            yield Call(
                ts=ts + delay * dice.uniform(0.7, 1.5),
                host=company.host,
                method="POST",
                template=company.login,
                ip=f"100.99.{n % 30}.7",
                agent=f"Edge {n % 3}",
                status=status,
                login=f"{company.name}-u{n}",
                tried=f"p{status}",
            )


def _stale_app(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for n in range(300):
        yield Call(
            ts=start + n * dice.uniform(2, 5),
            host=company.host,
            method="POST",
            template=company.login,
            ip="100.98.1.1",
            status=401,
            login="forgetful",
            tried="old",
        )


def _catalogue_crawler(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for n in range(400):
        if company.public:
            yield Call(
                ts=start + n * dice.uniform(0.5, 1.5),
                host=company.host,
                template=company.public[0],
                ip="100.97.1.1",
                agent="other",
                objects={"p0": str(n)},
            )


def _single_page_app(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    for template in (*company.plain, *company.plain):
        yield Call(ts=start + dice.random() * 3, host=company.host, template=template, user="newcomer", ip="100.96.1.1")


_ENUMERATION = ("API_ParameterEnumeration",)
_STUFFING = ("API_CredentialStuffing", "API_DistributedCredentialStuffing")
ATTACKS: dict[str, tuple[tuple[str, ...], Story]] = {
    "enumeration loud, all answered": (_ENUMERATION, _walk(300, 0.5, hit_share=0.98)),
    "enumeration loud, mostly missing": (_ENUMERATION, _walk(200, 0.5, hit_share=0.2)),
    "enumeration anonymous": (_ENUMERATION, _walk(120, 1, hit_share=0.4, anonymous=True)),
    "enumeration slow, half missing (30 s)": (_ENUMERATION, _walk(150, 30, hit_share=0.5)),
    "enumeration very slow (120 s)": (_ENUMERATION, _walk(40, 120, hit_share=0.9)),
    "enumeration with 25 tokens, one address": (_ENUMERATION, _walk(250, 1, hit_share=0.6, tokens=25)),
    "enumeration with one token, 40 addresses": (_ENUMERATION, _walk(250, 1, hit_share=0.9, addresses=40)),
    "stuffing loud": (_STUFFING, _stuffing(200, 1, addresses=1, success=0.02)),
    "stuffing slow (40 s)": (_STUFFING, _stuffing(100, 40, addresses=1, success=0.02)),
    "stuffing with a good list": (_STUFFING, _stuffing(150, 3, addresses=1, success=0.7)),
    "stuffing distributed, one agent": (_STUFFING, _stuffing(200, 3, addresses=60, success=0.02)),
    "stuffing distributed, many agents": (_STUFFING, _stuffing(300, 3, addresses=100, success=0.02, agents=40)),
    "scan of unknown paths": (("API_SprayInRequests",), _scan(300, 0.05)),
    "injection accepted": (("API_InjectionAttempt",), _injection(10, (200, 500), 0.9)),
    "injection weak with database errors": (("API_InjectionAttempt",), _injection(3, (500,), 0.55, ("sql_error",))),
    "burst": (("API_SpikeInAPITraffic",), _burst(2500)),
}
LOOK_ALIKES: dict[str, Story] = {
    "office behind one address": _office,
    "support staff": _support,
    "partner's first sync": _partner,
    "password expiry": _expiry,
    "app with a stale password": _stale_app,
    "catalogue crawler": _catalogue_crawler,
    "single-page app": _single_page_app,
    "one weak stray hit": _injection(1, (200,), 0.55),
}
