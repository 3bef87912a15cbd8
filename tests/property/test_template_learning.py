"""What stays true of path templates whatever the traffic."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.knowledge.path_words import PATH_FIXTURES, PATH_VERBS
from gatewatch.model.observe_settings import TemplateSettings
from gatewatch.model.path import PathState
from gatewatch.observe.templates import TemplateLearner, path_identity
from gatewatch.observe.templates.segments import is_placeholder, split_path
from gatewatch.testing.paths import PathCall, feed, sightings

bounded = settings(max_examples=60, deadline=None)

FIXTURES = sorted((PATH_FIXTURES | PATH_VERBS) - {"favicon.ico", "sitemap.xml", "robots.txt"})
words = st.sampled_from(
    ["posts", "users", "tags", "api", "v1", "shop", *(f"item-of-{a}-{b}" for a in "abcdef" for b in "ghijkl")]
)
values = st.one_of(words, st.from_regex(r"[a-z]{3,9}(-[a-z]{3,9}){0,3}", fullmatch=True), st.integers(1, 99).map(str))
paths = st.lists(values, max_size=4).map(lambda parts: "/" + "/".join(parts))
calls = st.builds(
    PathCall,
    path=paths,
    method=st.sampled_from(["GET", "GET", "POST"]),
    host=st.sampled_from(["a.example", "b.example"]),
    status=st.sampled_from([200, 200, 200, 403, 404, 500]),
    shape=st.integers(0, 3),
    client=st.integers(1, 4),
)
traffic = st.lists(calls, max_size=120)
blocks = st.sampled_from([1, 7, 40, 200])


def learner(max_paths: int = 50_000) -> TemplateLearner:
    return TemplateLearner(TemplateSettings(max_paths=max_paths))


@bounded
@given(traffic, blocks)
def test_records_agree_with_what_was_published(seen: list[PathCall], block: int) -> None:
    state = learner()
    table = {}
    last = 0
    for record in feed(state, seen, block=block):
        assert record.version >= last
        last = record.version
        assert path_identity(
            record.method, record.host, record.template, record.operation
        ) == record.endpoint_id or not (record.endpoint_id)
        table[record.path_id] = record.endpoint_id
    for record in state.records():
        assert table.get(record.path_id, 0) == record.endpoint_id
        assert (record.state is PathState.CANDIDATE) == (record.endpoint_id == 0)
        assert (record.state is PathState.CONFIRMED) == (record.endpoint_id == record.path_id)


@bounded
@given(traffic, blocks)
def test_a_merge_keeps_the_number_of_segments_and_every_survivor_exists(seen: list[PathCall], block: int) -> None:
    state = learner()
    sizes: dict[int, int] = {}
    for first in range(0, len(seen), block):
        summed = sightings(seen[first : first + block], state.templates())
        sizes |= {s.path_id: len(split_path(s.template)) for s in summed}
        state.learn(summed)
    records = {record.path_id: record for record in state.records()}
    for record in records.values():
        assert sizes.get(record.path_id, len(split_path(record.template))) == len(split_path(record.template))
        assert not record.endpoint_id or records[record.endpoint_id].state is PathState.CONFIRMED


@bounded
@given(st.lists(st.sampled_from(FIXTURES), min_size=2, max_size=60, unique=True), st.integers(0, 1), st.integers(1, 5))
def test_route_vocabulary_never_becomes_a_parameter(names: list[str], shape: int, times: int) -> None:
    state = learner()
    feed(state, [PathCall(f"/users/{n}", shape=shape) for n in names for _ in range(times)])
    feed(state, [PathCall(f"/users/jane-{a}-doe", shape=shape) for a in "abcdefghijkl"])
    templates = state.templates()
    for name in names:
        assert templates.match("GET", "api.example.com", f"/users/{name}", status=200).template == f"/users/{name}"


@bounded
@given(traffic, blocks)
def test_every_seen_path_matches_the_endpoint_it_was_put_into(seen: list[PathCall], block: int) -> None:
    state = learner()
    feed(state, seen, block=block)
    records = {record.path_id: record for record in state.records()}
    templates = state.templates()
    for call in seen:
        match = templates.match(call.method, call.host, call.path, status=200)
        if match.path_id in records and records[match.path_id].endpoint_id:
            assert records[match.path_id].template == match.template


@bounded
@given(traffic, blocks)
def test_a_dump_is_the_whole_state(seen: list[PathCall], block: int) -> None:
    state = learner()
    half = len(seen) // 2
    feed(state, seen[:half], block=block)
    again = TemplateLearner.load(state.dump(), TemplateSettings())
    assert again.records() == state.records()
    feed(state, seen[half:], block=block)
    feed(again, seen[half:], block=block)
    assert {(r.path_id, r.endpoint_id) for r in again.records()} == {
        (r.path_id, r.endpoint_id) for r in state.records()
    }


@bounded
@given(traffic)
def test_nothing_is_published_for_nothing(seen: list[PathCall]) -> None:
    state = learner()
    feed(state, seen)
    summed = sightings(seen, state.templates())
    state.learn(summed)
    before = {r.path_id: r.template for r in state.records()}
    assert state.learn([]) == []
    assert {r.path_id: r.template for r in state.records()} == before


@bounded
@given(
    st.lists(st.from_regex(r"/[a-z]{4,12}(/[a-z0-9-]{3,14}){0,3}", fullmatch=True), max_size=300),
    st.sampled_from([200, 401, 500]),
)
def test_memory_stays_bounded_under_random_paths(random_paths: list[str], status: int) -> None:
    state = learner(max_paths=60)
    feed(state, [PathCall(path, status=status, client=i) for i, path in enumerate(random_paths)], block=50)
    assert len(state.records()) <= 60 + 10  # a merged template may come on top of its values
    assert len(state.templates().known) <= 70


@bounded
@given(
    st.permutations(
        [PathCall(f"/posts/{a}-{b}-{c}", shape=1) for a in ("red", "blue") for b in ("cat", "dog") for c in "xyz"]
    ),
    blocks,
)
def test_order_and_blocks_make_no_difference_in_the_end(seen: list[PathCall], block: int) -> None:
    state = learner()
    feed(state, [*seen, *seen], block=block)
    assert {r.template for r in state.records() if r.endpoint_id} == {"/posts/{slug}"}


@bounded
@given(traffic)
def test_no_typed_value_is_ever_a_literal_again(seen: list[PathCall]) -> None:
    state = learner()
    feed(state, seen)
    for record in state.records():
        assert not any(part.isdigit() for part in split_path(record.template) if not is_placeholder(part))
