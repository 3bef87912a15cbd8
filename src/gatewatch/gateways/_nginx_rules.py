"""Enforcements as nginx directives: one file for `http`, one for `server`."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.model.containment import Effect
from gatewatch.model.enforcement import Enforcement, mark, network_of, place_of

__all__ = ["http_part", "server_part"]

_CALL = "$request_method|$host|$uri"
_BURST_MOST = 10_000


def http_part(wanted: Sequence[Enforcement], version: str) -> str:
    """Variables and zones. Values are addresses, our ids and patterns of `Place`: nothing that could end a quote."""
    lines = [f'map $host $gatewatch_version {{ default "{version}"; }}']
    plain = [one for one in wanted if one.effect is Effect.BLOCK and place_of(one.scope) is None]
    lines += ["geo $gatewatch_from {", '  default "";']
    seen = set()
    for one in plain:
        if (network := network_of(one.scope)) not in seen:
            seen.add(network)
            lines.append(f'  {network} "{one.id}";')
    lines.append("}")
    placed = [one for one in wanted if one.effect is Effect.BLOCK and one not in plain]
    disabled = [one for one in wanted if one.effect is Effect.DISABLE_ENDPOINT]
    throttled = [one for one in wanted if one.effect is Effect.THROTTLE]
    for one in (*placed, *disabled, *throttled):
        lines += _condition(one)
    lines += _any("refused", ["$gatewatch_from", *map(_fits, placed)])
    lines += _any("disabled", [*map(_fits, disabled)])
    for one in throttled:
        per_minute = max(1, round((one.calls or 1) * 60 / one.per_s))
        lines.append(f"limit_req_zone {_fits(one)} zone={_zone(one)}:64k rate={per_minute}r/m;")
    return "\n".join(lines) + "\n"


def server_part(wanted: Sequence[Enforcement]) -> str:
    """What happens to calls."""
    lines = ["if ($gatewatch_refused) { return 403; }", "if ($gatewatch_disabled) { return 503; }"]
    throttled = [one for one in wanted if one.effect is Effect.THROTTLE]
    for one in throttled:
        burst = min((one.calls or 1) - 1, _BURST_MOST)
        lines.append(f"limit_req zone={_zone(one)}" + (f" burst={burst} nodelay;" if burst else ";"))
    if throttled:
        lines.append("limit_req_status 429;")
    return "\n".join(lines) + "\n"


def _fits(one: Enforcement) -> str:
    return "$gatewatch_fits_" + one.id.replace("-", "_")


def _zone(one: Enforcement) -> str:
    # nginx refuses to load when a zone of the same name has another key: a changed entry has another zone.
    return f"gatewatch_{one.id}_{mark(one)}"


def _condition(one: Enforcement) -> list[str]:
    """Lines that set a variable to the entry's id for calls in scope, to '' for others."""
    network, place = network_of(one.scope), place_of(one.scope)
    name = one.id.replace("-", "_")
    lines = []
    if network is not None:
        variable = f"$gatewatch_in_{name}" if place else _fits(one)
        lines.append(f'geo {variable} {{ default ""; {network} "{one.id}"; }}')
    if place is None:
        return lines
    host = place.name_pattern() or "[^|]*"
    who = f"{one.id}\\|" if network is not None else ""
    pattern = f"^{who}{place.method or '[A-Z]+'}\\|{host}\\|{place.pattern()[1:]}"
    subject = f"$gatewatch_in_{name}|{_CALL}" if network is not None else _CALL
    return [*lines, f'map "{subject}" {_fits(one)} {{ default ""; "~{pattern}" "{one.id}"; }}']


def _any(name: str, variables: Sequence[str]) -> list[str]:
    return [f'map "{"".join(variables)}" $gatewatch_{name} {{ default 1; "" ""; }}']
