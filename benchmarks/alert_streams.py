"""Labelled alert streams: attacks of several steps, lone alerts beside them, crowds behind proxies, recurrence, storms.

Invented after how attacks go and how honest traffic looks, not after how correlation works; every alert carries the
story it belongs to, and alerts of honest people a story each.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from gatewatch.model.alert import Alert, AlertStatus, Explanation, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Actor, ActorKind

__all__ = ["STORIES", "LabelledAlert", "Stream", "stream"]

NOON = 1_767_268_800.0
_LOGIN, _SEARCH, _ORDERS = (
    "POST shop.example /api/login",
    "GET shop.example /api/search",
    "GET shop.example /api/orders/{int}",
)
_PLACES = tuple(
    f"GET {host}.example /v1/{name}"
    for host in ("shop", "bank", "care")
    for name in ("users/{int}", "cards/{int}", "invoices/{int}", "claims/{uuid}", "files/{name}", "admin/stats")
)


class _Kind(msgspec.Struct, frozen=True):
    alert_type: str
    detector: str
    tactic: Tactic
    severity: Severity


_KINDS = {
    "scan": _Kind(
        "API_AccessFromSuspiciousUserAgent", "indicator.suspicious_user_agent", Tactic.EXECUTION, Severity.MEDIUM
    ),
    "spray": _Kind("API_SprayInRequests", "volume.endpoint_spray", Tactic.DISCOVERY, Severity.INFORMATIONAL),
    "stuffing": _Kind(
        "API_CredentialStuffing", "authentication.credential_stuffing", Tactic.CREDENTIAL_ACCESS, Severity.MEDIUM
    ),
    "distributed": _Kind(
        "API_CredentialStuffing",
        "authentication.distributed_credential_stuffing",
        Tactic.CREDENTIAL_ACCESS,
        Severity.HIGH,
    ),
    "guessing": _Kind(
        "API_PasswordGuessing", "authentication.password_guessing", Tactic.CREDENTIAL_ACCESS, Severity.MEDIUM
    ),
    "enumeration": _Kind(
        "API_ParameterEnumeration", "authorization.object_enumeration", Tactic.INITIAL_ACCESS, Severity.MEDIUM
    ),
    "enumeration_ip": _Kind(
        "API_ParameterEnumeration",
        "authorization.object_enumeration_by_address",
        Tactic.INITIAL_ACCESS,
        Severity.MEDIUM,
    ),
    "injection": _Kind("API_InjectionAttempt", "indicator.injection_attempt", Tactic.EXECUTION, Severity.HIGH),
    "listed": _Kind("API_AccessFromSuspiciousIP", "intelligence.suspicious_address", Tactic.PRE_ATTACK, Severity.HIGH),
    "spike": _Kind("API_SpikeInAPITraffic", "volume.traffic_spike", Tactic.IMPACT, Severity.INFORMATIONAL),
    "payload": _Kind("API_SpikeInPayload", "volume.payload_spike", Tactic.EXFILTRATION, Severity.LOW),
}


class LabelledAlert(msgspec.Struct, frozen=True):
    """An alert and the story it belongs to."""

    alert: Alert
    story: str
    kind: str
    """What kind of story."""


class Stream:
    """Collects alerts; all randomness comes from one seed."""

    def __init__(self, seed: int, hours: float, sites: int) -> None:
        self.dice, self.hours, self.sites = random.Random(seed), hours, sites
        self._site = ""
        self.found: list[LabelledAlert] = []
        self.crowds: dict[str, int] = {}
        self._story = self._kind = ""
        self._stories = 0

    def begin(self, kind: str) -> None:
        """The next alerts are one story."""
        self._stories += 1
        self._story, self._kind = f"{kind}-{self._stories}", kind
        self._site = f"{self.dice.randrange(self.sites)}." if self.sites > 1 else ""

    def address(self) -> str:
        """One of its own network."""
        return ".".join(str(self.dice.randrange(1, 250)) for _ in range(4))

    def person(self) -> Actor:
        """A subject nobody else has."""
        return Actor(ActorKind.SUBJECT, f"u{self.dice.getrandbits(40):x}")

    def moment(self) -> float:
        """Somewhere in the stream's time."""
        return NOON + self.dice.random() * 3600 * self.hours

    def place(self) -> str:
        """Any endpoint."""
        return self.dice.choice(_PLACES)

    def raise_(
        self,
        what: str,
        ts: float,
        *,
        ips: tuple[str, ...] = (),
        who: tuple[Actor, ...] = (),
        at: tuple[str, ...] = (),
        lasts: float = 60,
    ) -> None:
        """One alert of the story."""
        kind = _KINDS[what]
        number = len(self.found)
        last = ts + self.dice.random() * lasts
        made = Alert(
            id=f"{number:08x}",
            detector=kind.detector,
            key=f"{self._story}/{number}",
            alert_type=kind.alert_type,
            title=kind.alert_type,
            severity=kind.severity,
            tactic=kind.tactic,
            owasp=OwaspApi.NONE,
            status=AlertStatus.NEW,
            first_seen=ts,
            last_seen=last,
            detected_at=ts,
            updated_at=last,
            actors=who,
            client_ips=ips,
            endpoints=tuple(f"{method} {self._site}{rest}" for method, _, rest in (one.partition(" ") for one in at)),
            count=self.dice.randrange(1, 400),
            explanation=Explanation(sentence=f"{kind.alert_type} at {', '.join(at)}"),
        )
        self.found.append(LabelledAlert(made, self._story, self._kind))


