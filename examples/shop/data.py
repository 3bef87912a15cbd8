"""The shop's data: made up, the same on every start. Card numbers and IBANs are the issuers' published test values."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["CUSTOMERS", "PRODUCTS", "card_of", "customer", "order", "product"]

_FIRST = [
    "Anna",
    "Ben",
    "Chen",
    "Dilan",
    "Elif",
    "Femi",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Liam",
    "Mila",
    "Noor",
]
_LAST = [
    "Adler",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanov",
    "Jansen",
    "Kaya",
    "Lopez",
]
_CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4012888888881881"]
_IBANS = ["DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NL91ABNA0417164300"]
_ADJECTIVES = ["quiet", "bright", "sturdy", "folding", "woolen", "copper", "tiny", "classic"]
_THINGS = ["lamp", "kettle", "backpack", "chair", "blanket", "notebook", "tent", "mug"]
_SEED = 20260101


def _customers() -> list[dict[str, Any]]:
    chosen = random.Random(_SEED)
    people = []
    for number in range(1, 1001):
        first, last = chosen.choice(_FIRST), chosen.choice(_LAST)
        people.append(
            {
                "id": number,
                "name": f"{first} {last}",
                "email": f"{first}.{last}{number}@mail.example.com".lower(),
                "phone": f"+49 30 9018{chosen.randrange(10, 99)}{chosen.randrange(10, 99)}",
                "iban": chosen.choice(_IBANS),
            }
        )
    return people


CUSTOMERS = _customers()
PRODUCTS: dict[str, dict[str, Any]] = {
    f"{adjective}-{thing}": {
        "slug": f"{adjective}-{thing}",
        "name": f"{adjective} {thing}".title(),
        "price": 9.9 + len(adjective + thing),
    }
    for adjective in _ADJECTIVES
    for thing in _THINGS
}


def customer(number: int) -> dict[str, Any] | None:
    return CUSTOMERS[number - 1] if 1 <= number <= len(CUSTOMERS) else None


def product(slug: str) -> dict[str, Any] | None:
    return PRODUCTS.get(slug)


def order(number: int) -> dict[str, Any] | None:
    if not 10 <= number < 12_000:
        return None
    owner = customer(number // 10) or CUSTOMERS[0]
    return {
        "id": number,
        "customer": {"id": owner["id"], "email": owner["email"]},
        "total": number % 97 + 0.5,
        "status": "sent",
    }


def card_of(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "holder": CUSTOMERS[number % 1000]["name"],
        "card_number": _CARDS[number % len(_CARDS)],
        "expiry": "12/29",
    }
