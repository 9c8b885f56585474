"""What users import and call: exactly this. A change here is a change for them, and belongs in the changelog."""

from __future__ import annotations

import importlib
import inspect
import pickle
import re
from typing import Any

import attrs
import pytest
from payamak import common
from support.gateways import EACH, GATEWAYS, Gateway
from support.surface import ENGINE, SHARED


@EACH
def test_exports(gateway: Gateway) -> None:
    surface, package = gateway.surface, importlib.import_module(gateway.surface.package)
    shared = (*SHARED, *surface.shared)
    assert package.__all__ == sorted([*shared, *surface.own])
    for name in shared:
        assert getattr(package, name) is getattr(common, name)
    for name in surface.own:
        assert inspect.getdoc(getattr(package, name))


def test_exports_of_the_shared_package() -> None:
    shared = {name for gateway in GATEWAYS for name in gateway.surface.shared}
    assert common.__all__ == sorted({*SHARED, *ENGINE, *shared})
    assert all(getattr(common, name) is not None for name in common.__all__)


def functions_of(gateway: Gateway) -> dict[str, Any]:
    """The client's methods and those of its areas, and the classes whose signatures are pinned."""
    surface, package = gateway.surface, importlib.import_module(gateway.surface.package)
    found: dict[str, Any] = {name: getattr(package, name) for name in surface.signatures if name[0].isupper()}
    for area, kind in surface.areas.items():
        for name, value in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                found[f"{area}.{name}" if area else name] = value
    return found


def _render(function: Any) -> str:
    parts: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        assert parameter.annotation is not parameter.empty
        assert parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        is_required = parameter.default is parameter.empty
        parts.append(parameter.name if is_required else f"{parameter.name}={parameter.default!r}")
    return ", ".join(parts)


@EACH
def test_signatures(gateway: Gateway) -> None:
    assert {name: _render(function) for name, function in functions_of(gateway).items()} == gateway.surface.signatures


@EACH
def test_every_operation_is_a_method(gateway: Gateway) -> None:
    assert set(gateway.calls) <= set(functions_of(gateway))


@EACH
def test_every_argument_is_documented(gateway: Gateway) -> None:
    for name, function in functions_of(gateway).items():
        text = inspect.getdoc(function) or ""
        assert text, name
        if name not in gateway.surface.undocumented:
            parameters = set(inspect.signature(function).parameters) - {"self"}
            assert not [parameter for parameter in parameters if f"{parameter}:" not in text], name


@EACH
def test_every_method_names_the_vendors(gateway: Gateway) -> None:
    functions = functions_of(gateway)
    for name in gateway.calls:
        text = inspect.getdoc(functions[name]) or ""
        assert re.search(r"Vendor method: |Vendor's op: |vendor's document", text), name


MODELS = [
    pytest.param(kind, id=f"{gateway.label}-{name}")
    for gateway in GATEWAYS
    for name in gateway.surface.own
    if attrs.has(kind := getattr(importlib.import_module(gateway.surface.package), name))
]


@pytest.mark.parametrize("model", MODELS)
def test_models_are_frozen_slotted_and_documented(model: Any) -> None:
    text = "".join(inspect.getdoc(base) or "" for base in model.__mro__[:-1])
    assert "__slots__" in vars(model) or "__attrs_attrs__" not in vars(model)
    for field in attrs.fields(model):
        assert f"{field.name}:" in text or f"``{field.name}``" in text
    value = model(**_arguments_for(model))
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 -- our own
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(model)[0].name, 2)


def _arguments_for(model: Any) -> dict[str, Any]:
    return {field.name: 1 for field in attrs.fields(model) if field.default is attrs.NOTHING}


@EACH
async def test_other_public_attributes(gateway: Gateway) -> None:
    client, areas = gateway.make("https://gateway.example/"), {**gateway.surface.areas}
    kind = areas.pop("")
    public = {name for name in dir(client) if not name.startswith("_")}
    assert public - set(functions_of(gateway)) == {"account_hash", "closed", "gateway", *areas}
    for name, area in areas.items():
        thing: Any = getattr(client, name)
        assert isinstance(thing, area)
        assert all(found.startswith("_") for found in thing.__dict__)
    assert (client.gateway, client.closed, repr(client)) == (gateway.name, False, f"<{kind.__name__}>")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(client)
    await client.aclose()
    assert (client.closed, repr(client)) == (True, f"<{kind.__name__} (closed)>")
