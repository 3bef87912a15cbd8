"""Links in messages that answer a question: a one-time token each, made at the moment of sending."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from gatewatch.model.run import AnswerLink
from gatewatch.ports.clock import Clock
from gatewatch.ports.runs import RunStore
from gatewatch.respond.playbooks.asking import LINK

__all__ = ["AnswerLinks", "digest_of_token"]

_MARK = re.compile(r"\{" + LINK + r":([0-9a-f]+):([^{}:]+)\}")
PATH = "/v1/answers"
_TOKEN = re.compile(r"\S*" + PATH + r"#[0-9a-f]{64}")


def digest_of_token(token: str) -> str:
    """What is stored: the tokens are 256 random bits, there is nothing to guess."""
    return sha256(token.encode()).hexdigest()


class AnswerLinks:
    """Implements `services.playbooks.world.Links`."""

    def __init__(self, store: RunStore, clock: Clock, random_bytes: Callable[[int], bytes], url: str) -> None:
        """`url`: of this Gatewatch as people reach it; `random_bytes` gives cryptographic randomness."""
        self._store, self._clock, self._random, self._url = store, clock, random_bytes, url.rstrip("/")

    def filled(self, value: Any, recipient: str, about: Collection[str]) -> Any:
        """The value with links in place of the marks of these questions; any other mark is text like another."""
        if isinstance(value, str):
            return _MARK.sub(lambda mark: self._in_place_of(mark, recipient, about), value)
        if isinstance(value, Mapping):
            return {key: self.filled(inside, recipient, about) for key, inside in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled(inside, recipient, about) for inside in value]
        return value

    def hidden(self, value: Any) -> Any:
        """The value without tokens: receivers may answer with what they were sent."""
        if isinstance(value, str):
            return _TOKEN.sub("(a link that answers)", value)
        if isinstance(value, Mapping):
            return {key: self.hidden(inside) for key, inside in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden(inside) for inside in value]
        return value

    def _in_place_of(self, mark: re.Match[str], recipient: str, about: Collection[str]) -> str:
        question, option = mark.groups()
        return self._link(question, option, recipient) if question in about else mark.group()

    def _link(self, question: str, option: str, recipient: str) -> str:
        token = self._random(32).hex()
        self._store.put_link(
            AnswerLink(
                digest=digest_of_token(token),
                question=question,
                option=option,
                recipient=recipient[:256],
                created_at=self._clock.now(),
            )
        )
        # Behind a #: neither proxies nor server logs see it, and a mail scanner that opens the link answers nothing.
        return f"{self._url}{PATH}#{quote(token)}"
