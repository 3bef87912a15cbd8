"""What an approval shows and binds to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.errors import InputError
from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
from gatewatch.respond.playbooks.planning import Planned, digest_of_effects, key_of, plan_of

SCOPE: dict[str, Any] = {
    "incident": {"name": "Scan"},
    "entities": ["192.0.2.1", "192.0.2.2"],
    "inputs": {"gateway": "edge"},
    "steps": {},
    "vars": {},
    "run": {"playbook": "a-book"},
    "now": 5.0,
}


def plan(steps: str, scope: dict[str, Any] = SCOPE) -> list[Planned]:
    text = f"schema: gatewatch.playbook/v1\nname: a-book\ntitle: A\ninputs: {{gateway: {{}}}}\nsteps:\n{steps}"
    return plan_of(read_playbook(text, Surroundings()).steps, "", scope, 7)


def send(name: str, text: str) -> str:
    return f"{{id: {name}, action: {{connection: c, do: send, with: {{text: '{text}'}}}}}}"


def block(value: str = "192.0.2.1", effect: str = "block", duration: str = "1h", more: str = "") -> str:
    return (
        f"{{id: b, contain: {{gateway: '${{inputs.gateway}}', scope: address, value: '{value}', effect: {effect}, "
        f"duration: {duration}{more}}}}}"
    )


SHOWN: dict[str, tuple[str, list[tuple[str, str, bool]]]] = {
    "an action with its values": (
        f"  - {send('a', 'see ${incident.name}')}\n",
        [("a", "c: send text=see Scan", False)],
    ),
    "what depends on steps before is open": (
        f"  - {send('a', 'x')}\n  - {send('b', '${steps.a.ticket}')}\n",
        [("a", "c: send text=x", False), ("b", "c: send text=${steps.a.ticket}", True)],
    ),
    "a containment": (f"  - {block()}\n", [("b", "block address 192.0.2.1 on edge for 1h", False)]),
    "an open containment": (
        f"  - {send('a', 'x')}\n  - {block('${steps.a.ticket}')}\n",
        [("a", "c: send text=x", False), ("b", "block address ${steps.a.ticket} on ${inputs.gateway}", True)],
    ),
    "a change": (
        "  - {id: a, change: {add_tags: ['${incident.name}']}}\n",
        [("a", "change the incident add_tags=['Scan']", False)],
    ),
    "a playbook": (
        "  - {id: a, playbook: {name: other, with: {x: '${incident.name}'}}}\n",
        [("a", "playbook other x=Scan", False)],
    ),
    "both ways of an if": (
        f"  - {{id: a, if: {{condition: 'true', then: [{send('t', '1')}], else: [{send('e', '2')}]}}}}\n",
        [("t", "c: send text=1", False), ("e", "c: send text=2", False)],
    ),
    "all ways of a switch": (
        f"  - {{id: a, switch: {{on: '1', cases: {{x: [{send('p', '1')}]}}, default: [{send('q', '2')}]}}}}\n",
        [("p", "c: send text=1", False), ("q", "c: send text=2", False)],
    ),
    "every item of a loop": (
        f"  - {{id: a, each: {{in: entities, as: e, do: [{send('s', '${e} ${index}')}]}}}}\n",
        [
            ("a", "for each of `entities` (2)", False),
            ("a[0].s", "c: send text=192.0.2.1 0", False),
            ("a[1].s", "c: send text=192.0.2.2 1", False),
        ],
    ),
    "items that are too many are said to be left out": (
        f"  - {{id: a, each: {{in: entities, most: 1, as: e, do: [{send('s', '${e}')}]}}}}\n",
        [("a", "for each of `entities` (1, 1 left out)", False), ("a[0].s", "c: send text=192.0.2.1", False)],
    ),
    "a loop over what is not known yet is open": (
        f"  - {send('x', '1')}\n  - {{id: a, each: {{in: steps.x.list, as: e, do: [{send('s', '1')}]}}}}\n",
        [("x", "c: send text=1", False), ("a[].s", "for each of `steps.x.list`: c: send text=1", True)],
    ),
    "what a loop does instead": (
        f"  - {{id: a, each: {{in: '[1]', do: [{send('s', '1')}]}}, on_failure: [{send('f', '2')}]}}\n",
        [
            ("a", "for each of `[1]` (1)", False),
            ("a[0].s", "c: send text=1", False),
            ("f", "c: send text=2", False),
        ],
    ),
    "branches": (
        f"  - {{id: a, parallel: {{branches: {{l: [{send('s', '1')}], r: [{send('t', '2')}]}}}}}}\n",
        [("a.l.s", "c: send text=1", False), ("a.r.t", "c: send text=2", False)],
    ),
    "an approval inside": (
        f"  - {{id: a, approval: {{text: q, then: [{send('s', '1')}], else: [{send('t', '2')}]}}}}\n",
        [("s", "c: send text=1", False), ("t", "c: send text=2", False)],
    ),
    "nothing without effect": (
        "  - {id: a, set: {values: {x: 1}}}\n  - {id: b, wait: {for: 1h}}\n  - {id: c, ask: {text: q, options: [A, B], default: A}}\n",
        [],
    ),
}


@pytest.mark.parametrize("case", SHOWN)
def test_what_is_shown(case: str) -> None:
    steps, wanted = SHOWN[case]
    assert [(one.path, one.text, one.open) for one in plan(steps)] == wanted
    assert all(one.open or one.values is not None for one in plan(steps))


def test_more_than_people_can_look_at_is_not_asked() -> None:
    inner = f"{{id: i, each: {{in: entities, most: 1000, as: f, do: [{send('s', '1')}]}}}}"
    steps = f"  - {{id: a, each: {{in: entities, most: 1000, as: e, do: [{inner}]}}}}\n"
    with pytest.raises(InputError, match="2000 effects"):
        plan(steps, {**SCOPE, "entities": [str(number) for number in range(60)]})
    one = f"  - {{id: a, each: {{in: entities, most: 1000, as: e, do: [{send('s', '${e}')}]}}}}\n"
    assert len(plan(one, {**SCOPE, "entities": [str(number) for number in range(1000)]})) == 1001


def digest(steps: str, scope: dict[str, Any] = SCOPE, text: str = "Do it?") -> str:
    return digest_of_effects(text, plan(steps, scope))


LOOP = f"  - {{id: a, each: {{in: entities, as: e, do: [{block('${e}')}]}}}}\n  - {send('s', '${incident.name}')}\n"


def test_the_same_question_and_effects_have_the_same_digest() -> None:
    assert digest(LOOP) == digest(LOOP)
    assert digest(LOOP, {**SCOPE, "now": 6.0, "inputs": {"gateway": "edge", "unused": 1}}) == digest(LOOP)


def test_any_change_of_what_would_be_done_has_another_digest() -> None:
    same = [
        digest(LOOP),
        digest(LOOP, text="Do it!"),
        digest(LOOP, {**SCOPE, "entities": ["192.0.2.1"]}),
        digest(LOOP, {**SCOPE, "entities": ["192.0.2.2", "192.0.2.1"]}),
        digest(LOOP, {**SCOPE, "incident": {"name": "Other"}}),
        digest(LOOP, {**SCOPE, "inputs": {"gateway": "other"}}),
        digest(LOOP, {**SCOPE, "run": {"playbook": "b-book"}}),
        *(digest(f"  - {one}\n") for one in (block(), block("192.0.2.2"), block(duration="2h"))),
        *(digest(f"  - {block(effect='throttle', more=f', calls: {calls}')}\n") for calls in (1, 2)),
        *(digest(f"  - {block(more=f', {more}')}\n") for more in ("reason: r", "endpoint: GET h /x", "calls: 5")),
        digest(f"  - {send('s', '1')}\n"),
        digest(f"  - {send('t', '1')}\n"),
        digest(f"  - {send('s', '1')}\n".replace("do: send", "do: tell")),
        digest(f"  - {send('s', '1')}\n".replace("connection: c", "connection: d")),
        digest(f"  - {send('s', '2')}\n"),
    ]
    assert len(set(same)) == len(same)


@given(st.lists(st.text(max_size=8), max_size=4), st.lists(st.text(max_size=8), max_size=4))
def test_digests_are_equal_only_for_equal_effects(left: list[str], right: list[str]) -> None:
    steps = f"  - {{id: a, each: {{in: entities, as: e, do: [{send('s', '${e}')}]}}}}\n"
    same = digest(steps, {**SCOPE, "entities": left}) == digest(steps, {**SCOPE, "entities": right})
    assert same == (left == right)


def test_keys_differ_by_run_and_path() -> None:
    keys = {key_of(run, path) for run in ("r1", "r2") for path in ("a", "a[0].b", "a[1].b")}
    assert len(keys) == 6
    assert all(len(key) == 32 for key in keys)
