"""The tables of the pages say what the code says: methods, errors, delivery codes."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter

import pytest
from payamak import advgateway, ghasedak, opgateway, smsir
from payamak.advgateway.codes import ERROR_CODES as ADV_CODES
from payamak.advgateway.wire import REST_FILES
from payamak.common import Timeout, errors
from payamak.common.calls import Operation
from payamak.common.client import GatewayClient
from payamak.common.statuses import STATUSES
from payamak.ghasedak.codes import ERROR_NUMBERS, RESULT_CODES
from payamak.opgateway.codes import ERROR_CODES as OP_CODES
from payamak.opgateway.models import _DELIVERY_STATES
from support.printed import list_blocks, read_page

CLIENTS: dict[str, Callable[[], GatewayClient]] = {
    "ghasedak": lambda: ghasedak.GhasedakClient("key"),
    "smsir": lambda: smsir.SmsIrClient("key", "secret"),
    "opgateway": lambda: opgateway.OpGatewayClient("user", "password", base_url="https://localhost/"),
    "advgateway": lambda: advgateway.AdvGatewayClient("user", "password", base_url="https://localhost/"),
}
WIRES = {"ghasedak": "wire", "smsir": "operations", "opgateway": "wire", "advgateway": "wire"}
# At these the vendor's name of a method, and not its path, comes first.
PATH_COLUMN = {"ghasedak": 1}


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    (section,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^#|\Z)", read_page(f"docs/{page}.md"), re.MULTILINE | re.DOTALL)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> list[str]:
    return re.findall("`(.+?)`", cell)


@pytest.mark.parametrize("gateway", CLIENTS)
def test_every_vendor_method_stands_beside_ours(gateway: str) -> None:
    module = importlib.import_module(f"payamak.{gateway}.{WIRES[gateway]}")
    operations = [value for value in vars(module).values() if isinstance(value, Operation)]
    column = PATH_COLUMN.get(gateway, 0)
    printed = [
        (path, ours) for row in rows(gateway, "Every method") for path in names(row[column]) for ours in names(row[-1])
    ]
    assert sorted(printed) == sorted({(operation.path, operation.name) for operation in operations})


def list_methods(holder: object, prefix: str = "") -> Iterable[str]:
    """The public methods of a client and of its areas, such as ``groups.create``."""
    for name in dir(holder):
        if name.startswith("_"):
            continue
        value = getattr(holder, name)
        if inspect.ismethod(value):
            yield prefix + name
        elif not prefix and type(value).__module__.startswith("payamak."):
            yield from list_methods(value, f"{name}.")


@pytest.mark.parametrize("gateway", CLIENTS)
def test_every_method_of_ours_is_on_the_page(gateway: str) -> None:
    client = CLIENTS[gateway]()
    printed = [name for row in rows(gateway, "Every method") for name in names(row[-1])]
    printed += [name for row in rows(gateway, "Beyond the vendor's methods") for name in names(row[0])]
    assert all(callable(attrgetter(name)(client)) for name in printed)
    assert sorted(printed) == sorted(list_methods(client))
    asyncio.run(client.aclose())


def test_the_files_of_the_advanced_gateway() -> None:
    printed = [names(row[0]) + names(row[1]) for row in rows("advgateway", "Every method")]
    assert dict(printed) == REST_FILES


@pytest.mark.parametrize(
    ("page", "heading", "table"),
    [
        ("ghasedak", "Error numbers", ERROR_NUMBERS),
        ("ghasedak", "Result codes", RESULT_CODES),
        ("opgateway", "Error codes", OP_CODES),
        ("advgateway", "Error codes", ADV_CODES),
        ("errors", "HTTP statuses", STATUSES),
    ],
)
def test_the_errors_are_those_of_the_code(
    page: str, heading: str, table: Mapping[int, tuple[type[Exception], str]]
) -> None:
    wanted = [[str(code), f"`{kind.__name__}`", meaning] for code, (kind, meaning) in table.items()]
    assert sorted(rows(page, heading)) == sorted(wanted)


def test_the_delivery_codes_are_those_of_the_code() -> None:
    assert rows("ghasedak", "Delivery codes") == [
        [str(code.value), f"`{code.name}`", f"`{ghasedak.MessageStatus(status=code).state.name}`"]
        for code in ghasedak.DeliveryCode
    ]
    assert rows("advgateway", "Delivery codes") == [
        [str(code.value), f"`{code.name}`", f"`{advgateway.MessageStatus(0, code).state.name}`"]
        for code in advgateway.DeliveryCode
    ]


def test_the_delivery_words_are_those_of_the_code() -> None:
    printed = rows("opgateway", "Delivery words")
    states, approvals = printed[: len(_DELIVERY_STATES)], printed[-len(opgateway.Approval) :]
    assert states == [[f"`{word}`", f"`{state.name}`"] for word, state in _DELIVERY_STATES.items()]
    assert approvals == [[f"`{word.value}`", f"`{word.name}`"] for word in opgateway.Approval]


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    def draw(kind: type[errors.PayamakError], indent: str = "") -> Iterable[str]:
        children = sorted(kind.__subclasses__(), key=order.index)
        for child in children:
            last = child is children[-1]
            yield f"{indent}{'└─' if last else '├─'} {child.__name__}"
            yield from draw(child, indent + ("   " if last else "│  "))

    (tree,) = [
        block.code for block in list_blocks(read_page("docs/errors.md")) if block.code.startswith("PayamakError\n")
    ]
    printed = re.findall(r"\w+", tree)
    order = [getattr(errors, name) for name in printed]
    assert tree.splitlines() == ["PayamakError", *draw(errors.PayamakError)]


def test_every_error_has_a_line_that_says_what_to_do() -> None:
    def leaves(kind: type[errors.PayamakError]) -> Iterable[type[errors.PayamakError]]:
        for child in kind.__subclasses__():
            yield from leaves(child)
        if kind not in (errors.PayamakError, errors.TransportError):
            yield kind

    printed = {row[0]: row[1] for row in rows("errors", "The tree")}
    assert printed == {f"`{kind.__name__}`": kind.default_outcome.value for kind in leaves(errors.PayamakError)}


def test_the_outcomes_are_those_of_the_code() -> None:
    assert [row[0] for row in rows("errors", "The outcomes")] == [
        f"`{outcome.name}`" for outcome in errors.Outcome if outcome is not errors.Outcome.SENT
    ]


@pytest.mark.parametrize(
    ("page", "heading", "defaults"),
    [
        ("deployment", "Timeouts", {"total": "60 s", "attempt": "20 s", "connect": "5 s"}),
        (
            "token",
            "Settings",
            {
                "token_lifetime": "1800",
                "token_refresh_margin": "180",
                "token_expiry_margin": "10",
                "token_store_timeout": "1",
            },
        ),
    ],
)
def test_the_defaults_are_those_of_the_code(page: str, heading: str, defaults: dict[str, str]) -> None:
    printed = {row[0].strip("`"): row[1] for row in rows(page, heading)}
    assert printed | defaults == printed
    signature = inspect.signature(Timeout if page == "deployment" else smsir.SmsIrClient)
    assert {name: float(text.split()[0]) for name, text in defaults.items()} == {
        name: signature.parameters[name].default for name in defaults
    }
