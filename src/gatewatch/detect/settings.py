"""Settings of detectors: fields that carry unit, range and description, and can be changed by an operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, inspect

from gatewatch.errors import DefinitionError
from gatewatch.model.alert import Severity

__all__ = ["SettingField", "SettingValue", "Settings", "changed", "count", "fields", "fraction", "ratio", "severity_of"]

T = TypeVar("T", bound="Settings")
SettingValue = float | int | bool | str


def count(description: str, *, least: int = 1, most: int = 1_000_000, unit: str = "") -> Meta:
    """A whole number."""
    return Meta(ge=least, le=most, description=description, extra={"unit": unit})


def ratio(description: str, *, least: float = 1.0, most: float = 1000.0, unit: str = "times") -> Meta:
    """A factor."""
    return Meta(ge=least, le=most, description=description, extra={"unit": unit})


def fraction(description: str) -> Meta:
    """A share or a confidence, 0 to 1."""
    return Meta(ge=0.0, le=1.0, description=description, extra={"unit": "share"})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every detector can be told."""

    enabled: Annotated[bool, Meta(description="Whether the detector runs.", extra={"unit": ""})] = True
    severity: Annotated[
        str,
        Meta(
            pattern=r"^(|informational|low|medium|high)$",
            description="Severity of every alert of this detector; empty: the detector judges.",
            extra={"unit": ""},
        ),
    ] = ""


class SettingField(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as people see it."""

    name: str
    type: str
    """bool, int, float or str."""
    default: SettingValue
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    description: str = ""


def fields(kind: type[Settings]) -> tuple[SettingField, ...]:
    """Every setting with its unit, range, default and description, in the order they are declared."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return tuple(_field(member) for member in described.fields)


def _field(member: inspect.Field) -> SettingField:
    metadata, kind = member.type, member.type
    schema: dict[str, object] = {}
    extra: dict[str, object] = {}
    if isinstance(metadata, inspect.Metadata):
        kind = metadata.type
        schema, extra = metadata.extra_json_schema or {}, metadata.extra or {}
    minimum, maximum = getattr(kind, "ge", None), getattr(kind, "le", None)
    return SettingField(
        name=member.name,
        type=type(member.default).__name__,
        default=member.default,
        minimum=minimum,
        maximum=maximum,
        unit=str(extra.get("unit", "")),
        description=str(schema.get("description", "")),
    )


def changed(kind: type[T], values: Mapping[str, SettingValue], *, detector: str) -> T:
    """Settings with the given values changed. Raises DefinitionError that names the detector and the member."""
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(field.name for field in fields(kind))
        raise DefinitionError(str(error), file=f"settings of {detector}", cure=f"Settings are: {known}.") from error


def severity_of(values: Settings) -> Severity | None:
    """The severity an operator fixed; None when the detector judges."""
    return Severity(values.severity) if values.severity else None
