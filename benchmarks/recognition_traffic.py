"""Whole transactions of invented companies as Gatewatch NDJSON, with one thing planted in each (or nothing).

`transactions(count, seed=…, part=…)` gives labelled samples; the same arguments give the same samples.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from benchmarks.recognition_parts import Part
from benchmarks.recognition_values import b64, letters

__all__ = ["Sample", "transactions"]

Json = Any


@dataclass(frozen=True)
class Sample:
    """One NDJSON line and what a perfect observer would say of it."""

    line: dict[str, Json]
    group: str
    """`sensitive`, `look-alike`, `attack`, `harmless` or `plain`."""
    kind: str
    form: str
    place: str
    location: str
    value: str


@dataclass(frozen=True)
class Company:
    host: str
    language: str
    resources: tuple[str, ...]
    words: tuple[str, ...]


COMPANIES = (
    Company("api.nordlicht-bank.example", "de", ("konten", "zahlungen", "karten", "kunden"), ("Überweisung", "Miete Mai", "Sparplan für Kinder", "Größe 42", "Jürgen", "offen")),
    Company("api.marche-vert.example", "fr", ("produits", "commandes", "clients", "paniers"), ("Pommes biologiques", "livraison à domicile", "payé", "Café d'été", "Éloïse")),
    Company("api.clinica-sol.example", "es", ("pacientes", "citas", "informes", "recetas"), ("revisión anual", "señora Núñez", "¿a qué hora?", "confirmado", "análisis")),
    Company("gateway.szybka-paczka.example", "pl", ("przesylki", "paczki", "adresy", "kurierzy"), ("Przesyłka ekspresowa", "Łódź", "dostarczono", "źródło", "gęś")),
    Company("api.blue-heron.example", "en", ("posts", "repos", "questions", "users"), ("How to cache", "closed as duplicate", "good first issue", "anna", "latest release")),
    Company("api.sakura-travel.example", "ja", ("hotels", "bookings", "reviews", "flights"), ("京都の宿", "とても良い", "予約済み", "東京駅", "Sakura Inn")),
    Company("shop.kniga-dom.example", "ru", ("books", "orders", "authors", "reviews"), ("Война и мир", "в наличии", "отличная книга", "Анна")),
    Company("api.souq-noor.example", "ar", ("items", "carts", "sellers", "offers"), ("تمر فاخر", "شحن مجاني", "متوفر", "Noor")),
    Company("cms.tea-and-letters.example", "en", ("pages", "widgets", "media", "campaigns"), ("Spring blend", "Our story", "draft", "hero banner", "50% off")),
)  # fmt: skip
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "okhttp/4.12.0", "NordlichtApp/7.3.1 (iPhone; iOS 17.5; Scale/3.00)", "python-requests/2.32.3", "Java/17.0.11", "axios/1.7.2",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Dart/3.4 (dart:io)",
)  # fmt: skip
REQUEST_PLACES = ("path", "query", "header", "json", "json array", "form", "multipart", "xml", "graphql variable")
RESPONSE_PLACES = ("response json", "response list", "response xml", "response header", "response prose")
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def location(place: str) -> str:
    if place in ("path", "query", "header"):
        return f"request.{place}"
    return (
        "response.header"
        if place == "response header"
        else "response.body"
        if place.startswith("resp")
        else "request.body"
    )


class Builder:
    """Builds believable lines; every random choice comes from `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.number = 0

    def blank(self) -> tuple[dict[str, Json], Company]:
        rng, company = self.rng, self.rng.choice(COMPANIES)
        self.number += 1
        token = f"{b64(json.dumps({'alg': 'RS256', 'typ': 'JWT'}).encode())}.{b64(json.dumps({'sub': letters(rng, 6)}).encode())}.{b64(rng.randbytes(32))}"
        credential = rng.choice(
            (
                ["Authorization", f"Bearer {token}"],
                ["X-Api-Key", letters(rng, 32)],
                ["Cookie", f"sid={letters(rng, 24)}; lang={company.language}"],
                ["Accept-Language", company.language],
            )
        )
        resource = rng.choice(company.resources)
        return {
            "id": f"q{self.number}", "ts": (START + timedelta(milliseconds=130 * self.number)).isoformat(), "method": "GET", "scheme": "https",
            "host": company.host, "path": f"/v{rng.choice('123')}/{resource}" + rng.choice(["", f"/{rng.randrange(90_000)}", f"/{rng.randrange(900)}/details"]), "query": rng.choice(["", "", "page=2&limit=50", "sort=-created&lang=" + company.language]),
            "http_version": "HTTP/1.1", "request_headers": [["Host", company.host], ["User-Agent", rng.choice(AGENTS)], credential, ["Accept", "application/json"]],
            "response_headers": [["Content-Type", "application/json; charset=utf-8"], ["X-Request-Id", letters(rng, 16)]], "request_body": None, "response_body": json.dumps(self.answer(company), ensure_ascii=rng.random() < 0.5),
            "status": rng.choice((200, 200, 200, 201, 404)), "latency_ms": round(rng.random() * 60, 2), "client_ip": f"198.18.{rng.randrange(256)}.{rng.randrange(1, 255)}",
        }, company  # fmt: skip

    def members(self, company: Company) -> dict[str, Json]:
        """Ordinary members: nothing sensitive, nothing that attacks."""
        rng = self.rng
        choices: dict[str, Callable[[], Json]] = {
            "id": lambda: rng.randrange(1, 9_000_000), "title": lambda: rng.choice(company.words), "count": lambda: rng.randrange(40), "price": lambda: round(rng.random() * 300, 2),
            "active": lambda: rng.random() < 0.5, "createdAt": START.isoformat, "status": lambda: rng.choice(company.words), "tags": lambda: [rng.choice(company.words), "new"],
            "etag": lambda: letters(rng, 12), "parent": lambda: None, "size": lambda: {"w": 30, "h": rng.randrange(90)}, "currency": lambda: rng.choice(["EUR", "PLN", "JPY"]),
        }  # fmt: skip
        return {name: choices[name]() for name in rng.sample(sorted(choices), rng.randrange(2, 8))}

    def answer(self, company: Company) -> Json:
        if self.rng.random() < 0.4:
            return {
                "items": [self.members(company) for _ in range(self.rng.randrange(1, 6))],
                "total": self.rng.randrange(900),
            }
        return {"data": self.members(company)}

    # -- planting ------------------------------------------------------------------------------------------------

    def plant(self, place: str, name: str, value: Json) -> dict[str, Json]:
        """One line with `value` under `name` at `place`."""
        line, company = self.blank()
        text = value if isinstance(value, str) else json.dumps(value)
        planted = getattr(self, "_" + place.replace(" ", "_"))
        planted(
            line,
            company,
            name,
            value if place in ("json", "json array", "graphql variable", "response json", "response list") else text,
        )
        return line

    def _path(self, line: dict[str, Json], company: Company, name: str, value: str) -> None:
        line["path"] = f"/v1/{self.rng.choice(company.resources)}/{last(name)}/{quote(value, safe='')}"

    def _query(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        encode = self.rng.choice((quote, quote_plus))
        key = name if "[" in name or "$" in name else last(name)
        pairs = ["page=1", f"{key}={encode(value, safe='')}", "lang=en"]
        self.rng.shuffle(pairs)
        line["query"] = "&".join(pairs)

    def _header(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        shown = name if name in ATTACK_HEADERS else header_name(name)
        line["request_headers"] = [[n, v] for n, v in line["request_headers"] if n != shown] + [[shown, value]]

    def _json(self, line: dict[str, Json], company: Company, name: str, value: Json) -> None:
        body = nested(name, value)
        if self.rng.random() < 0.5:
            body = {self.rng.choice(("data", "input", "customer")): self.members(company) | body}
        self.body(
            line, "application/json", json.dumps(self.members(company) | body, ensure_ascii=self.rng.random() < 0.5)
        )

    def _json_array(self, line: dict[str, Json], company: Company, name: str, value: Json) -> None:
        items = (
            [self.members(company) | nested(name, value)]
            if self.rng.random() < 0.7
            else [{last(name): ["first", value]}]
        )
        self.body(
            line,
            "application/json",
            json.dumps({"items": [*items, self.members(company)]}, ensure_ascii=self.rng.random() < 0.5),
        )

    def _form(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        key = name if "[" in name else last(name)
        self.body(line, "application/x-www-form-urlencoded", f"step=2&{key}={quote_plus(value)}&agree=on")

    def _multipart(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        edge = "----edge" + letters(self.rng, 12)
        parts = "".join(
            f'--{edge}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'
            for n, v in (("step", "2"), (last(name), value))
        )
        self.body(line, f"multipart/form-data; boundary={edge}", f"{parts}--{edge}--\r\n")

    def _xml(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        self.body(line, "application/xml", document(name, value))

    def _document(self, line: dict[str, Json], _: Company, __: str, value: str) -> None:
        self.body(line, self.rng.choice(("application/xml", "text/xml", "application/soap+xml")), value)

    def _graphql_variable(self, line: dict[str, Json], _: Company, name: str, value: Json) -> None:
        call = {
            "operationName": "Save",
            "query": "mutation Save($input: SaveInput!) { save(input: $input) { id } }",
            "variables": {"input": {"note": "x"} | nested(name, value)},
        }
        line["path"] = "/graphql"
        self.body(line, "application/json", json.dumps(call))

    def _graphql_text(self, line: dict[str, Json], company: Company, name: str, value: str) -> None:
        line["path"] = "/graphql"
        if self.rng.random() < 0.3:
            self._query(line, company, name, value)
        else:
            self.body(line, "application/json", json.dumps({name: value, "variables": {"q": "tea"}}))

    def _response_json(self, line: dict[str, Json], company: Company, name: str, value: Json) -> None:
        line["response_body"] = json.dumps(
            {"data": self.members(company) | nested(name, value)}, ensure_ascii=self.rng.random() < 0.5
        )
        line["status"] = 200

    def _response_list(self, line: dict[str, Json], company: Company, name: str, value: Json) -> None:
        line["response_body"] = json.dumps([self.members(company), self.members(company) | nested(name, value)])
        line["status"] = 200

    def _response_xml(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        line["response_headers"] = [["Content-Type", "application/xml"]]
        line["response_body"], line["status"] = document(name, value), 200

    def _response_header(self, line: dict[str, Json], _: Company, name: str, value: str) -> None:
        line["response_headers"].append([header_name(name), value])

    def _response_prose(self, line: dict[str, Json], company: Company, _: str, value: str) -> None:
        text = self.rng.choice(
            ("We sent it to {}.", "Details: {}, as agreed", "Bitte {} verwenden!", "({})", "Antes: {} ; ahora no")
        ).format(value)
        line["response_body"] = json.dumps({"message": text} | self.members(company), ensure_ascii=False)
        line["status"] = 200

    def body(self, line: dict[str, Json], media: str, text: str) -> None:
        line["method"] = self.rng.choice(("POST", "PUT", "PATCH"))
        line["request_headers"].append(["Content-Type", media])
        line["request_body"] = text


def last(name: str) -> str:
    return name.rpartition(".")[2].lstrip("$")


def header_name(name: str) -> str:
    """`cardNumber` as `X-Card-Number`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", last(name))
    return "-".join(("X", *(word.title() for word in words)))


def nested(name: str, value: Json) -> dict[str, Json]:
    for part in reversed(name.split(".")):
        value = {part: value}
    return dict(value)


def document(name: str, value: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><order xmlns="urn:x"><line no="1"><{last(name)}>{escape(value)}</{last(name)}></line></order>'


def fits(place: str, value: str) -> bool:
    if place in ("header", "response header"):
        return value.isascii() and value.isprintable() and len(value) < 1200
    return len(value) < 300 if place == "path" else len(value) < 1500 if place == "query" else True


# -- samples ---------------------------------------------------------------------------------------------------------

NEUTRAL = ("value", "text", "data", "content", "field1")
ATTACK_PLACES = (*REQUEST_PLACES, "query", "json", "json", "query")
ATTACK_NAMES = ("id", "q", "search", "name", "file", "url", "comment", "sort", "category", "user", "input", "ref")
ATTACK_HEADERS = ("User-Agent", "Referer", "X-Forwarded-For", "X-Api-Version", "X-Forwarded-Host", "X-Client-Name")


def sensitive(build: Builder, part: Part) -> Sample:
    rng = build.rng
    kinds = sorted({s.type for s in part.sensitive})
    kind = rng.choice(kinds)
    one = rng.choice([s for s in part.sensitive if s.type == kind])
    value = one.make(rng)
    places = [
        p for p in (*REQUEST_PLACES, *RESPONSE_PLACES) if fits(p, value) and (one.anywhere or p != "response prose")
    ]
    place = rng.choice(places)
    name = rng.choice(NEUTRAL) if one.anywhere and rng.random() < 0.2 else rng.choice(one.names)
    planted: Json = int(value) if one.type == "credit_card" and value.isdigit() and rng.random() < 0.2 else value
    return Sample(build.plant(place, name, planted), "sensitive", one.type, one.form, place, location(place), value)


def look_alike(build: Builder, part: Part) -> Sample:
    rng = build.rng
    one = rng.choice(part.look_alikes)
    value = one.make(rng)
    place = rng.choice([p for p in (*REQUEST_PLACES, *RESPONSE_PLACES[:4]) if fits(p, value)])
    planted: Json = int(value) if value.isdigit() and value[0] != "0" and rng.random() < 0.4 else value
    return Sample(
        build.plant(place, rng.choice(one.names), planted), "look-alike", one.kind, "", place, location(place), value
    )


def attack(build: Builder, part: Part) -> Sample:
    rng = build.rng
    attacks, disguises = part.attacks, part.disguises
    kind = rng.choice(sorted(attacks))
    text = rng.choice(attacks[kind])
    if kind == "nosql_injection" and text[0] == "{":
        return operators(build, text)
    form = "as it is" if rng.random() < 0.5 else rng.choice([n for n, (_, kinds) in disguises.items() if kind in kinds])
    value = disguises[form][0](rng, text)
    name, place = rng.choice(ATTACK_NAMES), rng.choice([p for p in ATTACK_PLACES if fits(p, value)])
    if kind == "xxe":
        place = rng.choice(("document", "document", "document", "json", "form", "multipart"))
    if kind == "ssrf":
        name = rng.choice(("url", "callback", "webhook", "image", "target", "feed"))
        place = rng.choice(("query", "json", "form", "graphql variable", "json array"))
    if place == "header":
        name = rng.choice(ATTACK_HEADERS)
    line = build.plant(place, name, value)
    if kind == "path_traversal" and form == "as it is" and rng.random() < 0.3:
        place, line = "path", build.plant("path", "files", "x")
        line["path"] = "/v1/files/" + value.replace(" ", "%20").replace("\\", "%5c")
    return Sample(line, "attack", kind, form, place, location(place), value)


def operators(build: Builder, text: str) -> Sample:
    """A NoSQL operator object: as JSON where the place has types, in bracket form in query and form."""
    rng = build.rng
    place = rng.choice(("json", "json", "json array", "graphql variable", "query", "form"))
    tree = json.loads(text)
    if not next(iter(tree)).startswith("$"):
        place = "json"
    name = rng.choice(("password", "user", "token", "filter.name"))
    if place in ("query", "form"):
        operator, operand = next(iter(tree.items()))
        name, value = f"{last(name)}[{operator}]", operand if isinstance(operand, str) else "1"
        return Sample(
            build.plant(place, name, value), "attack", "nosql_injection", "brackets", place, location(place), name
        )
    return Sample(
        build.plant(place, name, tree), "attack", "nosql_injection", "operators", place, location(place), text
    )


def harmless(build: Builder, part: Part) -> Sample:
    rng = build.rng
    kind, names, texts = rng.choice(part.harmless)
    value, name = rng.choice(texts), rng.choice(names)
    places = ["query", "json", "json", "json array", "form", "multipart", "graphql variable"]
    if kind == "GraphQL query text":
        places = ["graphql text"]
    elif kind == "SOAP":
        places = ["document"]
    elif kind.startswith(("names", "shell", "other")):
        places += ["path", "xml", "header"]
    elif kind.startswith(("SQL", "HTML", "mail", "math")):
        places.append("xml")
    elif kind.startswith(("OData", "query lang")):
        places = ["query"]
    place = rng.choice([p for p in places if fits(p, value)])
    return Sample(build.plant(place, name, value), "harmless", kind, "", place, location(place), value)


def plain(build: Builder, _: Part) -> Sample:
    line, company = build.blank()
    if build.rng.random() < 0.4:
        build._json(line, company, "note", build.rng.choice(company.words))  # noqa: SLF001 - same module
    return Sample(line, "plain", "plain", "", "", "", "")


MAKERS: tuple[Callable[[Builder, Part], Sample], ...] = (sensitive, look_alike, attack, harmless, plain)
SHARES = (5, 4, 5, 4, 2)


def transactions(count: int, *, seed: int, part: Part) -> Iterator[Sample]:
    """`count` samples: a quarter sensitive, a quarter attacks, the others benign."""
    build = Builder(random.Random(f"{seed} {part.name}"))
    for _ in range(count):
        yield build.rng.choices(MAKERS, SHARES)[0](build, part)
