"""Whom a plan would hit, and what it did: counted from stored minutes of traffic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gatewatch.errors import InputError
from gatewatch.model.containment import BlastRadius, Containment, Scope, ScopeKind
from gatewatch.model.enforcement import actor_of, network_of, place_of
from gatewatch.ports.traffic import Bound, Row, TrafficStore
from gatewatch.respond.effect import Counts
from gatewatch.respond.recovery import Minute

__all__ = ["counts_of", "minutes_of", "radius_of"]

_MOST_NAMED = 20
_MINUTE_S = 60.0
_LONGEST_S = 3600.0
"""However long something is in force: raw traffic is read for so long before and after, no longer."""
_SELDOM = 0.05
"""Share of an attack's calls that got 401 or 404 before, up to which these are a gateway's refusals afterwards."""
_FROM = "client_ip BETWEEN toIPv6({first:String}) AND toIPv6({last:String})"
_BY = "concat(actor_kind, ':', actor_id) = {actor:String}"
_ENDPOINTS = """
 path_id IN (SELECT path_id FROM paths FINAL
             WHERE ({{method:String}} = '' OR method = {{method:String}})
               AND ({{host:String}} = '' OR lower(host) = {{host:String}})
               AND (trimRight(template, '/') = {{template:String}}{below} OR match(template, {{pattern:String}})))
"""
"""Also literal paths beside a placeholder: gateways match `/users/me` by what is written for `/users/{slug}`."""
_BELOW = " OR startsWith(template, concat({template:String}, '/'))"
_OTHERS = """
 NOT (has({attackers:Array(String)}, concat(actor_kind, ':', actor_id))
      OR (actor_kind = 'address'
          AND has({addresses:Array(String)}, replaceRegexpOne(toString(client_ip), '^::ffff:', ''))))
"""
_RADIUS = """
SELECT sum(calls) AS calls_all, sumIf(calls, hit) AS calls_hit, uniqExactIf(who, hit) AS actors_hit,
       uniqExactIf(who, hit AND other) AS bystanders, sumIf(calls, hit AND other) AS bystander_calls,
       groupUniqArrayIf(20)(path_id, hit) AS paths_hit
FROM
(
    SELECT calls, path_id, concat(actor_kind, ':', actor_id) AS who, ({scope}) AS hit, ({others}) AS other
    FROM traffic_minute_data
    WHERE minute >= fromUnixTimestamp(toUInt32({{since:Float64}}))
      AND minute <= fromUnixTimestamp(toUInt32({{until:Float64}}))
)
"""
_BUSIEST = """
SELECT concat(actor_kind, ':', actor_id) AS who, sum(calls) AS calls FROM traffic_minute_data
WHERE minute >= fromUnixTimestamp(toUInt32({{since:Float64}}))
  AND minute <= fromUnixTimestamp(toUInt32({{until:Float64}}))
  AND ({scope}) AND ({others})
GROUP BY who ORDER BY calls DESC, who LIMIT {most}
"""
_LABELS = """
SELECT DISTINCT concat(method, ' ', host, ' ', template) AS label FROM paths FINAL
WHERE path_id IN ({ids:Array(UInt64)}) AND endpoint_id != 0 ORDER BY label
"""
_COUNTS = """
SELECT sumIf(calls, hit AND NOT other AND NOT refused AND early) AS passed_before,
       sumIf(calls, hit AND NOT other AND NOT refused AND NOT early) AS passed_after,
       sumIf(calls, hit AND NOT other AND answered AND early) AS answered_before,
       sumIf(calls, hit AND NOT other AND answered AND NOT early) AS answered_after,
       sumIf(calls, hit AND NOT other AND NOT early) AS attempts_after,
       minIf(at, hit AND NOT other AND (NOT refused OR answered) AND early) AS attack_began,
       sumIf(calls, other AND NOT early) AS others_after,
       sumIf(calls, hit AND other AND refused AND early) AS refused_before,
       sumIf(calls, hit AND other AND refused AND NOT early) AS refused_after
