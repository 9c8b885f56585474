"""How the first message is sent to each gateway, for the page in a browser.

The `$names` are the gateway's account settings, `$url` of this emulator, and `$line`, the account's first.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

_GHASEDAK = """\
import asyncio

from payamak.ghasedak import GhasedakClient


async def main() -> None:
    url = "$url/v2/"
    async with GhasedakClient("$key", base_url=url) as client:
        await client.send("09121234567", "کد ورود شما: 482913", sender="$line")


asyncio.run(main())
"""
_GHASEDAK_CURL = """\
curl $url/v2/sms/send/simple -H 'apikey: $key' \\
  -d receptor=09121234567 -d linenumber=$line \\
  --data-urlencode 'message=کد ورود شما: 482913'
"""

_SMSIR = """\
import asyncio

from payamak.smsir import NewContact, SmsIrClient


async def main() -> None:
    url = "$url/users/v1/"
    async with SmsIrClient("$user_api_key", "$secret_key", base_url=url) as client:
        group = await client.groups.create("مشتریان")
        await client.contacts.add(group.id, [NewContact("09121234567")])
        await client.messages.send_to_numbers("09121234567", "حراج فردا شروع می‌شود.")


asyncio.run(main())
"""

_OPGATEWAY = """\
import asyncio

from payamak.opgateway import OpGatewayClient


async def main() -> None:
    url = "$url/services.jspd"
    async with OpGatewayClient("$user", "$password", base_url=url) as client:
        await client.send("09121234567", "کد ورود شما: 482913", sender="$line")


asyncio.run(main())
"""
_OPGATEWAY_CURL = """\
curl $url/services.jspd -d uname=$user -d pass=$password -d op=send \\
  -d from=$line -d 'to=["09121234567"]' \\
  --data-urlencode 'message=کد ورود شما: 482913'
"""

_ADVGATEWAY = """\
import asyncio

from payamak.advgateway import AdvGatewayClient


async def main() -> None:
    url = "$url/class/sms/webservice3/server.php"
    async with AdvGatewayClient("$user", "$password", base_url=url) as client:
        await client.send("09121234567", "کد ورود شما: 482913", sender="$line")


asyncio.run(main())
"""
_ADVGATEWAY_CURL = """\
curl $url/class/sms/restful/sendSms_OneToMany.php \\
  -d '{"uname": "$user", "pass": "$password", "from": "$line",
       "to": ["09121234567"], "msg": "کد ورود شما: 482913"}'
"""

EXAMPLES: Mapping[str, tuple[tuple[str, Template], ...]] = {
    "ghasedak": (("Python", Template(_GHASEDAK)), ("curl", Template(_GHASEDAK_CURL))),
    # Without a token there is no call, so no single curl line sends.
    "smsir": (("Python", Template(_SMSIR)),),
    "opgateway": (("Python", Template(_OPGATEWAY)), ("curl", Template(_OPGATEWAY_CURL))),
    "advgateway": (("Python", Template(_ADVGATEWAY)), ("curl", Template(_ADVGATEWAY_CURL))),
}
