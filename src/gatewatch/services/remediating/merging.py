"""Endpoints that are gone because their paths became one template are not fixed: what stands for them now."""

from __future__ import annotations

from gatewatch.model.inventory import Endpoint
from gatewatch.services.catalogue import Catalogue, EndpointFilter

__all__ = ["Merged"]

_ALL = 1_000_000


class Merged:
    """Of the inventory as it is; read when it is first asked."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Nothing is read yet."""
        self._catalogue = catalogue
        self._known: dict[tuple[str, str, int], list[Endpoint]] | None = None

    def of(self, shown: str) -> Endpoint | None:
        """The endpoint whose template covers one that findings showed as `METHOD host/template`."""
        method, _, place = shown.partition(" ")
        host, slash, template = place.partition(" ")[0].partition("/")
        segments = (slash + template).split("/")
        found = [one for one in self._index().get((method, host, len(segments)), ()) if _covers(one, segments)]
        return found[0] if found else None

    def _index(self) -> dict[tuple[str, str, int], list[Endpoint]]:
        if self._known is None:
            self._known = {}
            for one in self._catalogue.endpoints(EndpointFilter(), limit=_ALL)[0]:
                self._known.setdefault((one.method, one.host, len(one.template.split("/"))), []).append(one)
        return self._known


def _covers(endpoint: Endpoint, segments: list[str]) -> bool:
    pairs = list(zip(endpoint.template.split("/"), segments, strict=True))
    wider = any(new != old for new, old in pairs)
    return wider and all(new == old or (new.startswith("{") and new.endswith("}")) for new, old in pairs)
