"""What readers of other systems' rules share: where the rules are in a document, names, texts in CEL, comparisons."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gatewatch.respond.problems import Problem

__all__ = ["Reader", "compared", "quoted", "resources", "slug", "unique"]

_WORDS = re.compile(r"[^A-Za-z0-9]+")
_META = re.compile(r"([\\.+*?()|\[\]{}^$])")


class Reader:
    """Members of a JSON object, whatever the case of their names; what is wrong is noted with its place."""

    def __init__(self, data: object, at: str, problems: list[Problem]) -> None:
        """`data` that is no object is one without members."""
        self.at, self._problems = at, problems
        self._members: dict[str, Any] = {}
        if isinstance(data, Mapping):
            self._members = {str(name).lower(): value for name, value in data.items()}
        else:
            self.wrong("", "has to be an object")

    def wrong(self, name: str, message: str) -> None:
        """Note a mistake at a member."""
        self._problems.append(Problem(".".join(part for part in (self.at, name) if part), message))

    def get(self, name: str, usual: Any = None) -> Any:
        """A member."""
        found = self._members.get(name.lower())
        return usual if found is None else found

    def text(self, name: str) -> str:
        """A text; '' when there is none."""
        found = self.get(name, "")
        if not isinstance(found, str):
            self.wrong(name, "has to be a text")
            return ""
        return found

    def list(self, name: str) -> list[Any]:
        """A list; an empty one when there is none."""
        found = self.get(name, [])
        if not isinstance(found, list):
            self.wrong(name, "has to be a list")
            return []
        return found

    def inner(self, name: str, usual: object = None) -> Reader:
        """An object in it."""
        return Reader(self.get(name, usual), f"{self.at}.{name}" if self.at else name, self._problems)

    def each(self, name: str) -> Iterator[Reader]:
        """Objects of a list."""
        for place, one in enumerate(self.list(name)):
            yield Reader(one, f"{self.at}.{name}[{place}]" if self.at else f"{name}[{place}]", self._problems)

    def pick(self, name: str, known: Mapping[str, Any]) -> Any:
        """The counterpart of a word, without regard to case; None and a note for an unknown one."""
        text = self.text(name)
        for word, value in known.items():
            if word.lower() == text.lower():
                return value
        self.wrong(name, f"{text!r} has no counterpart; known are {', '.join(known)}")
        return None


def resources(document: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, object) of each: one alone, a list, `value` of a REST answer, `resources` of an ARM template."""
    if isinstance(document, Mapping):
        for name in ("value", "resources"):
            if isinstance(document.get(name), list):
                for place, one in enumerate(document[name]):
                    yield f"{name}[{place}]", one
                return
        yield "", document
    elif isinstance(document, Sequence) and not isinstance(document, str):
        for place, one in enumerate(document):
            yield f"[{place}]", one
    else:
        yield "", {}


def slug(text: str) -> str:
    """A name made of a title."""
    found = _WORDS.sub("-", text).strip("-").lower()[:60].rstrip("-")
    return found if len(found) > 1 else f"rule-{found or 'imported'}"


def unique(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered when it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name[:58]}-{number}"
    return found


def quoted(text: str) -> str:
    """A text in CEL."""
    return json.dumps(text, ensure_ascii=False)


def compared(subject: str, operator: str, value: str, *, after_colon: bool = False) -> str:
    """One comparison in CEL without regard to case; `operator` is Equals, Contains, StartsWith or EndsWith.

    `after_colon`: of an actor `kind:id` only the id counts.
    """
    low = value.lower()
    if after_colon:
        literal = _META.sub(r"\\\1", low)
        forms = {
            "Equals": f"{literal}$",
            "Contains": f".*{literal}",
            "StartsWith": literal,
            "EndsWith": f".*{literal}$",
        }
        return f"lower({subject}).matches({quoted('^[a-z]+:' + forms[operator])})"
    if operator == "Equals":
        return f"lower({subject}) == {quoted(low)}"
    return f"lower({subject}).{operator[0].lower()}{operator[1:]}({quoted(low)})"
