"""Labelled route tables (template_routes.txt) and the values that routes are called with."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["POOLS", "TABLES", "Table"]

_LINES = (Path(__file__).parent / "template_routes.txt").read_text(encoding="utf-8").splitlines()
_WORDS = {line.split()[1]: line.split()[2:] for line in _LINES if line.startswith("@")}


def _word(rng: random.Random) -> str:
    return "".join(
        rng.choice(_WORDS["onsets"]) + rng.choice(_WORDS["vowels"]) + rng.choice(_WORDS["codas"]).strip("'")
        for _ in range(rng.choice((1, 2, 2)))
    )


def _slug(rng: random.Random) -> str:
    words = [
        rng.choice(
            (rng.choice(_WORDS["adjectives"]), rng.choice(_WORDS["nouns"]), rng.choice(_WORDS["topics"]), _word(rng))
        )
    ]
    return "-".join(
        words
        + [
            rng.choice((rng.choice(_WORDS["nouns"]), rng.choice(_WORDS["topics"]), _word(rng)))
            for _ in range(rng.randint(1, 4))
        ]
    )


def _user(rng: random.Random) -> str:
    name = rng.choice((rng.choice(_WORDS["first"]), _word(rng)))
    return rng.choice(
        (name, f"{name}.{_word(rng)}", f"{name}_{_word(rng)}", f"{name}{rng.randint(1, 99)}", _word(rng) + name)
    )


def _opaque(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(size))


def _uuid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_ALNUM = string.ascii_letters + string.digits
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Draw = Callable[[random.Random], str]
POOLS: dict[str, tuple[int, Draw]] = {
    "int": (5000, lambda r: str(r.randint(1, 10**6))),
    "uuid": (5000, _uuid),
    "ulid": (3000, lambda r: "01" + _opaque(r, _CROCKFORD, 24)),
    "objectid": (3000, lambda r: f"{r.getrandbits(96):024x}"),
    "nanoid": (3000, lambda r: _opaque(r, _ALNUM + "_-", 21)),
    "short": (3000, lambda r: _opaque(r, _ALNUM, 7)),
    "sha": (1500, lambda r: f"{r.getrandbits(160):040x}"),
    "shorthash": (1500, lambda r: f"{r.getrandbits(28):07x}"),
    "slug": (4000, _slug),
    "post": (800, _slug),
    "user": (3000, _user),
    "handle": (800, lambda r: "@" + _user(r)),
    "owner": (400, _user),
    "repo": (600, lambda r: r.choice((_word(r), _slug(r), _word(r) + "-" + _word(r)))),
    "tenant": (60, lambda r: _word(r) + r.choice(("", "", "corp", "tech"))),
    "city": (32, lambda r: r.choice(_WORDS["cities"])),
    "tag": (16, lambda r: r.choice(_WORDS["tags"])),
    "topic": (200, lambda r: r.choice((r.choice(_WORDS["topics"]), _word(r)))),
    "category": (14, lambda r: f"{r.choice(_WORDS['adjectives'])}-{r.choice(_WORDS['nouns'])}"),
    "country": (30, lambda r: r.choice(_WORDS["countries"])),
    "COUNTRY": (30, lambda r: r.choice(_WORDS["countries"]).upper()),
    "lang": (8, lambda r: r.choice(("en", "de", "fr", "es", "it", "pl", "nl", "sv"))),
    "locale": (8, lambda r: r.choice(("en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "pt-BR", "it-IT", "ja-JP"))),
    "iata": (26, lambda r: r.choice(_WORDS["iata"])),
    "ticker": (21, lambda r: r.choice(_WORDS["tickers"])),
    "currency": (18, lambda r: r.choice(_WORDS["money"])),
    "sku": (900, lambda r: f"{_opaque(r, string.ascii_uppercase, 3)}-{r.randint(100, 9999)}"),
    "textsku": (
        300,
        lambda r: f"{r.choice(_WORDS['nouns']).upper()}-{r.choice(_WORDS['adjectives']).upper()}-{r.choice('SMLX')}",
    ),
    "date": (400, lambda r: f"20{r.randint(18, 26)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"),
    "year": (9, lambda r: str(r.randint(2018, 2026))),
    "month": (12, lambda r: f"{r.randint(1, 12):02}"),
    "email": (1500, lambda r: f"{_user(r)}@{_word(r)}.example"),
    "phone": (1500, lambda r: f"+49{r.randint(10**8, 10**10)}"),
    "package": (
        600,
        lambda r: r.choice(
            (r.choice(_WORDS["topics"]), _word(r), f"{_word(r)}-{_word(r)}", f"{r.choice(_WORDS['topics'])}-{_word(r)}")
        ),
    ),
    "semver": (60, lambda r: f"{r.randint(0, 9)}.{r.randint(0, 20)}.{r.randint(0, 30)}"),
    "title": (900, lambda r: "_".join(_word(r).title() for _ in range(r.randint(1, 4)))),
    "german": (300, lambda r: r.choice(("über-", "schöne-", "grüne-")) + _word(r)),
    "order": (2000, lambda r: f"ORD-{r.randint(10**5, 10**6)}"),
    "image": (700, lambda r: f"{_word(r)}{r.choice(('', '-', '_'))}{_word(r)}.png"),
    "script": (60, lambda r: f"{_word(r)}.{f'{r.getrandbits(32):08x}'}.js"),
    "folder": (40, _slug),
    "bucket": (50, lambda r: f"{_word(r)}-{r.choice(('prod', 'dev', 'backup'))}"),
    "key": (500, lambda r: f"{_word(r)}_{_word(r)}"),
    "flag": (80, lambda r: f"enable_{_word(r)}_{_word(r)}"),
    "coords": (800, lambda r: f"{r.uniform(-90, 90):.4f},{r.uniform(-180, 180):.4f}"),
    "ids": (500, lambda r: ",".join(str(r.randint(1, 9999)) for _ in range(r.randint(2, 5)))),
    "ip": (500, lambda r: ".".join(str(r.randint(1, 254)) for _ in range(4))),
    "species": (200, lambda r: _word(r) + "saurus"),
    "player": (300, lambda r: _word(r).title() + r.choice(_WORDS["first"]).title()),
    "device": (400, lambda r: f"sensor-{r.choice('abcdef')}{r.randint(1, 40)}"),
    "isbn": (800, lambda r: f"978{r.randint(10**9, 10**10 - 1)}"),
    "namespace": (25, lambda r: r.choice((_word(r), f"team-{_word(r)}", "kube-system"))),
    "pod": (
        600,
        lambda r: f"{_word(r)}-{f'{r.getrandbits(36):09x}'}-{_opaque(r, string.ascii_lowercase + string.digits, 5)}",
    ),
    "charge": (2000, lambda r: f"ch_{_opaque(r, _ALNUM, 24)}"),
    "cus": (1500, lambda r: f"cus_{_opaque(r, _ALNUM, 14)}"),
    "card": (1500, lambda r: f"card_{_opaque(r, _ALNUM, 24)}"),
    "index": (40, lambda r: r.choice((_word(r), f"logs-{_word(r)}", f"logs-2024.{r.randint(1, 12):02}"))),
    "imagetag": (
        60,
        lambda r: r.choice(("latest", "stable", f"v{r.randint(1, 3)}.{r.randint(0, 9)}.0", f"{_word(r)}")),
    ),
    "digest": (900, lambda r: f"sha256:{r.getrandbits(256):064x}"),
    "model": (50, lambda r: f"{_word(r)}-{r.choice(('7b', 'small', 'xl', 'v2'))}"),
    "postcode": (
        700,
        lambda r: f"{_opaque(r, 'ABCDEGHLMNS', 2)}{r.randint(1, 9)}%20{r.randint(1, 9)}{_opaque(r, 'ABDEFGH', 2)}",
    ),
    "pair": (60, lambda r: "".join(r.sample(_WORDS["money"], 2))),
    "zip": (900, lambda r: f"{r.randint(0, 99999):05}"),
    "monthname": (
        12,
        lambda r: r.choice(("january", "february", "march", "april", "june", "july", "august", "october")),
    ),
    "star": (60, lambda r: _word(r).title() + r.choice((" ", "%20")).strip() + _word(r)),
    "hostname": (80, lambda r: f"{_word(r)}.{_word(r)}.example"),
}


@dataclass(frozen=True)
class Table:
    """One service."""

    name: str
    held_out: bool = False
    blind: bool = False
    hosts: tuple[str, ...] = ("api.example.com",)
    noise: str = ""
    """scan: 404 and 403 on attack paths; wall: 403 on everything unknown; catchall: 200 with one page on everything."""
    noise_share: float = 0.0
    has_shapes: bool = True
    routes: tuple[str, ...] = ()


def _table(head: str, lines: list[str]) -> Table:
    name, *options = (part.strip() for part in head.removeprefix("==").split("|"))
    given = dict(option.partition("=")[::2] for option in options)
    noise, _, share = given.get("noise", "").partition(":")
    hosts = tuple(given["hosts"].split(",")) if "hosts" in given else Table.hosts
    return Table(
        name,
        "held-out" in given,
        "blind" in given,
        hosts,
        noise,
        float(share or 0),
        "no-shapes" not in given,
        tuple(lines),
    )


def _read(lines: list[str]) -> list[Table]:
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("=="):
            found.append((line, []))
        elif line and line[0] not in "#@":
            found[-1][1].append(line)
    return [_table(head, lines) for head, lines in found]


TABLES = _read(_LINES)
