"""Questions to people: put once, answered by what is signed, never by a default of ours other than the no of nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from gatewatch.respond.playbooks.document import Sending
from gatewatch.respond.playbooks.stopping import StepFailedError
from gatewatch.respond.playbooks.world import Engine, Told, Wish, World

__all__ = ["LINK", "TELLS", "Asking", "Teller", "link_mark"]

LINK = "gatewatch-link"
"""`{gatewatch-link:QUESTION:OPTION}` stands in inputs until the moment of sending, when it becomes a link with a
one-time token: neither run history nor journal ever has one."""
TELLS = "/tell["
"""In the paths of messages, behind the path of the step whose question they carry."""


def link_mark(question: str, option: str) -> str:
    """What stands for a link that answers a question."""
    return f"{{{LINK}:{question}:{option}}}"


class Teller(Protocol):
    """Sends messages."""

    async def tell(self, sending: Sending, path: str, scope: Mapping[str, Any]) -> None:
        """Send; a message that can't be sent is noted, the question can be answered without it."""
        ...


class Asking:
    """Of one run or branch."""

    def __init__(self, engine: Engine, world: World, run: str) -> None:
        self._engine, self._world, self._run = engine, world, run

    async def ask(self, wish: Wish, tell: Sequence[Sending], scope: Mapping[str, Any], teller: Teller) -> Told:
        """Put the question, send the messages, wait. Raises StepFailedError for an answer to something else."""
        path = wish.path
        told = await self._engine.once(f"{path}/ask", partial(self._world.ask, wish), Told)
        links = {option: link_mark(told.id, option) for option in wish.options}
        known = {**scope, "ask": {"id": told.id, "text": wish.text, "plan": list(wish.plan), "links": links}}
        for at, sending in enumerate(tell):
            await teller.tell(sending, f"{path}{TELLS}{at}]", known)
        left = told.left_s
        while not told.choice:
            if await self._engine.hear(f"question:{told.id}", left):
                told = await self._engine.once(f"{path}/told", partial(self._world.told, told.id), Told)
            else:
                told = await self._engine.once(f"{path}/expire", partial(self._world.expire, told.id), Told)
            left = told.left_s
        if told.digest != wish.digest:
            raise StepFailedError("the answer is bound to another plan than the one that was asked about")
        return told
