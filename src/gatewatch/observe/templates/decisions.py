"""Which siblings become a parameter: grouping, the choice of the group, and what joins a parameter later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from statistics import median

import msgspec

from gatewatch.observe.templates.evidence import Place, Verdict, below, conflicting, specific_shapes, weigh
from gatewatch.observe.templates.segments import file_ending, is_placeholder
from gatewatch.observe.templates.tree import Merge, Position
from gatewatch.observe.templates.vocabulary import Look, is_fixture, look_of

__all__ = ["Change", "judge"]

_MIN_VALUES, _MIN_CODES, _CODE_LOOK, _TELLING_LOOK = 3, 2, 2.5, 1.5
_MIN_FILES = 3
_ROOT_OUTLIER = 20
_MAX_JOIN_CALLS, _PLENTY = 3, 20
_ALIKE = 0.5
_RARE = 0.35
_WEAK = frozenset(
    {"{id}", "{token}", "{hash}", "{slug}", "{name}", "{code}", "{locale}", "{currency}", "{ulid}", "{uuid}"}
)
"""Kinds that values of one parameter take by chance: a short hash without letters, a slug with a number."""
_NAMES = {Look.SLUG: "{slug}", Look.CODE: "{code}", Look.REGION: "{code}", Look.DIGITS: "{id}"}


class Change(msgspec.Struct, frozen=True):
    """One decision about a position."""

    names: tuple[str, ...]
    """Children that go."""
    placeholder: str
    """Where they go."""
    kind: str
    """`wildcard`: and every further literal; `ending`: files; `fold`: typed placeholders; `join`: only these."""
    merge: Merge


def judge(node: Position, prefix: tuple[str, ...], generic: Container[int]) -> list[Change]:
    """Decisions that the evidence at a position allows now."""
    if node.barred:
        return []
    changes = list(_files(node))
    literals = [name for name, child in node.children.items() if child.good and _is_free(name, child)]
    if node.wildcard:
        if change := _joining(node, literals, generic):
            changes.append(change)
    elif len(literals) > 1 and (change := _parameter(node, literals, prefix, generic)):
        changes.append(change)
    if not changes and (change := _folding(node, generic)):
        changes.append(change)
    return changes


def _is_free(name: str, child: Position) -> bool:
    return not (is_placeholder(name) or is_fixture(name) or (file_ending(name) and not child.children))


def _files(node: Position) -> Iterator[Change]:
    """Static files of one type: three are enough, since each is content and none an operation."""
    by_ending: dict[str, list[str]] = {}
    for name, child in node.children.items():
        if child.good and not child.children and not is_fixture(name) and (ending := file_ending(name)):
            by_ending.setdefault(ending, []).append(name)
    for ending, names in by_ending.items():
        placeholder = f"{{name}}.{ending}"
        others = tuple(name for name in names if name != placeholder)
        known = ending in node.endings
        if others and (known or len(names) >= _MIN_FILES):
            calls = sum(node.children[name].calls for name in names)
            why = f"{len(names)} static files `.{ending}` in one folder, {calls} calls"
            yield Change(others, placeholder, "ending", Merge(0.9, why, len(names)))


def _parameter(node: Position, literals: list[str], prefix: tuple[str, ...], generic: Container[int]) -> Change | None:
    """The group that most likely is a parameter's values."""
    fixtures = sum(map(is_fixture, node.children))
    best: tuple[Verdict, list[str]] | None = None
    for names in _groups(node, literals, generic):
        if not prefix and not any(node.children[name].children for name in names):
            names = _without_outliers(node, names)  # noqa: PLW2901 - the group without its outliers is the group
        if _are_calls(names):
            continue
        if len(names) < _MIN_CODES or conflicting([node.children[name] for name in names], generic):
            continue
        verdict = weigh(node, names, Place(prefix[-1] if prefix else "", fixtures), generic)
        needed = _MIN_CODES if verdict.look >= _CODE_LOOK else _MIN_VALUES
        if len(names) >= needed and verdict.score > 0 and (best is None or verdict.score > best[0].score):
            best = verdict, names
    if best is None:
        return None
    verdict, names = best
    merge = Merge(verdict.confidence, verdict.why, len(names))
    return Change(tuple(names), _placeholder(names), "wildcard", merge)


def _are_calls(names: Sequence[str]) -> bool:
    """Whether most are methods: `/rpc/getUser` beside `/rpc/createOrder` are endpoints, however alike they answer.

    Written in one word: keys of settings are led by verbs too (`enable-new-checkout`).
    """
    return sum(name.isalnum() and look_of(name) is Look.ACTION for name in names) > len(names) * _ALIKE


def _placeholder(names: Sequence[str]) -> str:
    kind, _ = max(Counter(map(look_of, names)).items(), key=lambda item: (item[1], item[0].name))
    hyphens = sum("-" in name for name in names)
    return _NAMES.get(kind, "{slug}" if hyphens > len(names) * _ALIKE else "{name}")


def _without_outliers(node: Position, names: list[str]) -> list[str]:
    """At the root a page with far more calls than the rest is a page, the rest are values."""
    middle = median(node.children[name].calls for name in names)
    return [name for name in names if node.children[name].calls <= max(_ROOT_OUTLIER, _ROOT_OUTLIER * middle)]


