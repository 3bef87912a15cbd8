"""The shape of a playbook file; its JSON Schema is made from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.respond.playbooks.words import Duration, Expression, Name, Option, Text

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

STEP_KINDS = (
    *("action", "contain", "change", "if", "switch", "each"),
    *("parallel", "wait", "approval", "ask", "playbook", "set"),
)
"""Exactly one of these keys makes a step what it is."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, use_attribute_docstrings=True)


class Input(_Part):
    """What whoever starts the playbook may give."""

    type: Literal["string", "integer", "number", "boolean", "array", "object"] = "string"
    """JSON Schema type of the value."""
    description: str = ""
    """For whoever has to give it."""
    required: bool = False
    """It has to be given."""
    default: Any = None
    """When it is not given."""
    choices: tuple[Any, ...] = ()
    """When given, only these values."""


class Retry(_Part):
    """Again after a failure that surely had no effect; never after an unknown outcome."""

    attempts: Annotated[int, Field(ge=1, le=20)] = 1
    """How often at most; 1 is no retry."""
    first: Duration = 5.0
    """Pause after the first failure; it doubles."""
    most: Duration = 300.0
    """Longest pause between attempts."""


class Sending(_Part):
    """An action on a connection."""

    connection: str
    """Name of a configured connection."""
    do: str
    """Id of one of its actions."""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Inputs of the action; texts may hold `${expression}`."""


class Action(Sending):
    """Calls another system."""


class Expects(_Part):
    """What traffic has to show, or the containment is rolled back."""

    attack_falls_by: Annotated[float, Field(ge=0, le=1)] = 0.95
    """Share of the attack's calls that get through no more; of a throttle at most what it can do."""
    collateral_at_most: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of other callers' calls that may be refused because of it."""
    bystanders_at_most: Annotated[int, Field(ge=0)] = 5
    """Other callers that a containment of a caller may shut out."""
    within: Duration = 600.0
    """When the effect is judged."""


class Contain(_Part):
    """Plans a containment, asks for what approvals it needs, and applies it."""

    gateway: Text
    """Name of a configured gateway."""
    scope: ScopeKind
    """What kind of thing the containment is about."""
    value: Text
    """Which one, for instance `${item.value}`."""
    endpoint: str = ""
    """`METHOD host template` that it is narrowed to; empty: everywhere behind the gateway."""
    effect: Effect
    """What happens to calls in scope."""
    duration: Duration
    """How long it lasts; it ends by itself."""
    calls: int | None = None
    """For `throttle`: so many calls in `per`."""
    per: Duration = 60.0
    """For `throttle`."""
    reason: str = ""
    """For the audit log; empty: the name of the playbook."""
    expects: Expects = Expects()


class Change(_Part):
    """Changes the incident (or alert) that the run is about."""

    status: str | None = None
    """New status."""
    severity: str | None = None
    """New severity, which then stays."""
    classification: str | None = None
    """What it was: true or false positive, or expected activity."""
    determination: str | None = None
    """What kind of it."""
    assigned_to: str | None = None
    """New owner."""
    comment: str | None = None
    """A comment to add."""
    add_tags: tuple[str, ...] = ()
    """Tags to add."""
    remove_tags: tuple[str, ...] = ()
    """Tags to remove."""
    add_task: str | None = None
    """Title of a task to add."""


class If(_Part):
    """One way or the other."""

    condition: Expression
    """CEL; true or false."""
    then: tuple[Step, ...] = ()
    """Steps when it is true."""
    else_: tuple[Step, ...] = Field(default=(), alias="else")
    """Steps when it is false."""


class Switch(_Part):
    """The way whose name the value has."""

    on: Expression
    """CEL; the value that chooses."""
    cases: dict[str, tuple[Step, ...]]
    """Steps by value."""
    default: tuple[Step, ...] = ()
    """Steps for every other value."""


class Each(_Part):
    """Once for every item of a list."""

    in_: Expression = Field(alias="in")
    """CEL; the list."""
    as_: Name = Field(default="item", alias="as")
    """Name of the item inside; `index` is its number."""
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    """Items beyond these are left out, which the run says."""
    at_once: Annotated[int, Field(ge=1, le=20)] = 1
    """So many items at the same time."""
    do: Annotated[tuple[Step, ...], Field(min_length=1)]
    """Steps for every item."""


