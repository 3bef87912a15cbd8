"""What every first detector fires on, and what it must leave alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from itertools import chain

import pytest

from gatewatch.detect.detector import all_detectors
from gatewatch.model.observation import ActorKind, IndicatorHit, Location
from gatewatch.testing.traffic import Call, detect_all, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
DAY = 86_400.0
Story = Callable[[], list[Call]]


def hit(
    class_: str,
    indicator: str = "tautology",
    confidence: float = 0.95,
    where: Location = Location.REQUEST_QUERY,
    name: str = "q",
) -> IndicatorHit:
    return IndicatorHit(class_, indicator, where, name, confidence, "' OR ")


def people(
    count: int = 40, each: int = 3, *, start: float = NOON, template: str = "/orders/{int}", over_s: float = 900
) -> list[Call]:
    return [
        Call(ts=start + (u * each + k) * over_s / (count * each), user=f"u{u}", ip=f"203.0.113.{u}", template=template, objects={"p0": f"{u}-{k}"})
        for u in range(count) for k in range(each)
    ]  # fmt: skip


def walk(
    count: int,
    *,
    user: str = "eve",
    ip: str = "192.0.2.66",
    misses: float = 0.0,
    start: float = NOON + 60,
    step: float = 1.0,
    **more,
) -> list[Call]:
    return [
        Call(
            ts=start + k * step,
            user=user,
            ip=ip,
            status=404 if (k % 10) < misses * 10 else 200,
            objects={"p0": f"x{k}"},
            **more,
        )
        for k in range(count)
    ]


def logins(
    users: range,
    *,
    ip: str = "192.0.2.9",
    status: int = 401,
    start: float = NOON + 30,
    step: float = 3.0,
    agent: str = "bot",
    tried: str = "pw",
    signals: tuple[str, ...] = (),
) -> list[Call]:
    return [
        Call(
            ts=start + n * step,
            ip=ip,
            method="POST",
            template="/login",
            status=status,
            login=f"user{u}",
            agent=agent,
            tried=f"{tried}{u}",
            signals=signals,
        )
        for n, u in enumerate(users)
    ]


def office(template: str = "/orders/{int}", people_count: int = 60) -> list[Call]:
    return [
        Call(ts=NOON + u * 10 + k, user=f"o{u}", ip="198.51.100.200", template=template, objects={"p0": f"o{u}-{k}"})
        for u in range(people_count) for k in range(3)
    ] + people()  # fmt: skip


def sql_on(status: int = 200, signals: tuple[str, ...] = (), confidence: float = 0.95, count: int = 1) -> list[Call]:
    return [
        Call(
            ts=NOON + n,
            ip="192.0.2.5",
            template="/search",
            status=status,
            signals=signals,
            indicators=[hit("sql_injection", confidence=confidence)],
        )
        for n in range(count)
    ]


def cms(writers: int, each: int) -> list[Call]:
    return [
        Call(ts=NOON + w * 40 + k, user=f"editor{w}", ip=f"203.0.113.{w}", method="PUT", template="/articles/{int}",
             indicators=[hit("xss", f"tag{k % 2}", 0.9, Location.REQUEST_BODY, "html")])
        for w in range(writers) for k in range(each)
    ]  # fmt: skip


def exports() -> list[Call]:
    """Two partners that have always read what is theirs."""
    return [
        Call(ts=NOON - h * 1200 + k, user=f"partner{n}", kind=ActorKind.KEY, ip=f"192.0.2.{70 + n}", objects={"p0": f"e{n}-{k}"})
        for h in range(6) for n in range(2) for k in range(160)
    ] + list(chain.from_iterable(people(10, start=NOON - h * 1200) for h in range(1, 6)))  # fmt: skip


def scripts(writers: int) -> list[Call]:
    return [
        Call(ts=NOON + w * 40, user=f"builder{w}", ip=f"203.0.113.{w}", method="POST", template="/jobs",
             indicators=[hit("command_injection", "download_and_run", 0.97, Location.REQUEST_BODY, "script")])
        for w in range(writers)
    ]  # fmt: skip


def catalogue_readers() -> list[Call]:
    """Sessions that read what is popular, of which eleven share an office's address."""
    return [
        Call(ts=NOON + (u * 6 + k) * 1.5, user=f"s{u}", kind=ActorKind.SESSION, ip="198.51.100.7" if u % 6 == 5 else f"203.0.113.{u}",
             template="/products/{int}", objects={"p0": str((u * 7 + k * 11) % 45)})
        for u in range(66) for k in range(6)
    ]  # fmt: skip