def _takeover(s: Stream) -> None:
    """Scan, stuffing, an account that got in, its data read; sometimes from a second address."""
    ip, second, victim, start = s.address(), s.address(), s.person(), s.moment()
    s.raise_("scan", start, ips=(ip,), at=tuple(s.place() for _ in range(3)))
    s.raise_("stuffing", start + s.dice.uniform(60, 900), ips=(ip,), at=(_LOGIN,))
    gone = s.dice.random() < 0.5
    s.raise_("enumeration", start + 1200, ips=(second if gone else ip,), who=(victim,), at=(_ORDERS,))
    if gone:  # the account was tried once from the first address too, which the enumeration's window still shows
        s.raise_("enumeration", start + 1100, ips=(ip,), who=(victim,), at=(s.place(),))
    s.raise_("payload", start + 2400, ips=(second if gone else ip,), who=(victim,), at=(_ORDERS,))


def _botnet(s: Stream) -> None:
    """A distributed alert that names the addresses, and alerts of single ones."""
    ips, start = tuple(s.address() for _ in range(40)), s.moment()
    s.raise_("distributed", start, ips=ips, at=(_LOGIN,), lasts=900)
    for ip in s.dice.sample(ips, 8):
        s.raise_(s.dice.choice(["stuffing", "listed"]), start + s.dice.uniform(0, 900), ips=(ip,), at=(_LOGIN,))


def _swarm(s: Stream) -> None:
    """Many addresses do one thing to one endpoint; nothing else ties them together."""
    start, place, what = s.moment(), s.place(), s.dice.choice(["enumeration_ip", "injection"])
    for _ in range(s.dice.randrange(6, 25)):
        s.raise_(what, start + s.dice.uniform(0, 600), ips=(s.address(),), at=(place,))


def _injector(s: Stream) -> None:
    """One address, several endpoints and techniques."""
    ip, start = s.address(), s.moment()
    for step in range(s.dice.randrange(2, 6)):
        s.raise_(s.dice.choice(["injection", "scan", "spray"]), start + 240 * step, ips=(ip,), at=(s.place(),))


def _hopper(s: Stream) -> None:
    """One account, a new address for every alert (a phone, a VPN), over hours."""
    who, start = s.person(), s.moment()
    for step in range(s.dice.randrange(2, 6)):
        s.raise_("enumeration", start + 2400 * step, ips=(s.address(),), who=(who,), at=(s.place(),))


