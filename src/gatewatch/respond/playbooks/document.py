"""The shape of a playbook file; its JSON Schema is made from here."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from gatewatch.model.containment import Effect, ScopeKind

__all__ = [
    "STEP_KINDS",
    "Action",
    "Approval",
    "Ask",
    "Change",
    "Contain",
    "Each",
    "Expects",
    "If",
    "Input",
    "Parallel",
    "Playbook",
    "Retry",
    "Sending",
    "Set",
    "Step",
    "SubPlaybook",
    "Switch",
    "Wait",
    "json_schema",
    "kind_of",
]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_MOST_WAIT_S = 30 * 86_400.0
STEP_KINDS = (
    "action",
    "contain",
    "change",
    "if",
    "switch",
    "each",
    "parallel",
    "wait",
    "approval",
    "ask",
    "playbook",
    "set",
)
"""Exactly one of these keys makes a step what it is."""


def _seconds(value: object) -> object:
    """`90s`, `5m`, `2h`, `1d` or a number of seconds."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("is no duration: write 90s, 5m, 2h or 1d")
        return float(match.group(1)) * _UNITS[match.group(2)]
    return value


_NUMBER = {"type": "number", "exclusiveMinimum": 0}
Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(gt=0, le=_MOST_WAIT_S),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhd]$"}]}
    ),
]
"""Seconds, or `90s`, `5m`, `2h`, `1d`; at most 30 days."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""Of steps, inputs and variables: as CEL can write it."""
Option = Annotated[str, Field(pattern=r"^[\w .,+-]{1,60}$")]
Expression = Annotated[str, Field(min_length=1, max_length=4000)]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Input(_Part):
    """What whoever starts the playbook may give."""

    type: Literal["string", "integer", "number", "boolean", "array", "object"] = "string"
    description: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[Any, ...] = ()


