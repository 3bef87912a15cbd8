"""Enforcements as a fragment of an Azure API Management policy document, merged as text.

A policy document is not quite XML (expressions hold quotes and angle brackets), so nothing of it is parsed: our
fragment stands between two comments at the beginning of `inbound`, and everything else stays octet for octet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network
from xml.sax.saxutils import escape

from gatewatch.model.containment import Effect
from gatewatch.model.enforcement import Enforcement, actor_of, mark, network_of, place_of

__all__ = ["NEW", "SAFE_NAME", "entries_in", "fragment", "fragment_in", "merged"]

NEW = "<policies><inbound /><backend><forward-request /></backend><outbound /><on-error /></policies>"
"""What a service without a policy of its own does."""
SAFE_NAME = re.compile(r"[\w.@:+|/ =,-]{1,256}")
_BEGIN, _END = "<!-- gatewatch: begin; written by Gatewatch, changes are lost -->", "<!-- gatewatch: end -->"
_FRAGMENT = re.compile(re.escape(_BEGIN) + r".*?" + re.escape(_END) + r"\n?", re.DOTALL)
_ENTRY = re.compile(r"<!-- gatewatch entry ([a-z0-9-]{1,40}) ([0-9a-f]{10}) -->")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INBOUND = re.compile(r"<inbound\s*>(?:\s*<base\s*/>)?")
_EMPTY_INBOUND = re.compile(r"<inbound\s*/>")
_LONGEST_PERIOD_S = 300
_CALLER = '(context.Request.Headers.GetValueOrDefault("Authorization","").Split(\' \').Last()).AsJwt()?.Subject'


def fragment(wanted: Sequence[Enforcement]) -> str:
    """'' when nothing is wanted."""
    if not wanted:
        return ""
    lines = [_BEGIN, *_filter([one for one in wanted if _is_plain(one)])]
    answering = [one for one in wanted if one.effect is not Effect.THROTTLE and not _is_plain(one)]
    if answering:
        lines += ["<choose>", *(line for one in answering for line in _answer(one)), "</choose>"]
    lines += [line for one in wanted if one.effect is Effect.THROTTLE for line in _limit(one)]
    return "\n".join([*lines, _END]) + "\n"


def merged(document: str, ours: str) -> str:
    """The document with our fragment in place of an earlier one. Raises ValueError when it has no inbound section."""
    without = _FRAGMENT.sub("", document)
    if not ours:
        return without
    # The document that the portal begins with speaks of `<inbound>` in its first comment.
    bare = _COMMENT.sub(lambda comment: " " * len(comment.group()), without)
    if empty := _EMPTY_INBOUND.search(bare):
        return f"{without[: empty.start()]}<inbound>{ours}</inbound>{without[empty.end() :]}"
    found = _INBOUND.search(bare)
    if found is None:
        raise ValueError("the policy document has no inbound section")
    return without[: found.end()] + ours + without[found.end() :]


def fragment_in(document: str) -> str:
    """Ours, as it stands there; ''."""
    found = _FRAGMENT.search(document)
    return found.group(0) if found else ""


def entries_in(document: str) -> dict[str, str]:
    """Id -> mark of what our fragment says that it holds."""
    return dict(_ENTRY.findall(fragment_in(document)))


def _is_plain(one: Enforcement) -> bool:
    return one.effect is Effect.BLOCK and isinstance(network_of(one.scope), IPv4Network) and not one.scope.endpoint


def _filter(wanted: Iterable[Enforcement]) -> list[str]:
    lines = []
    for one in wanted:
        network = network_of(one.scope)
        if network is None:
            continue
        lines.append(_comment(one))
        if network.num_addresses == 1:
            lines.append(f"<address>{network.network_address}</address>")
        else:
            first, last = network.network_address, network.broadcast_address
            lines.append(f'<address-range from="{first}" to="{last}" />')
    return ['<ip-filter action="forbid">', *lines, "</ip-filter>"] if lines else []


def _answer(one: Enforcement) -> list[str]:
    code, reason = (503, "Temporarily disabled") if one.effect is Effect.DISABLE_ENDPOINT else (403, "Forbidden")
    status = f'<return-response><set-status code="{code}" reason="{reason}" /></return-response>'
    return [f'<when condition="{_attribute(_condition(one))}">', _comment(one), status, "</when>"]


def _limit(one: Enforcement) -> list[str]:
    calls, period = one.calls or 1, one.per_s
    if period > _LONGEST_PERIOD_S:
        calls, period = max(1, round(calls * _LONGEST_PERIOD_S / period)), _LONGEST_PERIOD_S
    limit = f'<rate-limit-by-key calls="{calls}" renewal-period="{period}" counter-key="gatewatch-{one.id}" />'
    condition = _attribute(_condition(one))
    return ["<choose>", f'<when condition="{condition}">', _comment(one), limit, "</when>", "</choose>"]


def _condition(one: Enforcement) -> str:
    parts = []
    if (network := network_of(one.scope)) is not None:
        parts.append(f'context.Request.IpAddress == "{network.network_address}"')
    kind, name = actor_of(one.scope)
    if kind == "subject":
        parts.append(f'{_CALLER} == "{name}"')
    elif kind == "consumer" and name.startswith("product:"):
        parts.append(f'context.Product?.Id == "{name.removeprefix("product:")}"')
    elif kind == "consumer":
        parts.append(f'context.Subscription?.Id == "{name}"')
    if (place := place_of(one.scope)) is not None:
        if place.method:
            parts.append(f'context.Request.Method == "{place.method}"')
        if place.host:
            parts.append(f'context.Request.OriginalUrl.Host.ToLower() == "{place.name}"')
        matching = "System.Text.RegularExpressions.Regex.IsMatch"
        parts.append(f'{matching}(context.Request.OriginalUrl.Path, @"{place.pattern(raw=True)}")')
    return f"@({' && '.join(parts)})"


def _comment(one: Enforcement) -> str:
    return f"<!-- gatewatch entry {one.id} {mark(one)} -->"


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