def _slow(s: Stream) -> None:
    """The same address once every few hours."""
    ip, start = s.address(), s.moment()
    for step in range(3):
        s.raise_("enumeration_ip", start + 5 * 3600 * step, ips=(ip,), at=(s.place(),))


def _lone(s: Stream) -> None:
    """Somebody who set off one alert and has to do with nobody."""
    known = s.dice.random() < 0.5
    what = s.dice.choice(["enumeration", "spray", "guessing", "injection", "listed"])
    s.raise_(
        what,
        s.moment(),
        ips=(s.address(),),
        who=(s.person(),) if known else (),
        at=(s.dice.choice([s.place(), _LOGIN, _SEARCH]),),
    )


def _office(s: Stream) -> None:
    """Honest people and one attacker behind one address that many use."""
    ip = s.address()
    s.crowds[ip] = s.dice.randrange(40, 400)
    for _ in range(s.dice.randrange(3, 9)):
        s.begin("shared proxy")
        who = s.person()
        s.raise_(
            s.dice.choice(["enumeration", "spray", "guessing"]), s.moment(), ips=(ip,), who=(who,), at=(s.place(),)
        )


def _neighbours(s: Stream) -> None:
    """Two customers of one provider in one /24, each with something of their own."""
    network = s.address().rpartition(".")[0]
    for _ in range(2):
        s.begin("same network")
        s.raise_(
            s.dice.choice(["enumeration", "spray"]),
            s.moment(),
            ips=(f"{network}.{s.dice.randrange(1, 250)}",),
            who=(s.person(),),
            at=(s.place(),),
        )


def _busy_login(s: Stream) -> None:
    """Two who guess passwords at the same endpoint in the same hour and know nothing of each other."""
    for _ in range(2):
        s.begin("same endpoint")
        s.raise_("guessing", s.moment(), ips=(s.address(),), at=(_LOGIN,))


def _scanned_twice(s: Stream) -> None:
    """Two tools walk the same API in the same minutes for different people; one of them tries passwords too."""
    places, start = s.dice.sample(_PLACES, 6), s.moment()
    for step in range(2):
        s.begin("same API")
        ip = s.address()
        if step:
            s.raise_("stuffing", start + s.dice.uniform(0, 300), ips=(ip,), at=(_LOGIN,))
        walked = tuple(s.dice.sample(places, s.dice.randrange(2, 6)))
        s.raise_("scan", start + s.dice.uniform(0, 600), ips=(ip,), at=walked)


def _spike(s: Stream) -> None:
    """A marketing mail: a spike that belongs to nobody."""
    s.raise_("spike", s.moment(), at=(s.place(),))


STORIES: dict[str, tuple[Callable[[Stream], None], int]] = {
    "takeover": (_takeover, 30),
    "botnet": (_botnet, 6),
    "swarm": (_swarm, 4),
    "injector": (_injector, 40),
    "address hopper": (_hopper, 30),
    "slow address": (_slow, 20),
    "lone": (_lone, 1000),
    "shared proxy": (_office, 40),
    "same network": (_neighbours, 80),
    "same endpoint": (_busy_login, 40),
    "same API": (_scanned_twice, 40),
    "spike": (_spike, 40),
}
"""How many of each there are in four hours; at the same few endpoints, so that chance meetings are usual."""


def stream(seed: int, *, hours: float = 4, sites: int = 1, **counts: Any) -> Stream:
    """Alerts in order of time, each story at one of `sites` with the same endpoints.

    It begins cold: what is usual has to be learnt in its first hour.
    """
    made = Stream(seed, hours, sites)
    for kind, (tell, count) in STORIES.items():
        for _ in range(counts.get(kind.replace(" ", "_"), count)):
            made.begin(kind)
            tell(made)
    made.found.sort(key=lambda one: (one.alert.first_seen, one.alert.id))
    return made
