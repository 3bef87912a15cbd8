"""Companies: how many people, how busy, which endpoints, which rhythm."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import msgspec

from gatewatch.testing.traffic import Call

__all__ = ["JUDGING", "TUNING", "Company", "ordinary_traffic"]

_DAY = 86_400.0


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """One invented company."""

    name: str
    host: str
    users: int
    calls_per_hour: int
    private: tuple[str, ...]
    """Templates with an owned object in `p0`."""
    public: tuple[str, ...]
    """Templates of catalogue objects that anonymous people read."""
    plain: tuple[str, ...]
    login: str
    hours: float
    """Length of the recording."""
    night_share: float
    """Traffic at night against noon."""
    objects_each: int


TUNING = (
    Company(
        name="bookshop",
        host="api.books.test",
        users=300,
        calls_per_hour=900,
        private=("/orders/{int}", "/invoices/{uuid}"),
        public=("/books/{int}",),
        plain=("/me", "/cart", "/search", "/health"),
        login="/login",
        hours=6,
        night_share=0.3,
        objects_each=3,
    ),
)
JUDGING = (
    Company(
        name="clinic",
        host="portal.clinic.test",
        users=120,
        calls_per_hour=300,
        private=("/v2/patients/{int}/notes", "/v2/labs/{uuid}"),
        public=(),
        plain=("/v2/calendar", "/v2/session", "/v2/news"),
        login="/v2/auth/token",
        hours=30,
        night_share=0.05,
        objects_each=8,
    ),
    Company(
        name="marketplace",
        host="gw.market.test",
        users=2500,
        calls_per_hour=9000,
        private=("/api/orders/{int}", "/api/addresses/{int}", "/api/wallets/{uuid}"),
        public=("/api/items/{int}", "/api/sellers/{slug}"),
        plain=("/api/cart", "/api/feed", "/api/search", "/api/prices", "/api/profile"),
        login="/api/sessions",
        hours=3,
        night_share=0.5,
        objects_each=2,
    ),
    Company(
        name="tiny",
        host="localhost:8080",
        users=25,
        calls_per_hour=300,
        private=("/tickets/{int}",),
        public=(),
        plain=("/status", "/whoami"),
        login="/signin",
        hours=2,
        night_share=1.0,
        objects_each=5,
    ),
)


def ordinary_traffic(company: Company, dice: random.Random, start: float) -> Iterator[Call]:
    """People at work: their own objects, the catalogue, plain pages, logins that sometimes fail."""
    for hour in range(math.ceil(company.hours)):
        begin = start + hour * 3600
        day = 0.5 + 0.5 * math.sin((begin % _DAY) / _DAY * 2 * math.pi - math.pi / 2)
        volume = company.calls_per_hour * (company.night_share + (1 - company.night_share) * day)
        for _ in range(int(volume * dice.uniform(0.9, 1.1))):
            yield from _one(company, dice, begin + dice.random() * 3600)


def _one(company: Company, dice: random.Random, ts: float) -> Iterator[Call]:
    number = (
        min(int(dice.paretovariate(1.1)) - 1, company.users - 1)
        if dice.random() < 0.2
        else dice.randrange(company.users)
    )
    page = Call(
        ts=ts,
        host=company.host,
        user=f"{company.name}-u{number}",
        ip=home(company, number),
        agent=f"Chrome {number % 7}",
    )
    chance = dice.random()
    if chance < 0.04:
        yield from _login(company, dice, ts, number)
    elif chance < 0.45:
        template = dice.choice(company.private)
        owned = {"p0": f"{company.name}-{template}-{number}-{dice.randrange(company.objects_each)}"}
        status = dice.choices((200, 404, 403), (97, 2, 1))[0]
        yield msgspec.structs.replace(page, template=template, objects=owned, status=status)
    elif chance < 0.7 and company.public:
        item = {"p0": str(int(dice.paretovariate(0.7)) % 3000)}
        user = page.user if dice.random() < 0.4 else ""
        yield msgspec.structs.replace(page, template=dice.choice(company.public), objects=item, user=user)
    else:
        yield msgspec.structs.replace(page, template=dice.choice(company.plain))


def _login(company: Company, dice: random.Random, ts: float, number: int) -> Iterator[Call]:
    form = Call(
        ts=ts,
        host=company.host,
        method="POST",
        template=company.login,
        ip=home(company, number),
        agent=f"Chrome {number % 7}",
        login=f"{company.name}-u{number}",
        tried=f"right{number}",
    )
    if dice.random() < 0.08:
        yield msgspec.structs.replace(form, status=401, tried="mistyped")
        ts += dice.uniform(4, 30)
    yield msgspec.structs.replace(form, ts=ts)


def home(company: Company, number: int) -> str:
    """Every third user sits in one of the offices, the others have an address each."""
    if number % 3 == 0:
        return f"198.18.{number % 4}.1"
    return f"100.{64 + len(company.name)}.{number // 250}.{number % 250 + 1}"