class Parallel(_Part):
    """Branches at the same time; goes on when all have ended."""

    branches: Annotated[dict[Name, tuple[Step, ...]], Field(min_length=1, max_length=20)]
    """Steps by name of the branch."""


class Wait(_Part):
    """Some time, or until a moment (Unix seconds)."""

    for_: Duration | None = Field(default=None, alias="for")
    """So long."""
    until: Expression | None = None
    """CEL; Unix seconds."""


class Approval(_Part):
    """Shows what `then` will do, and does exactly that if enough people agree."""

    text: Text
    """What is asked; may hold `${expression}`."""
    approvers: Annotated[int, Field(ge=1, le=5)] = 1
    """How many different people have to agree; one refusal is a refusal."""
    four_eyes: bool = False
    """Whoever started the run can't approve."""
    role: Literal["analyst", "responder", "admin"] = "responder"
    """Who answers needs at least this role."""
    expires: Duration = 3600.0
    """After so long nobody has agreed, which is a no."""
    tell: tuple[Sending, ...] = ()
    """Messages that carry the question; `${ask.links.approve}` and `${ask.links.reject}` answer it."""
    then: Annotated[tuple[Step, ...], Field(min_length=1)]
    """Steps after a yes: exactly the effects that were shown."""
    else_: tuple[Step, ...] | None = Field(default=None, alias="else")
    """After a no, or no answer in time; without it the run ends as refused."""


class Ask(_Part):
    """Lets a person choose; `steps.ID.choice` has the answer."""

    text: Text
    """What is asked; may hold `${expression}`."""
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=10)]
    """Answers to choose from."""
    default: str
    """The answer of nobody."""
    role: Literal["analyst", "responder", "admin"] = "analyst"
    """Who answers needs at least this role."""
    expires: Duration = 3600.0
    """After so long the default is the answer."""
    tell: tuple[Sending, ...] = ()
    """`${ask.links['OPTION']}` answers."""


class SubPlaybook(_Part):
    """Another playbook on the same subject; goes on when it has ended."""

    name: Text
    """Which playbook."""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Its inputs."""


class Set(_Part):
    """Variables: `vars.NAME`."""

    values: Annotated[dict[Name, Any], Field(min_length=1)]
    """By name; later steps read `vars.NAME`."""


def kind_of(step: object) -> str:
    """Which of STEP_KINDS a step is; '' for none or more than one."""
    keys = step.keys() if isinstance(step, dict) else step.model_fields_set if isinstance(step, BaseModel) else set()
    found = [kind for kind in STEP_KINDS if kind in keys or kind + "_" in keys]
    return found[0] if len(found) == 1 else ""


class _Step(_Part):
    id: Name
    """Name of the step: unique, later steps read `steps.ID`."""
    title: str = ""
    """For people."""
    when: Expression | None = None
    """Left out unless this holds."""
    on_failure: Literal["stop", "continue"] | tuple[Step, ...] = "stop"
    """Stop the run as failed, go on, or do this and go on; `steps.ID.error` says why."""


class _EffectStep(_Step):
    retry: Retry = Retry()
    """Again after a failure that surely had no effect."""
    timeout: Duration = 60.0
    """Longest time of one attempt."""


class ActionStep(_EffectStep):
    action: Action
    lock: Text | None = None
    """Only one run at a time does a step with the same lock, for instance `${item}`."""


class ContainStep(_EffectStep):
    contain: Contain


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
    """Version of this format."""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
    """Unique; versions of one playbook share it."""
    title: Annotated[str, Field(min_length=1, max_length=200)]
    """For people."""
    description: str = ""
    """For people: when to use it, what it needs."""
    subject: Literal["incident", "alert", "finding", "none"] = "incident"
    """What a run is about."""
    inputs: dict[Name, Input] = Field(default_factory=dict)
    """What whoever starts it may give, by name."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 50
    """Runs at a time; further ones wait in order. Those that wait for a person don't count."""
    coalesce: Text | None = None
    """A request with the same value while a run is queued or under way is served by that run."""
    timeout: Duration = 86_400.0
    """Of a whole run, waiting included."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=200)]
    """What is done, in order."""


# One build of all models that nest in each other; each of them built by itself would build all the others again.
Playbook.model_rebuild()


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a playbook file, for editors."""
    schema = Playbook.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Gatewatch playbook"}