def getting_in(hours: int, *, start: float = NOON - 4 * 3600) -> list[Call]:
    """A hundred people an hour who log in."""
    return list(chain.from_iterable(
        logins(range(2000 + u, 2001 + u), ip=f"203.0.113.{u}", status=200, start=start + h * 3600 + u * 36, agent=f"Firefox {u % 5}")
        for h in range(hours) for u in range(100)
    ))  # fmt: skip


def out_of_order(behind: int = 0) -> list[Call]:
    """Half an hour in which nobody gets in, all with one application; `behind` of the users share an address."""
    return list(chain.from_iterable(
        logins(range(2000 + u, 2001 + u), ip="198.51.100.9" if u % 5 == 0 and u < 5 * behind else f"203.0.113.{u}", start=NOON + u * 18 + again, agent="App 7")
        for again in (0, 20, 60) for u in range(100)
    ))  # fmt: skip


def nightly_sync(days: int) -> list[Call]:
    return list(chain.from_iterable(
        walk(120, user="partner", ip="192.0.2.77", start=NOON - d * DAY + 60 + h * 1200, kind=ActorKind.KEY) for d in range(days) for h in range(2)
    )) + list(chain.from_iterable(people(start=NOON - d * DAY) for d in range(days)))  # fmt: skip


def monday() -> list[Call]:
    return list(chain.from_iterable(
        (*logins(range(u, u + 1), ip=f"203.0.113.{u % 20}", start=NOON + u * 5, agent=f"Edge {u % 3}"),
         *logins(range(u, u + 1), ip=f"203.0.113.{u % 20}", start=NOON + u * 5 + 20, status=200, agent=f"Edge {u % 3}"))
        for u in range(100)
    ))  # fmt: skip


def pages(*, status: int, ip: str = "192.0.2.4", count: int = 30) -> list[Call]:
    crowd = [
        Call(ts=NOON + u * 3 + k, user=f"u{u}", ip=f"203.0.113.{u}", template=f"/part{k}")
        for u in range(40)
        for k in range(4)
    ]
    return crowd + [Call(ts=NOON + 300 + k, ip=ip, template=f"/part{k}", status=status) for k in range(count)]


def steady_hours(per_hour: int = 60, hours: int = 6) -> list[Call]:
    return [
        Call(ts=NOON - h * 3600 + k * 3600 / per_hour + 1, user=f"u{k % 10}", ip=f"203.0.113.{k % 10}", template="/rates")
        for h in range(1, hours + 1) for k in range(per_hour)
    ]  # fmt: skip


def burst(count: int, ip: str) -> list[Call]:
    return [Call(ts=NOON + k * 290 / count, ip=ip, template="/rates") for k in range(count)]