class Retry(_Part):
    """Again after a failure that surely had no effect; never after an unknown outcome."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 1
    first: Duration = 5.0
    """Pause after the first failure; it doubles."""
    most: Duration = 300.0


class Sending(_Part):
    """An action on a connection."""

    connection: str
    do: str
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")


class Action(Sending):
    """Calls another system."""


class Expects(_Part):
    """What traffic has to show, or the containment is rolled back."""

    attack_falls_by: Annotated[float, Field(ge=0, le=1)] = 0.95
    collateral_at_most: Annotated[float, Field(ge=0, le=1)] = 0.01
    within: Duration = 600.0


class Contain(_Part):
    """Plans a containment, asks for what approvals it needs, and applies it."""

    gateway: Text
    scope: ScopeKind
    value: Text
    endpoint: str = ""
    effect: Effect
    duration: Duration
    calls: int | None = None
    per: Duration = 60.0
    reason: str = ""
    expects: Expects = Expects()


class Change(_Part):
    """Changes the incident (or alert) that the run is about."""

    status: str | None = None
    severity: str | None = None
    classification: str | None = None
    determination: str | None = None
    assigned_to: str | None = None
    comment: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    add_task: str | None = None


class If(_Part):
    """One way or the other."""

    condition: Expression
    then: tuple[Step, ...] = ()
    else_: tuple[Step, ...] = Field(default=(), alias="else")


class Switch(_Part):
    """The way whose name the value has."""

    on: Expression
    cases: dict[str, tuple[Step, ...]]
    default: tuple[Step, ...] = ()


class Each(_Part):
    """Once for every item of a list."""

    in_: Expression = Field(alias="in")
    as_: Name = Field(default="item", alias="as")
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    """Items beyond these are left out, which the run says."""
    at_once: Annotated[int, Field(ge=1, le=20)] = 1
    do: Annotated[tuple[Step, ...], Field(min_length=1)]


class Parallel(_Part):
    """Branches at the same time; goes on when all have ended."""

    branches: Annotated[dict[Name, tuple[Step, ...]], Field(min_length=1, max_length=20)]


class Wait(_Part):
    """Some time, or until a moment (Unix seconds)."""

    for_: Duration | None = Field(default=None, alias="for")
    until: Expression | None = None


class Approval(_Part):
    """Shows what `then` will do, and does exactly that if enough people agree."""

    text: Text
    approvers: Annotated[int, Field(ge=1, le=5)] = 1
    four_eyes: bool = False
    role: Literal["analyst", "responder", "admin"] = "responder"
    expires: Duration = 3600.0
    tell: tuple[Sending, ...] = ()
    """Messages that carry the question; `${ask.links.approve}` and `${ask.links.reject}` answer it."""
    then: Annotated[tuple[Step, ...], Field(min_length=1)]
    else_: tuple[Step, ...] | None = Field(default=None, alias="else")
    """After a no, or no answer in time; without it the run ends as refused."""


class Ask(_Part):
    """Lets a person choose; `steps.ID.choice` has the answer."""

    text: Text
    options: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[\w .,+-]{1,60}$")], ...], Field(min_length=2, max_length=10)
    ]
    default: str
    """The answer of nobody."""
    role: Literal["analyst", "responder", "admin"] = "analyst"
    expires: Duration = 3600.0
    tell: tuple[Sending, ...] = ()
    """`${ask.links['OPTION']}` answers."""


class SubPlaybook(_Part):
    """Another playbook on the same subject; goes on when it has ended."""

    name: Text
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")


class Set(_Part):
    """Variables: `vars.NAME`."""

    values: Annotated[dict[Name, Any], Field(min_length=1)]


def kind_of(step: object) -> str:
    """Which of STEP_KINDS a step is; '' for none or more than one."""
    keys = step.keys() if isinstance(step, dict) else step.model_fields_set if isinstance(step, BaseModel) else set()
    found = [kind for kind in STEP_KINDS if kind in keys or kind + "_" in keys]
    return found[0] if len(found) == 1 else ""


class _Step(_Part):
    id: Name
    title: str = ""
    when: Expression | None = None
    """Left out unless this holds."""
    on_failure: Literal["stop", "continue"] | tuple[Step, ...] = "stop"
    """Stop the run as failed, go on, or do this and go on; `steps.ID.error` says why."""


class ActionStep(_Step):
    action: Action
    retry: Retry = Retry()
    timeout: Duration = 60.0
    lock: Text | None = None
    """Only one run at a time does a step with the same lock, for instance `${item}`."""


class ContainStep(_Step):
    contain: Contain
    retry: Retry = Retry()
    timeout: Duration = 60.0


class ChangeStep(_Step):
    change: Change


class IfStep(_Step):
    if_: If = Field(alias="if")


class SwitchStep(_Step):
    switch: Switch


class EachStep(_Step):
    each: Each


class ParallelStep(_Step):
    parallel: Parallel


class WaitStep(_Step):
    wait: Wait


class ApprovalStep(_Step):
    approval: Approval


class AskStep(_Step):
    ask: Ask


class PlaybookStep(_Step):
    playbook: SubPlaybook


class SetStep(_Step):
    set: Set


Step = Annotated[
    Annotated[ActionStep, Tag("action")]
    | Annotated[ContainStep, Tag("contain")]
    | Annotated[ChangeStep, Tag("change")]
    | Annotated[IfStep, Tag("if")]
    | Annotated[SwitchStep, Tag("switch")]
    | Annotated[EachStep, Tag("each")]
    | Annotated[ParallelStep, Tag("parallel")]
    | Annotated[WaitStep, Tag("wait")]
    | Annotated[ApprovalStep, Tag("approval")]
    | Annotated[AskStep, Tag("ask")]
    | Annotated[PlaybookStep, Tag("playbook")]
    | Annotated[SetStep, Tag("set")],
    Discriminator(
        kind_of,
        custom_error_type="step_kind",
        custom_error_message=f"needs exactly one of {', '.join(STEP_KINDS)}",
    ),
]
"""One step; its one key of STEP_KINDS says which kind."""


class Playbook(_Part):
    """A playbook file."""

    schema_: Literal["gatewatch.playbook/v1"] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = ""
    subject: Literal["incident", "alert", "finding", "none"] = "incident"
    inputs: dict[Name, Input] = Field(default_factory=dict)
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 50
    """Runs at a time; further ones wait in order. Those that wait for a person don't count."""
    coalesce: Text | None = None
    """A request with the same value while a run is queued or under way is served by that run."""
    timeout: Duration = 86_400.0
    """Of a whole run, waiting included."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=200)]


# One build of all models that nest in each other; each of them built by itself would build all the others again.
Playbook.model_rebuild()


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a playbook file, for editors."""
    schema = Playbook.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Gatewatch playbook"}