FROM
(
    SELECT 1 AS calls, status IN (401, 403, 404, 429, 503) AS refused, status IN (401, 404) AS answered,
           ({scope}) AS hit, ({others}) AS other, toUnixTimestamp64Milli(ts) AS at,
           ts < fromUnixTimestamp64Milli(toInt64({{applied:Float64}} * 1000)) AS early
    FROM observations
    WHERE ts >= fromUnixTimestamp64Milli(toInt64({{since:Float64}} * 1000))
      AND ts <= fromUnixTimestamp64Milli(toInt64({{until:Float64}} * 1000))
      AND (early OR ts >= fromUnixTimestamp64Milli(toInt64({{begin:Float64}} * 1000)))
)
"""
_SHUT_OUT = """
SELECT count() AS actors FROM
(
    WITH ts < fromUnixTimestamp64Milli(toInt64({{applied:Float64}} * 1000)) AS early
    SELECT concat(actor_kind, ':', actor_id) AS who,
           countIf(early AND status NOT IN (401, 403, 404, 429, 503)) AS passed_before,
           countIf(NOT early AND status NOT IN (401, 403, 429, 503)) AS passed_after,
           countIf(NOT early AND status IN (401, 403, 429, 503)) AS refused_after
    FROM observations
    WHERE ts >= fromUnixTimestamp64Milli(toInt64({{since:Float64}} * 1000))
      AND ts <= fromUnixTimestamp64Milli(toInt64({{until:Float64}} * 1000))
      AND (early OR ts >= fromUnixTimestamp64Milli(toInt64({{begin:Float64}} * 1000)))
      AND ({scope}) AND ({others})
    GROUP BY who
    HAVING passed_before > 0 AND passed_after = 0 AND refused_after > 0
)
"""
_MINUTES = """
SELECT toInt64(floor((toUnixTimestamp64Milli(ts) / 1000 - {{since:Float64}}) / 60)) AS bin,
       countIf(hit AND other AND NOT refused) AS normal, countIf(hit AND NOT other AND NOT refused) AS attack,
       count() AS calls
FROM
(
    SELECT ts, status IN (401, 403, 404, 429, 503) AS refused, ({scope}) AS hit, ({others}) AS other
    FROM observations
    WHERE ts >= fromUnixTimestamp64Milli(toInt64({{since:Float64}} * 1000))
      AND ts < fromUnixTimestamp64Milli(toInt64({{until:Float64}} * 1000))
)
GROUP BY bin ORDER BY bin
"""


def radius_of(
    traffic: TrafficStore, scope: Scope, attackers: Sequence[str], *, hours: float, until: float
) -> BlastRadius:
    """What it would have hit in the last hours. Raises InputError for a scope that can't be read."""
    where, bound = _where(scope)
    bound |= _whom(attackers, scope) | {"since": until - hours * 3600, "until": until}
    (row,) = traffic.query(_RADIUS.format(scope=where, others=_OTHERS), bound)
    if not _number(row, "calls_hit"):
        return BlastRadius(hours=hours, calls=_number(row, "calls_all"), calls_hit=0, actors_hit=0)
    busiest = traffic.query(_BUSIEST.format(scope=where, others=_OTHERS, most=_MOST_NAMED), bound)
    paths = row["paths_hit"]
    labels = traffic.query(_LABELS, {"ids": [int(one) for one in paths] if isinstance(paths, list | tuple) else []})
    return BlastRadius(
        hours=hours,
        calls=_number(row, "calls_all"),
        calls_hit=_number(row, "calls_hit"),
        actors_hit=_number(row, "actors_hit"),
        bystanders=tuple(str(one["who"]) for one in busiest),
        bystanders_count=_number(row, "bystanders"),
        bystander_calls=_number(row, "bystander_calls"),
        endpoints_hit=tuple(str(one["label"]) for one in labels),
    )