FIRES: dict[str, tuple[str, Story]] = {
    "Microsoft's test user agent": ("API_AccessFromSuspiciousUserAgent", lambda: [Call(ts=NOON, indicators=[hit("suspicious_user_agent", "script_url", name="user-agent")])]),
    "a listed address": ("API_AccessFromSuspiciousIP", lambda: [Call(ts=NOON, ip="192.0.2.200")]),
    "a listed IPv6 address": ("API_AccessFromSuspiciousIP", lambda: [Call(ts=NOON, ip="2001:db8::5")]),
    "a Tor exit": ("API_AccessFromTorExitNode", lambda: [Call(ts=NOON, ip="192.0.2.220")]),
    "a loud walk through answered objects on a fresh install": ("API_ParameterEnumeration", lambda: people() + walk(80)),
    "a walk that mostly misses": ("API_ParameterEnumeration", lambda: people() + walk(25, misses=0.6)),
    "a person's walk where a few machines export the same objects": ("API_ParameterEnumeration", lambda: people() + exports() + walk(100)),
    "an anonymous walk with nobody else around that misses": ("API_ParameterEnumeration", lambda: walk(30, user="", misses=0.7)),
    "one address walking with twenty tokens over others' objects": ("API_ParameterEnumeration", lambda: people(40, 3, over_s=300) + [
        Call(ts=NOON + 400 + n, user=f"stolen{n % 20}", ip="192.0.2.67", objects={"p0": f"{n % 40}-{n // 40}"}) for n in range(100)]),
    "one sure injection": ("API_InjectionAttempt", sql_on),
    "a weak hit whose answer shows a database error": ("API_InjectionAttempt", lambda: sql_on(500, ("sql_error",), 0.55)),
    "stuffing from one address": ("API_CredentialStuffing", lambda: logins(range(20))),
    "stuffing with a good list": ("API_CredentialStuffing", lambda: logins(range(60), status=200) + logins(range(100, 114), start=NOON + 40)),
    "stuffing refused with status 200": ("API_CredentialStuffing", lambda: logins(range(20), status=200, signals=("login_failed",))),
    "guessing refused by a redirect": ("API_PasswordGuessing", lambda: [c for n in range(20) for c in logins(range(1), status=302, start=NOON + n * 5, tried=f"guess{n}", signals=("login_failed",))]),
    "stuffing from fifty addresses": ("API_DistributedCredentialStuffing", lambda: list(chain.from_iterable(logins(range(2 * n, 2 * n + 2), ip=f"192.0.2.{n}", start=NOON + n * 10) for n in range(50)))),
    "distributed stuffing amid a busy login page, told by its user agent": ("API_DistributedCredentialStuffing", lambda: list(chain.from_iterable(logins(range(2 * n, 2 * n + 2), ip=f"192.0.2.{n}", start=NOON + n * 10) for n in range(30))) + [
        c for u in range(300) for c in logins(range(1000 + u, 1001 + u), ip=f"203.0.113.{u % 250}", status=200, start=NOON + u, agent=f"Firefox {u % 5}")]),
    "distributed stuffing refused with status 200": ("API_DistributedCredentialStuffing", lambda: list(chain.from_iterable(logins(range(n, n + 1), ip=f"192.0.2.{n}", status=200, start=NOON + n * 10, signals=("login_failed",)) for n in range(60)))),
    "stuffing from one address amid a campaign of many": ("API_CredentialStuffing", lambda: logins(range(200, 280)) + list(chain.from_iterable(logins(range(n, n + 1), ip=f"192.0.2.{n + 20}", start=NOON + n * 10) for n in range(60)))),
    "distributed stuffing while honest people get in": ("API_DistributedCredentialStuffing", lambda: getting_in(4) + getting_in(1, start=NOON) + list(chain.from_iterable(logins(range(2 * n, 2 * n + 2), ip=f"192.0.2.{n}", start=NOON + n * 10) for n in range(50)))),
    "one pattern that a user writes into an identifier": ("API_InjectionAttempt", lambda: [
        Call(ts=NOON, user="eve", method="POST", template="/graphql", indicators=[hit("sql_injection", "union_select", 0.95, Location.REQUEST_BODY, "ticket.id")])]),
    "a command in a field where nobody else writes one": ("API_InjectionAttempt", lambda: scripts(1)),
    "guessing one account's password": ("API_PasswordGuessing", lambda: [c for n in range(20) for c in logins(range(1), start=NOON + n * 5, tried=f"guess{n}")]),
    "a refused spray": ("API_SprayInRequests", lambda: pages(status=403)),
    "a scan of unknown paths": ("API_SprayInRequests", lambda: pages(status=200, count=2) + [Call(ts=NOON + 200 + n, ip="192.0.2.4", template="", status=404) for n in range(120)]),
    "a burst against quiet history": ("API_SpikeInAPITraffic", lambda: steady_hours() + burst(400, "192.0.2.3")),
}  # fmt: skip

