"""Over-merge and under-merge of learnt path templates on labelled route tables, beside two simple rules.

    python -m benchmarks template_quality [--tables NAME] [--sizes 100,300,3000,30000] [--write]

A true route counts as over-merged when an endpoint that holds at least 5 % of its calls also holds another route (5 %
of that one's calls), as under-merged when more than 10 % of its calls are outside its largest endpoint.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import platform
import random
import re
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.template_routes import POOLS, TABLES, Table
from gatewatch.config.settings import TemplateSettings
from gatewatch.model.path import PathSighting
from gatewatch.observe.templates import TemplateLearner

BLOCK = 1_000
NOISE = "-"
PARAMETER = re.compile(r"\{(\w+)\}")
ATTACKS = [
    "wp-login.php",
    ".env",
    "admin.php",
    "phpmyadmin",
    "cgi-bin/test.cgi",
    "vendor/phpunit",
    "backup.zip",
    "owa/auth.js",
]


@dataclass(frozen=True)
class Call:
    method: str
    host: str
    path: str
    truth: str
    status: int
    shape: int
    client: int
    operation: str = ""


class Values:
    """Zipf-distributed values of each pool."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._pools: dict[str, tuple[list[str], list[float]]] = {}

    def draw(self, name: str) -> str:
        if name not in self._pools:
            size, make = POOLS[name]
            values = list(dict.fromkeys(make(self._rng) for _ in range(size)))
            self._pools[name] = values, list(itertools.accumulate(1 / (i + 1) ** 0.9 for i in range(len(values))))
        values, weights = self._pools[name]
        return values[min(bisect.bisect(weights, self._rng.random() * weights[-1]), len(values) - 1)]


def calls_of(table: Table, size: int, seed: int) -> list[Call]:
    rng = random.Random(f"{table.name}{seed}")
    values = Values(rng)
    routes = [parse_route(line) for line in table.routes]
    weights = list(itertools.accumulate(weight for weight, *_ in routes))
    found = []
    for _ in range(size):
        if rng.random() < table.noise_share:
            found.append(noise(table, rng, values))
            continue
        _, generic, method, template = routes[bisect.bisect(weights, rng.random() * weights[-1])]
        path = PARAMETER.sub(lambda match: values.draw(match.group(1)), template)
        missing = "{" in template and rng.random() < 0.04
        # Optional members: three structures per route, the first one in most answers.
        variant = rng.choices((0, 1, 2), (0.7, 0.2, 0.1))[0]
        shape = (
            0
            if missing or not table.has_shapes
            else 7
            if generic
            else zlib.crc32(f"{method}{template}{variant}".encode()) + 8
        )
        host = rng.choice(table.hosts)
        operation = (
            rng.choice(("query user", "mutation login", "getBalance")) if template in ("/graphql", "/jsonrpc") else ""
        )
        status = 404 if missing else rng.choices((200, 304, 401, 500), (95, 2, 2, 1))[0]
        truth = f"{method} {host} {template} {operation}"
        found.append(
            Call(method, host, path, truth, status, shape if status == 200 else 0, rng.randint(1, 400), operation)
        )
    return found


def parse_route(line: str) -> tuple[float, bool, str, str]:
    weight = 1.0
    if line[0].isdigit():
        number, _, line = line.partition(" ")
        weight = float(number)
    method, _, path = line.lstrip("~").partition(" ")
    return weight, line.startswith("~"), method, path


def noise(table: Table, rng: random.Random, values: Values) -> Call:
    path = "/" + rng.choice(
        (
            rng.choice(ATTACKS),
            values.draw("slug"),
            f"{values.draw('topic')}/{values.draw('repo')}",
            values.draw("short"),
        )
    )
    status = {"scan": rng.choices((404, 403, 400, 500), (90, 6, 2, 2))[0], "wall": 403, "catchall": 200}[table.noise]
    return Call("GET", table.hosts[0], path, NOISE, status, 0, rng.randint(1, 3))


# -- three systems: calls in, endpoint of each call out ---------------------------------------------------------------