def _groups(node: Position, literals: list[str], generic: Container[int]) -> Iterator[list[str]]:
    """Siblings linked by answers or sub-paths they share; those without either; all together."""
    roots: dict[object, object] = {}

    def root(token: object) -> object:
        while (parent := roots.setdefault(token, token)) != token:
            roots[token] = roots[parent]
            token = roots[token]
        return token

    bare: dict[bool, list[str]] = {}
    linked: list[tuple[str, object]] = []
    for name in literals:
        child = node.children[name]
        tokens: list[object] = [*sorted(specific_shapes(child, generic)), *sorted(below(child))]
        if not tokens and look_of(name) is Look.VOCABULARY:
            continue  # `/weather/alerts` beside cities: only equal answers could show that it is a value
        if not tokens:
            reads = any(method in ("GET", "HEAD") for method, _ in child.ends)
            bare.setdefault(reads, []).append(name)
            continue
        first = root(tokens[0])
        for token in tokens[1:]:
            roots[root(token)] = first
        linked.append((name, tokens[0]))
    groups: dict[object, list[str]] = {}
    for name, token in linked:
        groups.setdefault(root(token), []).append(name)
    largest = max(map(len, groups.values()), default=0)
    yield from (names for names in groups.values() if len(names) > 1)
    yield from (names for names in bare.values() if len(names) > 1)
    if len(groups) + len(bare) > 1 and largest < len(literals) * _ALIKE:
        yield [name for name in literals if look_of(name) is not Look.VOCABULARY]


def _joining(node: Position, literals: list[str], generic: Container[int]) -> Change | None:
    """Literals seen before the decision that turn out to be values of the parameter beside them."""
    target = node.children[node.wildcard]
    merge = node.merges.get(node.wildcard) or Merge(0.8, "taken over from a sub-path", 0)
    names = tuple(n for n in literals if _joins(n, node.children[n], target, generic, values=merge.values))
    if not names:
        return None
    return Change(names, node.wildcard, "join", merge)


def _joins(name: str, child: Position, target: Position, generic: Container[int], *, values: int) -> bool:
    look, few = look_of(name), child.calls <= _MAX_JOIN_CALLS
    rare = few or child.calls <= 2 * target.calls / max(1, values)
    shapes, wanted = specific_shapes(child, generic), specific_shapes(target, generic)
    if shapes & wanted:
        return look is not Look.ACTION
    if look is Look.ACTION or (look is Look.VOCABULARY and not (values >= _PLENTY and few)):
        return False
    if child.children and target.children:
        exact = len(child.children.keys() & target.children.keys())
        # A rare value may be believed on sub-paths that are values themselves: `/{owner}/{repo}`.
        loose = (
            sum(target.choose(n, last=not below.children) in target.children for n, below in child.children.items())
            if rare
            else 0
        )
        return max(exact, loose) >= _ALIKE * len(child.children) and not conflicting([child, target], generic)
    if shapes and wanted:
        # Optional members give one parameter several structures; only a rare, telling value is believed to be one.
        return look.value >= _TELLING_LOOK and few
    return not child.children and not shapes and few


def _folding(node: Position, generic: Container[int]) -> Change | None:
    """Typed placeholders that stand for the same thing: routers can't tell a number from a name at one position."""
    by_suffix: dict[str, list[str]] = {}
    for name, child in node.children.items():
        if is_placeholder(name) and name.startswith("{") and child.good and not file_ending(name):
            by_suffix.setdefault(name.rpartition("}")[2], []).append(name)
    for suffix, kinds in sorted(by_suffix.items()):
        if len(kinds) > 1 and (change := _fold(node, kinds, suffix, generic)):
            return change
    return None


def _fold(node: Position, kinds: list[str], suffix: str, generic: Container[int]) -> Change | None:
    wildcard = node.wildcard if node.wildcard in kinds else ""
    main = wildcard or max(kinds, key=lambda kind: (node.children[kind].calls, kind))
    others = [kind for kind in kinds if kind != main and _same(node, kind, main, generic)]
    if not others:
        return None
    calls = sum(node.children[kind].calls for kind in (*others, main))
    why = f"{', '.join(sorted((*others, main)))} at one position in {calls} calls, nothing tells their answers apart"
    target = wildcard or f"{{id}}{suffix}"
    names = tuple(kind for kind in (*others, main) if kind != target)
    return Change(names, target, "fold", Merge(0.85, why, len(names)))


def _same(node: Position, kind: str, main: str, generic: Container[int]) -> bool:
    one, other = node.children[kind], node.children[main]
    shapes, wanted = specific_shapes(one, generic), specific_shapes(other, generic)
    if shapes and wanted:
        return bool(shapes & wanted)
    if conflicting([one, other], generic):
        return False
    if below(one) & below(other):
        return True
    if one.children and other.children:
        return False
    weak = tuple(k in _WEAK or k == node.wildcard or not k.endswith("}") for k in (kind, main))
    rare = one.calls <= _RARE * other.calls
    return all(weak) or (rare and any(weak) and {kind, main} & {"{int}"} != set())