STAYS_QUIET: dict[str, Story] = {
    "people reading their own orders": people,
    "a user with many own orders": lambda: people() + walk(28, step=20),
    "an office behind one address": office,
    "a partner that syncs every night": lambda: nightly_sync(4),
    "a machine client's first sync without a miss": lambda: people() + walk(120, user="partner", kind=ActorKind.KEY),
    "a machine client's first sync with a stale list": lambda: people() + walk(120, user="partner", kind=ActorKind.KEY) + [
        Call(ts=NOON + 80 + n * 20, user="partner", ip="192.0.2.66", kind=ActorKind.KEY, status=404, objects={"p0": f"gone{n}"}) for n in range(6)],
    "a crawler on a public catalogue": lambda: [Call(ts=NOON + n, ip=f"203.0.113.{n % 50}", template="/products/{int}", objects={"p0": str(n % 30)}) for n in range(300)]
    + walk(90, user="", ip="192.0.2.88", template="/products/{int}", start=NOON + 350),
    "one weak stray hit": lambda: sql_on(confidence=0.55),
    "the same weak hit again and again": lambda: sql_on(confidence=0.55, count=20),
    "editors whose articles always carry markup": lambda: cms(8, 5),
    "one editor's first article with markup": lambda: cms(1, 3),
    "shoppers behind one address in a catalogue that all read": catalogue_readers,
    "a login out of order, refusing everybody": lambda: getting_in(4) + out_of_order(),
    "a login out of order, an office and a carrier among its users": lambda: getting_in(4) + out_of_order(behind=14),
    "an office that mistypes": lambda: [c for u in range(80) for c in logins(range(u, u + 1), status=401 if u % 10 == 0 else 200, start=NOON + u * 5, agent=f"Edge {u % 4}")],
    "password expiry Monday": monday,
    "an office that mistypes where refusals have status 200": lambda: [c for u in range(80) for c in logins(range(u, u + 1), status=200, start=NOON + u * 5, agent=f"Edge {u % 4}", signals=("login_failed",) if u % 10 == 0 else ())],
    "an app that retries a stale password": lambda: [c for n in range(200) for c in logins(range(1), start=NOON + n * 2)],
    "a load test with one account": lambda: [c for n in range(300) for c in logins(range(1), status=200, start=NOON + n)],
    "a crawler that is answered everywhere": lambda: pages(status=200),
    "a device that retries one removed path": lambda: [Call(ts=NOON + n * 5, ip="192.0.2.4", template="/part1" if n % 2 else "", status=200 if n % 2 else 404) for n in range(150)],
    "a release after which every client misses": lambda: [Call(ts=NOON + u + k * 9, ip=f"203.0.113.{u}", template="", status=404) for u in range(40) for k in range(50)],
    "a campaign that raises everybody": lambda: steady_hours() + [c for n in range(10) for c in burst(260, f"203.0.113.{n}")],
    "a busy address that always was": lambda: [Call(ts=NOON - h * 3600 + k * 0.7, ip="192.0.2.3", template="/rates") for h in range(1, 5) for k in range(5000)] + burst(400, "192.0.2.3"),
}  # fmt: skip


def alert_types(traffic: ClickHouseTraffic, calls: list[Call]) -> set[str]:
    traffic.replace_ranges(
        "threat", [("192.0.2.200", "192.0.2.210", "botnet", ""), ("2001:db8::", "2001:db8::ff", "botnet", "")]
    )
    traffic.replace_ranges("tor", [("192.0.2.220", "192.0.2.220", "exit", "")])
    store_calls(traffic, numbered(calls), token=str(uuid.uuid5(uuid.NAMESPACE_URL, repr(calls[:5]) + str(len(calls)))))
    start = min(call.ts for call in calls)
    return {d.alert_type for d in detect_all(traffic, all_detectors(), start=start, end=NOON + 3600)}


@pytest.mark.parametrize("name", FIRES)
def test_fires(traffic: ClickHouseTraffic, name: str) -> None:
    expected, story = FIRES[name]
    assert expected in alert_types(traffic, story())


@pytest.mark.parametrize("name", STAYS_QUIET)
def test_stays_quiet(traffic: ClickHouseTraffic, name: str) -> None:
    assert alert_types(traffic, STAYS_QUIET[name]()) == set()


def test_what_many_write_into_a_field_accuses_none_after_the_first(traffic: ClickHouseTraffic) -> None:
    store_calls(traffic, numbered(scripts(12)), token="scripts")
    found = detect_all(traffic, all_detectors(), start=NOON, end=NOON + 3600)
    assert {d.key for d in found} and len({d.key for d in found}) <= 2


def test_an_alert_says_identifier_of_the_path_and_no_name_of_ours(traffic: ClickHouseTraffic) -> None:
    stories = [story() for wanted, story in FIRES.values() if wanted == "API_ParameterEnumeration"]
    seen = set()
    for number, calls in enumerate(stories):
        store_calls(traffic, numbered(calls), token=f"enumeration {number}")
        start = min(call.ts for call in calls)
        for found in detect_all(traffic, all_detectors(), start=start, end=NOON + 3600):
            if found.alert_type != "API_ParameterEnumeration":
                continue
            seen.add(found.detector)
            told = [found.explanation.sentence, *(item.summary for item in found.evidence)]
            assert all("identifier 1 of the path" in sentence for sentence in told), told
    assert seen == {"authorization.object_enumeration", "authorization.object_enumeration_by_address"}
