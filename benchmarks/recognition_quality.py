"""Precision and recall of information types and attack indicators on invented traffic.

    python -m benchmarks recognition_quality [--count N] [--seed S] [--verbose] [--tuning] [--write]

Every sample goes the product's way: NDJSON line, source, observer. An information type counts as found when it is
reported at the location where it was planted; every other type reported is a false one. An indicator counts as found when
its class is reported at that location; a false one is an indicator on a transaction that attacks nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.recognition_parts import PARTS
from benchmarks.recognition_traffic import Sample, transactions
from gatewatch.model.observation import Observation
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet
from gatewatch.ports.wire import Origin
from gatewatch.sources.ndjson import GatewatchNdjson

__all__ = ["Tally", "measure"]

KEY = bytes(range(32))
RESULT = Path(__file__).parent / "results" / "recognition_quality.md"
BENIGN = ("look-alike", "harmless", "plain")


@dataclass
class Score:
    planted: int = 0
    found: int = 0
    false: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0


@dataclass
class Tally:
    """Everything counted over one corpus."""

    information: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    indicators: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    benign: Counter[str] = field(default_factory=Counter)
    alarmed: Counter[str] = field(default_factory=Counter)
    """Benign transactions with at least one false indicator, per group."""
    informed: Counter[str] = field(default_factory=Counter)
    """Benign transactions with at least one false information type, per group."""
    misses: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    def total(self, which: str) -> Score:
        scores = getattr(self, which).values()
        return Score(*(sum(getattr(s, name) for s in scores) for name in ("planted", "found", "false")))

    def per_10_000(self, which: Counter[str], groups: Iterable[str] = BENIGN) -> float:
        groups = tuple(groups)
        return 10_000 * sum(which[g] for g in groups) / max(1, sum(self.benign[g] for g in groups))

    def miss(self, title: str, kind: str, sample: Sample) -> None:
        self.misses[title, kind] += 1
        self.examples.setdefault((title, kind), f"{sample.place}: {sample.value}")


def observations(samples: Iterable[Sample]) -> Iterator[tuple[Sample, Observation]]:
    source, observer, templates = GatewatchNdjson(), Observer(ObserveSettings(), KEY), TemplateSet.empty()
    for sample in samples:
        line = json.dumps(sample.line, ensure_ascii=False).encode()
        transaction = source.read_line(line, 1, ORIGIN)
        assert isinstance(transaction, Transaction), transaction
        yield sample, observer.observe(transaction, "quality", templates)


def measure(samples: Iterable[Sample]) -> Tally:
    """Observe and count."""
    tally = Tally()
    for sample, seen in observations(samples):
        _judge_information(tally, sample, {(hit.type, hit.location.value) for hit in seen.information})
        _judge_indicators(tally, sample, {(hit.class_, hit.location.value) for hit in seen.indicators})
        if sample.group in BENIGN:
            tally.benign[sample.group] += 1
    return tally


def _judge_information(tally: Tally, sample: Sample, seen: set[tuple[str, str]]) -> None:
    wanted = {(sample.kind, sample.location)} if sample.group == "sensitive" else set()
    for kind, _ in wanted:
        tally.information[kind].planted += 1
        tally.information[kind].found += bool(wanted & seen)
        if not wanted & seen:
            tally.miss(f"missed {kind}", f"{sample.form} in {sample.place}", sample)
    for kind, _ in seen - wanted:
        tally.information[kind].false += 1
        tally.miss(f"false {kind}", f"{sample.group} {sample.kind} {sample.form}", sample)
    if sample.group in BENIGN and seen:
        tally.informed[sample.group] += 1


def _judge_indicators(tally: Tally, sample: Sample, seen: set[tuple[str, str]]) -> None:
    if sample.group == "attack":
        found = (sample.kind, sample.location) in seen
        tally.indicators[sample.kind].planted += 1
        tally.indicators[sample.kind].found += found
        if not found:
            tally.miss(f"missed {sample.kind}", f"{sample.form} in {sample.place}: {sample.value[:60]!r}", sample)
        return
    for kind, _ in seen:
        tally.indicators[kind].false += 1
        tally.miss(f"false {kind}", f"{sample.group} {sample.kind}: {sample.value[:60]!r}", sample)
    if sample.group in BENIGN and seen:
        tally.alarmed[sample.group] += 1


def rows(tally: Tally, which: str) -> Iterator[str]:
    for kind, score in [*sorted(getattr(tally, which).items()), ("**all**", tally.total(which))]:
        yield f"| {kind} | {score.planted} | {score.found} | {score.false} | {score.recall:.1%} | {score.precision:.1%} |"


def report(title: str, tally: Tally) -> Iterator[str]:
    head = "| planted | found | false | recall | precision |\n|---|---|---|---|---|---|"
    yield f"## {title}\n\n| information type {head}"
    yield from rows(tally, "information")
    yield f"\n| indicator {head}"
    yield from rows(tally, "indicators")
    yield "\n| benign transactions | count | false indicators per 10,000 | false information types per 10,000 |\n|---|---|---|---|"
    for name, groups in (*((g, (g,)) for g in BENIGN), ("**all**", BENIGN)):
        count = sum(tally.benign[g] for g in groups)
        yield f"| {name} | {count:,} | {tally.per_10_000(tally.alarmed, groups):.0f} | {tally.per_10_000(tally.informed, groups):.0f} |"
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tuning", action="store_true", help="only the part that patterns are tuned on")
    parser.add_argument("--verbose", action="store_true", help="name what was missed or false in the tuning part")
    parser.add_argument("--write", action="store_true", help="write results/recognition_quality.md")
    asked = parser.parse_args()
    runs = [("tuning", asked.seed)]
    if not asked.tuning:
        runs += [("tuning", asked.seed + 1), ("held out", asked.seed), ("blind", asked.seed)]
    text = ""
    for name, seed in runs:
        tally = measure(transactions(asked.count, seed=seed, part=PARTS[name]))
        text += "\n".join(report(f"Part: {name}, seed {seed}", tally)) + "\n"
        if asked.verbose and name == "tuning":
            for (kind, what), count in sorted(tally.misses.items(), key=lambda item: (item[0][0], -item[1])):
                print(f"{count:4} {kind}: {what} | {tally.examples[kind, what][:150]!r}")
    print(text)
    if asked.write:
        head = (
            f"# Recognition quality\n\n`python -m benchmarks recognition_quality --write`, {asked.count:,} invented transactions a part, "
            f"Python {platform.python_version()}, {platform.machine()}.\n\n{FIRST_RUNS}\n"
        )
        RESULT.write_text(head + text)


FIRST_RUNS = """
Everything is invented here, by the same authors as the patterns: expect less on traffic from elsewhere. The generator was
written before its author read the patterns. First figures, before anything in the product was changed (commit that added
this benchmark, same generator but for faults mended since: members overwritten by others, header names without dashes, a
second User-Agent line, a bracket without operator, AWS's documentation key, which is a key by form):

| part, first run | types: recall / precision | indicators: recall / precision | false indicators / false types in 10,000 benign |
|---|---|---|---|
| tuning, before | 74.8% / 94.7% | 86.0% / 96.3% | 165 / 213 |
| tuning, another seed, before | 73.8% / 94.5% | 87.1% / 96.6% | 150 / 221 |
| held out, before | 70.5% / 94.8% | 74.3% / 91.7% | 341 / 193 |
| held out, after tuning, before anybody looked at its misses | 99.1% / 99.6% | 98.1% / 99.1% | 44 / 17 |
| blind (written after tuning), its one blind run | 99.9% / 100.0% | 97.6% / 95.8% | 216 / 0 |

After that the misses of the held-out and blind parts were looked at and general mistakes mended (tables of words, numbers in
matrices, twelve-digit octal hosts, inline code about templates), so the figures below are no longer blind for any part. Of
the held-out part one figure was used before: 0 of 289 social security numbers with blanks were found, whence separators are
taken out before checking. What stays missed by design: ungrouped card numbers under neutral names or in prose, credentials
in the headers that are configured to carry them, attacks between lines of long running text.
"""
ORIGIN = Origin(source="quality", position="0")
