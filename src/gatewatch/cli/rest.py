"""The command line's way to a running server: the public REST API and nothing else."""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import httpx

from gatewatch.errors import ConflictError, GatewatchError, InputError, NotFoundError

__all__ = ["DEFAULT_SERVER", "RefusedError", "Server", "ServerError", "ServerUrl", "TokenText"]

ServerUrl = Annotated[str, typer.Option("--server", envvar="GATEWATCH_SERVER", help="Address of the running server.")]
TokenText = Annotated[
    str, typer.Option("--token", envvar="GATEWATCH_TOKEN", help="API token; `gatewatch serve` prints the first one.")
]
DEFAULT_SERVER = "http://127.0.0.1:8420"
_TIMEOUT_S = 30.0
_PAGE = 200


class ServerError(GatewatchError):
    """The server is not there, or does not accept the token."""

    code = "server"
    exit_code = 8


class RefusedError(InputError):
    """The server can't use what was given, and says which parameter or member it means."""

    def __init__(self, message: str, *, cure: str, mistakes: Mapping[str, str], known: Sequence[str] = ()) -> None:
        """`mistakes`: what is wrong, by name in the REST API; `known`: the names there are, when one is not."""
        super().__init__(message, cure=cure)
        self.mistakes, self.known = mistakes, known

    def about(self, options: Mapping[str, str]) -> InputError:
        """The same about options; as the server said it when some of it came from none of them."""
        if not self.mistakes or not options.keys() >= self.mistakes.keys():
            return self
        told = "; ".join(f"{options[name]}: {text}" for name, text in self.mistakes.items())
        others = ", ".join(options[name] for name in self.known if name in options)
        return InputError(told, cure=f"This server knows {others}." if others else self.cure)


class Server:
    """Calls the REST API; problems become typed errors with the server's own words."""

    def __init__(self, url: str, token: str) -> None:
        """Nothing is sent yet; its connections are closed when nobody has it any more. Raises InputError."""
        import httpx

        headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            self._client = httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)
        except httpx.InvalidURL as error:
            raise _no_address(url) from error
        # A command has one of these and no place of its own to close it.
        weakref.finalize(self, self._client.close)
        self._url = url

    def call(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: object = None,
        match: str = "",
        timeout_s: float = _TIMEOUT_S,
    ) -> Any:
        """One call; the decoded answer, None when it is empty."""
        content = self.content(method, path, parameters=parameters, body=body, match=match, timeout_s=timeout_s)
        return self._decoded(content) if content else None

    def content(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: object = None,
        match: str = "",
        timeout_s: float = _TIMEOUT_S,
    ) -> bytes:
        """One call; the octets of the answer."""
        found: bytes = self._answer(method, path, parameters or {}, body, match, timeout_s).content
        return found

    def tagged(self, path: str) -> tuple[Any, str]:
        """What there is, and the ETag to give as `match` with a change of it: refused when others were faster."""
        response = self._answer("GET", path, {}, None, "", _TIMEOUT_S)
        return self._decoded(response.content), str(response.headers.get("etag", ""))

    def _answer(
        self, method: str, path: str, parameters: Mapping[str, Any], body: object, match: str, timeout_s: float
    ) -> httpx.Response:
        import httpx

        wanted = {name: value for name, value in parameters.items() if value not in (None, "", [], ())}
        headers = {"if-match": match} if match else {}
        try:
            response = self._client.request(method, path, params=wanted, json=body, headers=headers, timeout=timeout_s)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise _no_address(self._url) from error
        except httpx.HTTPError as error:
            raise ServerError(
                f"no answer from {self._url}: {error}", cure="Start it with `gatewatch serve`, or give --server."
            ) from error
        if response.is_error:
            raise _problem(response.status_code, response.content)
        return response

    def _decoded(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError as error:
            raise ServerError(
                f"what answers at {self._url} is not Gatewatch", cure="Give its address with --server."
            ) from error

    def items(self, path: str, *, parameters: Mapping[str, Any], limit: int | None) -> Iterator[dict[str, Any]]:
        """Items of a list, page after page, at most `limit` (all when None)."""
        cursor, left = "", limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = self.call("GET", path, parameters={**parameters, "limit": size, "cursor": cursor})
            yield from page["items"]
            cursor = page["next"]
            left = None if left is None else left - len(page["items"])
            if not cursor:
                return


def _no_address(url: str) -> InputError:
    return InputError(f"`{url}` is no address of a server", cure=f"Write it like {DEFAULT_SERVER}.")


def _problem(status: int, content: bytes) -> GatewatchError:
    try:
        problem = json.loads(content)
    except ValueError:
        problem = {}
    text = problem.get("detail") or problem.get("title") or f"the server answered {status}"
    cure = problem.get("cure", "")
    if status == 401:
        # The server's cure is for who writes requests; whoever types commands never sees a header.
        return ServerError(text, cure="Give a token with --token or GATEWATCH_TOKEN.")
    if status == 403:
        return ServerError(text, cure=cure)
    if status in (400, 422):
        return RefusedError(text, cure=cure, mistakes=_mistakes(problem), known=problem.get("known", ()))
    kinds: dict[int, type[GatewatchError]] = {404: NotFoundError, 409: ConflictError, 412: ConflictError}
    return kinds.get(status, ServerError)(text, cure=cure)


def _mistakes(problem: Mapping[str, Any]) -> dict[str, str]:
    """By name of a parameter or of a member of the body; what is said of other places is left out, whole."""
    found: dict[str, str] = {}
    for one in problem.get("errors", ()):
        place, _, name = one["at"].partition(".")
        if place not in ("query", "body") or not name:
            return {}
        found.setdefault(name.partition(".")[0], one["message"])
    return found
