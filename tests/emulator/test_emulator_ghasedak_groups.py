from __future__ import annotations

import json
from typing import Any

import pytest
from payamak.emulator import Emulator

pytestmark = pytest.mark.asyncio


async def new_group(call: Any, name: str = "test", **params: object) -> int:
    return int((await call("contact/group/new", name=name, **params)).items["groupid"])


async def numbers(call: Any, group_id: int, **params: object) -> list[str]:
    reply = await call("contact/group/listnumber", method="GET", groupid=group_id, **params)
    return [item["number"] for item in reply.items]


async def test_groups_within_groups(call: Any) -> None:
    top = await new_group(call)
    assert top == 209531
    child = await new_group(call, "زیرگروه", parent=top)
    await new_group(call, "other", parent="null")
    listed = (await call("contact/group/list", method="GET")).items
    assert listed == [{"id": top, "name": "test", "parent": 0}, {"id": 209533, "name": "other", "parent": 0}]
    below = (await call("contact/group/list", method="POST", parent=top)).items
    assert below == [{"id": child, "name": "زیرگروه", "parent": top}]


async def test_edit_and_remove(call: Any) -> None:
    top = await new_group(call)
    child = await new_group(call, parent=top)
    edited = await call("contact/group/edit", groupid=top, name="new")
    assert edited.body == {"result": {"code": 200, "message": "success"}, "items": None}
    assert (await call("contact/group/list")).items[0]["name"] == "new"
    removed = await call("contact/group/remove", groupid=top)
    assert (removed.code, removed.items) == (200, None)
    assert (await call("contact/group/list")).items == []
    assert (await call("contact/group/edit", groupid=child, name="x")).http == 404


async def test_add_list_and_remove_numbers(call: Any, control: Any) -> None:
    group_id = await new_group(call)
    added = await call(
        "contact/group/addnumber",
        groupid=group_id,
        number="+989121111111, 09122222222",
        firstname="علی,سارا",
        lastname="rad",
        email=",s@example.com",
    )
    assert (added.code, added.items) == (200, None)
    listed = (await call("contact/group/listnumber", method="GET", groupid=group_id)).items
    assert listed == [
        {"firstName": "علی", "lastName": "rad", "number": "09121111111", "email": ""},
        {"firstName": "سارا", "lastName": "", "number": "09122222222", "email": "s@example.com"},
    ]
    contacts = (await control("GET", "contacts")).body["contacts"]["ghasedak"][0]["contacts"]
    ids = [contact["record_id"] for contact in contacts]
    other = await new_group(call)
    assert (await call("contact/group/number/remove", groupid=other, ids=ids[0])).code == 200
    assert len(await numbers(call, group_id)) == 2
    assert (await call("contact/group/number/remove", groupid=group_id, ids=f" {ids[0]},1 ")).items is None
    assert await numbers(call, group_id) == ["09122222222"]


async def test_listing_in_pages(call: Any, emulator: Emulator) -> None:
    group_id = await new_group(call)
    everyone = [f"0912{index:07}" for index in range(150)]
    await call("contact/group/addnumber", groupid=group_id, number=",".join(everyone[:100]))
    await call("contact/group/addnumber", groupid=group_id, number=",".join(everyone[100:]))
    assert await numbers(call, group_id) == everyone[:100]
    assert await numbers(call, group_id, offset=500) == everyone[:100]
    assert await numbers(call, group_id, page=1) == everyone[100:]
    assert await numbers(call, group_id, offset=20, page=2) == everyone[40:60]
    emulator.ghasedak.switches.contacts_first_page = 1
    assert await numbers(call, group_id) == everyone[:100]
    assert await numbers(call, group_id, page=0) == everyone[:100]
    assert await numbers(call, group_id, page=2) == everyone[100:]


async def test_adding_numbers_is_checked(call: Any, emulator: Emulator) -> None:
    group_id = await new_group(call)
    too_many = ",".join(f"0912{index:07}" for index in range(101))
    assert (await call("contact/group/addnumber", groupid=group_id, number=too_many)).items == [3]
    assert (await call("contact/group/addnumber", groupid=group_id, number="09121111111,test")).items == [8]
    assert (await call("contact/group/addnumber", groupid=group_id, number="09121111111", email="a,b")).items == [4]
    emulator.ghasedak.switches.strict_contact_lists = True
    pair = "09121111111,09122222222"
    assert (await call("contact/group/addnumber", groupid=group_id, number=pair, email="a")).items == [4]
    assert await numbers(call, group_id) == []


REQUIRED: dict[str, dict[str, object]] = {
    "contact/group/new": {"name": "x"},
    "contact/group/addnumber": {"groupid": 1, "number": "09121111111"},
    "contact/group/listnumber": {"groupid": 1},
    "contact/group/edit": {"groupid": 1, "name": "x"},
    "contact/group/remove": {"groupid": 1},
    "contact/group/number/remove": {"groupid": 1, "ids": "1"},
}


@pytest.mark.parametrize("path", REQUIRED)
async def test_every_required_parameter_is_named(call: Any, path: str) -> None:
    for name in REQUIRED[path]:
        fields = {key: value for key, value in REQUIRED[path].items() if key != name}
        reply = await call(path, **fields)
        assert (reply.http, json.loads(reply.message), reply.items) == (400, [f"{name} is required"], None)


@pytest.mark.parametrize("path", [*REQUIRED, "contact/group/list"])
async def test_unknown_group(call: Any, emulator: Emulator, path: str) -> None:
    fields = {**REQUIRED.get(path, {}), "parent": 1}
    reply = await call(path, **fields)
    assert (reply.http, reply.message, reply.items) == (404, "the requested resource does not exist", "")
    emulator.ghasedak.switches.unknown_group = "exception"
    assert (await call(path, **fields)).items == [10]


@pytest.mark.parametrize("change", [{"groupid": "x"}, {"page": "x"}, {"offset": "0"}, {"page": "-1"}])
async def test_integers_are_checked(call: Any, change: dict[str, str]) -> None:
    group_id = await new_group(call)
    reply = await call("contact/group/listnumber", **{"groupid": group_id, **change})
    assert json.loads(reply.message) == [f"{next(iter(change))} is invalid"]


async def test_list_requires_its_parent_only_if_strict(call: Any, emulator: Emulator) -> None:
    emulator.ghasedak.switches.strict_required = True
    assert json.loads((await call("contact/group/list")).message) == ["parent is required"]
    assert (await call("contact/group/list", parent=0)).items == []