def counts_of(traffic: TrafficStore, one: Containment, *, until: float, settles_s: float = 0.0) -> Counts:
    """Before it came into force and the last hour after; as long before as after, but at least ten minutes.

    What is seen while a gateway settles counts for nothing. An attack that got 401 and 404 from the application
    before (guessed passwords, scanning) has not ended because it still gets them.
    """
    assert one.in_force_at is not None
    begin = max(one.in_force_at + settles_s, until - _LONGEST_S)
    after_s = max(0.0, until - begin)
    before_s = max(after_s, 10 * _MINUTE_S)
    where, bound = _where(one.plan.scope)
    bound |= _whom(one.attackers, one.plan.scope)
    bound |= {"since": one.in_force_at - before_s, "applied": one.in_force_at, "begin": begin, "until": until}
    (row,) = traffic.query(_COUNTS.format(scope=where, others=_OTHERS), bound)
    # Who comes now and then: an hour, however short the containment has been in force.
    bound["since"] = one.in_force_at - _LONGEST_S
    (out,) = traffic.query(_SHUT_OUT.format(scope=where, others=_OTHERS), bound)
    found = {name: _number(row, name) for name in row}
    own = found["answered_before"] > _SELDOM * (found["answered_before"] + found["passed_before"])
    began = found["attack_began"] / 1000 if found["attack_began"] else one.in_force_at - before_s
    return Counts(
        before_s=before_s,
        after_s=after_s,
        attack_s=min(before_s, max(_MINUTE_S, one.in_force_at - began)),
        attack_before=found["passed_before"] + (found["answered_before"] if own else 0),
        attack_after=found["passed_after"] + (found["answered_after"] if own else 0),
        attempts_after=found["attempts_after"],
        others_after=found["others_after"],
        refused_before=found["refused_before"],
        refused_after=found["refused_after"],
        shut_out=_number(out, "actors"),
    )


def minutes_of(traffic: TrafficStore, one: Containment, *, since: float, until: float) -> list[Minute]:
    """Calls that got through, minute by minute since a moment; minutes without calls are there too."""
    where, bound = _where(one.plan.scope)
    bound |= _whom(one.attackers, one.plan.scope) | {"since": since, "until": until}
    rows = traffic.query(_MINUTES.format(scope=where, others=_OTHERS), bound)
    found = {
        _number(row, "bin"): Minute(_number(row, "normal"), _number(row, "attack"), _number(row, "calls"))
        for row in rows
    }
    return [found.get(index, Minute(0, 0, 0)) for index in range(math.ceil((until - since) / _MINUTE_S))]


def _where(scope: Scope) -> tuple[str, dict[str, Bound]]:
    """(condition on rows with client_ip, actor and path_id, its parameters): the calls that a gateway would match."""
    try:
        network, place = network_of(scope), place_of(scope)
    except ValueError as error:
        raise InputError(f"`{scope.value}` is no {scope.kind.value}: {error}") from error
    bound: dict[str, Bound] = {}
    parts = []
    if network is not None:
        bound |= {"first": str(network[0]), "last": str(network[-1])}
        parts.append(_FROM)
    elif actor := _actor(scope):
        bound["actor"] = actor
        parts.append(_BY)
    if place is not None:
        bound |= {"method": place.method, "host": place.host, "template": place.template.rstrip("/")}
        bound["pattern"] = place.pattern()
        parts.append(_ENDPOINTS.format(below=_BELOW if place.below else ""))
    return " AND ".join(parts), bound


def _actor(scope: Scope) -> str:
    """As stored traffic names it; '' for what is no caller."""
    kind, name = actor_of(scope)
    if scope.kind is ScopeKind.ACTOR:
        return scope.value
    return f"{kind}:{name}" if kind else ""


def _whom(attackers: Sequence[str], scope: Scope) -> dict[str, Bound]:
    """Who is no bystander: whom alerts name, and the caller that the plan is about."""
    network, actor = network_of(scope), _actor(scope)
    named = {*attackers, actor} - {""}
    addresses = {one.removeprefix("address:") for one in named if one.startswith("address:")}
    if network is not None and network.num_addresses == 1:
        addresses.add(str(network.network_address))
    return {"attackers": sorted(named), "addresses": sorted(addresses)}


def _number(row: Row | Mapping[str, object], name: str) -> int:
    return int(str(row[name]))
