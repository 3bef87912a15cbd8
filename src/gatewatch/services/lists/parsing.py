"""The list formats people have: one address a line with comments, CSV, MaxMind databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import maxminddb

from gatewatch.errors import DefinitionError
from gatewatch.services.lists.flattening import AddressRange, network_range

__all__ = ["parse_ip_info_csv", "parse_maxmind", "parse_threat_list"]

_MAX_REPORTED = 5
_TOR_WORDS = ("ExitNode", "Published", "LastStatus")
_TRAIT_KINDS = (
    ("is_tor_exit_node", "tor"),
    ("is_hosting_provider", "hosting"),
    ("is_residential_proxy", "residential_proxy"),
    ("is_public_proxy", "proxy"),
    ("is_anonymous_vpn", "vpn"),
)
_USER_TYPE_KINDS = {"cellular": "mobile", "business": "corporate", "college": "education", "school": "education"}


def parse_threat_list(text: str, *, file: str) -> Iterator[AddressRange]:
    """One address, prefix or `first-last` a line; `#` and `;` begin comments; what follows the address is the label.

    Reads plain lists, Spamhaus DROP, the Tor project's exit list and `address,label` CSV; a first line that is not an
    address is a heading. Raises DefinitionError naming up to five wrong lines; nothing is taken from a list with
    mistakes, because half a list looks like a working one.
    """
    mistakes: list[int] = []
    found: list[AddressRange] = []
    headed = False
    for number, line in enumerate(text.splitlines(), start=1):
        content, _, comment = line.replace(";", "#").partition("#")
        words = content.replace(",", " ").split()
        if words and words[0] == "ExitAddress":
            words = words[1:2]
        if not words or words[0] in _TOR_WORDS:
            continue
        if not found and not mistakes and not headed and not _looks_like_address(words[0]):
            headed = True
            continue
        try:
            found.append(network_range(words[0], " ".join(words[1:]) or comment.strip()[:80] or "listed", file))
        except ValueError:
            mistakes.append(number)
    _raise_for(mistakes, "is not an address, a prefix or a range", file)
    yield from found


def parse_ip_info_csv(text: str, *, file: str) -> Iterator[AddressRange]:
    """`prefix,country,kind` lines, header optional; label = kind, detail = country. Raises DefinitionError."""
    mistakes: list[int] = []
    found: list[AddressRange] = []
    headed = False
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not row or row[0].lstrip().startswith("#"):
            continue
        if not found and not mistakes and not headed and not _looks_like_address(row[0].strip()):
            headed = True
            continue
        cells = [cell.strip() for cell in row] + ["", ""]
        try:
            found.append(network_range(cells[0], cells[2].lower() or "unknown", cells[1].upper()))
        except ValueError:
            mistakes.append(number)
    _raise_for(mistakes, "is not `prefix,country,kind`", file)
    yield from found


def parse_maxmind(path: str) -> Iterator[AddressRange]:
    """Every network of a MaxMind database; kind from traits and user type, country from its ISO code.

    Raises DefinitionError when the file is not a MaxMind database.
    """
    try:
        reader = maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise DefinitionError(f"not a readable MaxMind database: {error}", file=path) from error
    with reader:
        for network, record in reader:
            if isinstance(record, dict):
                yield network_range(str(network), _kind(record), _country(record))


def _kind(record: dict[str, Any]) -> str:
    traits = {**record, **(record.get("traits") or {})}
    for member, kind in _TRAIT_KINDS:
        if traits.get(member):
            return kind
    named = str(traits.get("kind") or traits.get("user_type") or "unknown").lower()
    return _USER_TYPE_KINDS.get(named, named)


def _country(record: dict[str, Any]) -> str:
    country = record.get("country") or record.get("registered_country") or {}
    if isinstance(country, dict):
        return str(country.get("iso_code") or "")
    return str(record.get("country_code") or country)


def _looks_like_address(word: str) -> bool:
    return ":" in word or word[:1].isdigit()


def _raise_for(mistakes: list[int], what: str, file: str) -> None:
    if mistakes:
        more = f" (and {len(mistakes) - _MAX_REPORTED} more)" if len(mistakes) > _MAX_REPORTED else ""
        lines = ", ".join(map(str, mistakes[:_MAX_REPORTED]))
        raise DefinitionError(
            f"line {lines}{more} {what}", file=file, line=mistakes[0], cure="Correct or remove the line."
        )