def gatewatch(calls: list[Call], *, shapes: bool) -> list[str]:
    learner = TemplateLearner(TemplateSettings())
    ids = []
    for first in range(0, len(calls), BLOCK):
        templates = learner.templates()
        block: dict[int, list[Any]] = {}
        for call in calls[first : first + BLOCK]:
            match = templates.match(call.method, call.host, call.path, operation=call.operation, status=call.status)
            ids.append(match.path_id)
            if match.path_id:
                block.setdefault(match.path_id, []).append((call, match))
        learner.learn([sighting(group, shapes=shapes) for group in block.values()])
    names = {record.path_id: record for record in learner.records()}
    return [
        f"{r.method} {r.host} {r.template} {r.operation}" if (r := names.get(i)) and r.endpoint_id else "" for i in ids
    ]


def sighting(group: list[Any], *, shapes: bool) -> PathSighting:
    call, match = group[0]
    seen = sorted({c.shape for c, _ in group if c.shape})[:4] if shapes else ()
    return PathSighting(
        path_id=match.path_id,
        method=call.method,
        host=call.host,
        template=match.template,
        operation=call.operation,
        reason=match.reason,
        calls=len(group),
        calls_by_status=dict(Counter(c.status for c, _ in group)),
        response_shapes=tuple(seen),
        clients=len({c.client for c, _ in group}),
        first_seen=0.0,
        last_seen=1.0,
    )


TYPED = re.compile(r"\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def numbers_only(calls: list[Call]) -> list[str]:
    named = ["/".join("{id}" if TYPED.fullmatch(s) else s for s in call.path.split("/")) for call in calls]
    return existing(calls, named)


def greedy(calls: list[Call]) -> list[str]:
    """Ten and more different siblings are a parameter, position by position from the left."""
    named = [["{id}" if TYPED.fullmatch(s) else s for s in call.path.split("/")] for call in calls]
    for depth in range(1, max(map(len, named))):
        siblings = defaultdict(set)
        for call, path in zip(calls, named, strict=True):
            if len(path) > depth and call.status != 404:
                siblings[call.host, tuple(path[:depth])].add(path[depth])
        for call, path in zip(calls, named, strict=True):
            if len(path) > depth and len(siblings[call.host, tuple(path[:depth])]) >= 10:
                path[depth] = "{id}"
    return existing(calls, ["/".join(path) for path in named])


def existing(calls: list[Call], templates: list[str]) -> list[str]:
    names = [f"{c.method} {c.host} {t} {c.operation}" for c, t in zip(calls, templates, strict=True)]
    seen = {name for call, name in zip(calls, names, strict=True) if call.status not in (400, 404)}
    return [name if name in seen else "" for name in names]


FIRST_RUNS = """
Only a table's first run is blind. Under "held-out" and "blind" above are later runs, after general mistakes that the
first ones showed were mended (language codes weighed too little, handles with dots, rare owners of rare
repositories, OData keys, three-part versions as routes; with seeds 2 and 3:
names that end like files, few languages with many common sub-paths). First runs, gatewatch with bodies / without,
over / under:

| tables | 100 | 300 | 3,000 | 30,000 |
|---|---|---|---|---|
| held-out | 0% / 12%, 0% / 12% | 0% / 9%, 0% / 8% | 0% / 4%, 0% / 4% | 0% / 4%, 0% / 4% |
| blind | 2% / 9%, 3% / 11% | 2% / 5%, 3% / 7% | 2% / 2%, 3% / 2% | 2% / 2%, 3% / 2% |
"""

SYSTEMS = {
    "gatewatch": lambda calls: gatewatch(calls, shapes=True),
    "gatewatch, no bodies": lambda calls: gatewatch(calls, shapes=False),
    "numbers and uuids": numbers_only,
    "ten siblings": greedy,
}


# -- judging ---------------------------------------------------------------------------------------------------------


@dataclass
class Score:
    routes: int = 0
    over: int = 0
    under: int = 0
    endpoints: int = 0
    noise: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, n) + getattr(other, n) for n in ("routes", "over", "under", "endpoints", "noise")))


