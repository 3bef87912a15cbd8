"""What all commands share that ask a server: the options that say where and how, and what is done with the answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

from gatewatch.cli.output import AsJson, Column, show_json, show_record, show_table
from gatewatch.cli.rest import DEFAULT_SERVER, RefusedError, Server, ServerUrl, TokenText

__all__ = ["Ask", "AskList", "remote", "remote_list"]

P = ParamSpec("P")
A = TypeVar("A", bound="Ask")
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
_NOTHING_DONE = 130


class Ask:
    """One command's way to the server, and back to whoever typed it: people, or a program with `--json`."""

    def __init__(self, context: typer.Context, given: Mapping[str, Any]) -> None:
        """`given`: the values of the options that the decorators below add."""
        self.context = context
        self.as_json: bool = given["as_json"]
        self._server = given["server"], given["token"]

    @cached_property
    def server(self) -> Server:
        """Made when it is asked for, because some commands can do their work without one."""
        return Server(*self._server)

    def tell(self, answer: object, told: str | Iterable[str]) -> None:
        """The answer for a program; for people a sentence or lines, which may be made only when they are needed."""
        if self.as_json:
            show_json(answer)
            return
        for line in (told,) if isinstance(told, str) else told:
            typer.echo(line)

    def record(self, title: str, answer: Mapping[str, Any]) -> None:
        """One thing, a line per member."""
        if self.as_json:
            show_json(answer)
        else:
            show_record(title, answer)

    def table(
        self, answer: object, title: str, columns: Sequence[Column], records: Iterable[Mapping[str, Any]]
    ) -> None:
        """The answer for a program; for people a table of what is in it."""
        if self.as_json:
            show_json(answer)
        else:
            show_table(title, columns, records)

    def text(self, answer: object, text: str) -> None:
        """The answer for a program; for people a document as it is."""
        if self.as_json:
            show_json(answer)
        else:
            typer.echo(text, nl=False)

    def counts(self, answer: Mapping[str, int]) -> None:
        """How many of what were given became what."""
        self.tell(answer, ", ".join(f"{name} {count}" for name, count in answer.items()))

    def confirm(self, question: str, *, nothing: str) -> None:
        """Ask a person, on standard error, so that `--json` prints one document; without a yes it ends here."""
        if not typer.confirm(question, err=True):
            typer.echo(nothing, err=True)
            raise typer.Exit(_NOTHING_DONE)


class AskList(Ask):
    """The same for a list."""

    def __init__(self, context: typer.Context, given: Mapping[str, Any]) -> None:
        """As above."""
        super().__init__(context, given)
        self.limit: int | None = None if given["everything"] else given["limit"]

    def items(self, path: str, /, **parameters: object) -> Iterator[dict[str, Any]]:
        """As many as were asked for."""
        return self.server.items(path, parameters=parameters, limit=self.limit)

    def show(self, path: str, title: str, columns: Sequence[Column], /, **parameters: object) -> None:
        """Fetch and show; one more than asked for tells whether there are more."""
        wanted = None if self.limit is None else self.limit + 1
        found = list(self.server.items(path, parameters=parameters, limit=wanted))
        shown = found[: self.limit]
        more = len(found) > len(shown)
        if self.as_json:
            show_json({"items": shown, "more": more})
        else:
            show_table(title, columns, shown, more=more)


def _one(
    of_command: typer.Context, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """The options of a command, written as a command."""


def _many(
    of_command: typer.Context,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """The options of a list."""


def _options(like: Callable[..., None]) -> list[inspect.Parameter]:
    found = inspect.signature(like, eval_str=True).parameters.values()
    return [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in found]


_ONE, _MANY = _options(_one), _options(_many)


def remote(command: Callable[Concatenate[Ask, P], None]) -> Callable[P, None]:
    """A command that asks the server: `--server`, `--token` and `--json` come behind its own options.

    A parameter has the name that the REST API has for it, its option the name for people: that is how what the
    server says of `assigned_to` is told about `--owner`.
    """
    return _asking(command, Ask, _ONE)


def remote_list(*, limit: int = 50) -> Callable[[Callable[Concatenate[AskList, P], None]], Callable[P, None]]:
    """A command that lists: also `--limit`, with this default, and `--all`."""
    options = [one.replace(default=limit) if one.name == "limit" else one for one in _MANY]

    def listing(command: Callable[Concatenate[AskList, P], None]) -> Callable[P, None]:
        return _asking(command, AskList, options)

    return listing


def _asking(
    command: Callable[Concatenate[A, P], None], kind: type[A], options: Sequence[inspect.Parameter]
) -> Callable[P, None]:
    """Typer reads the signature: the command's own without the first, and the options behind it."""
    signature = inspect.signature(command, eval_str=True)
    _, *own = signature.parameters.values()

    @wraps(command)
    def asked(*args: P.args, **kwargs: P.kwargs) -> None:
        given: dict[str, Any] = {one.name: kwargs.pop(one.name) for one in options}
        context: typer.Context = given.pop("of_command")
        with _own_words(context):
            command(kind(context, given), *args, **kwargs)

    vars(asked)["__signature__"] = signature.replace(parameters=[*own, *options])
    # Evaluated already: typer, which looks here too, need not do it again when somebody waits for `--help`.
    asked.__annotations__ = {one.name: one.annotation for one in (*own, *options)}
    return asked


@contextmanager
def _own_words(context: typer.Context) -> Iterator[None]:
    """What the server says of its parameters and members is told about the options that they came from."""
    try:
        yield
    except RefusedError as error:
        given = {one.name or "": one.opts[0] for one in context.command.params}
        raise error.about(
            {option.lstrip("-").replace("-", "_"): option for option in given.values()} | given
        ) from error