def judge(calls: list[Call], endpoints: list[str], wrong: list[str]) -> Score:
    by_truth: dict[str, Counter[str]] = defaultdict(Counter)
    by_endpoint: dict[str, Counter[str]] = defaultdict(Counter)
    for call, endpoint in zip(calls, endpoints, strict=True):
        if endpoint:
            by_endpoint[endpoint][call.truth] += 1
            if call.truth != NOISE:
                by_truth[call.truth][endpoint] += 1
    score = Score(routes=len(by_truth))
    score.noise = sum(set(truths) == {NOISE} for truths in by_endpoint.values())
    score.endpoints = len(by_endpoint) - score.noise
    for truth, held in sorted(by_truth.items()):
        total = held.total()
        main = [e for e, n in held.items() if n >= 0.05 * total]
        others = {
            t
            for e in main
            for t, n in by_endpoint[e].items()
            if t not in (truth, NOISE) and n >= 0.05 * by_truth[t].total()
        }
        score.over += bool(others)
        under = total - max(held.values()) > 0.1 * total
        score.under += under
        if others or under:
            wrong.append(f"{'OVER' if others else 'under'} {truth} -> {held.most_common(4)} {sorted(others)[:3]}")
    return score


def run(tables: list[Table], sizes: list[int], seed: int, *, verbose: bool) -> dict[tuple[str, str, int], Score]:
    scores = {}
    for table, size in itertools.product(tables, sizes):
        calls = calls_of(table, size, seed)
        for name, system in SYSTEMS.items():
            wrong: list[str] = []
            scores[table.name, name, size] = judge(calls, system(calls), wrong)
            if verbose and name.startswith("gatewatch"):
                print(f"== {table.name} / {name} / {size}: {scores[table.name, name, size]}")
                print("\n".join(f"   {line[:230]}" for line in wrong[:12]))
    return scores


def lines(tables: list[Table], sizes: list[int], scores: dict[tuple[str, str, int], Score]) -> Iterator[str]:
    yield "| routes of | calls | " + " | ".join(f"{name}: over / under / per route" for name in SYSTEMS) + " |"
    yield "|---|---|" + "---|" * len(SYSTEMS)
    groups = {
        "**all**": tables,
        "**tuning tables**": [t for t in tables if not t.held_out and not t.blind],
        "**held-out tables**": [t for t in tables if t.held_out],
        "**blind tables**": [t for t in tables if t.blind],
    }
    groups |= {t.name + kind(t): [t] for t in tables}
    for title, members in groups.items():
        for size in sizes:
            cells = [cell(sum((scores[t.name, name, size] for t in members), Score())) for name in SYSTEMS]
            yield f"| {title} | {size:,} | " + " | ".join(cells) + " |"


def kind(table: Table) -> str:
    return " (held out)" if table.held_out else " (blind)" if table.blind else ""


def cell(score: Score) -> str:
    if not score.routes:
        return "-"
    noise = f", noise {score.noise}" if score.noise else ""
    over, under = score.over / score.routes, score.under / score.routes
    return f"{over:.0%} / {under:.0%} / {score.endpoints / score.routes:.1f}{noise}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default="")
    parser.add_argument("--sizes", default="100,300,3000,30000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--tuning", action="store_true", help="only tables that are not held out")
    parser.add_argument("--write", action="store_true", help="write results/template_quality.md")
    asked = parser.parse_args()
    tables = [t for t in TABLES if asked.tables in t.name and not (asked.tuning and (t.held_out or t.blind))]
    sizes = [int(size) for size in asked.sizes.split(",")]
    started = time.perf_counter()
    scores = run(tables, sizes, asked.seed, verbose=asked.verbose)
    text = "\n".join(lines(tables, sizes, scores))
    print(text)
    if asked.write:
        tuned = sum(not (t.held_out or t.blind) for t in tables)
        head = (
            f"# Path template quality\n\n`python -m benchmarks template_quality --write`, seed {asked.seed}, "
            f"{len(tables)} route tables ({tuned} used to fit weights), "
            f"{time.perf_counter() - started:.0f} s, Python {platform.python_version()}, {platform.machine()}.\n\n"
            "Share of true routes over-merged / share under-merged / endpoints per true route; `noise`: endpoints made "
            'of scanner calls alone. "no bodies" is what an access log gives.\n\n'
        )
        (Path(__file__).parent / "results" / "template_quality.md").write_text(head + text + "\n" + FIRST_RUNS)
