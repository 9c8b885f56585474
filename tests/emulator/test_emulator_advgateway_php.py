"""PHP's own SOAP client, which users of such gateways come from, against the emulator."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
from payamak.emulator import Emulator

PHP = shutil.which("php") or "php"


@cache
def missing() -> str | None:
    """Why these tests cannot run, or None."""
    if shutil.which("php") is None:
        return "php is not installed (php-cli)"
    modules = subprocess.run([PHP, "-m"], capture_output=True, text=True, timeout=20, check=False).stdout
    return None if "soap" in modules.split() else "php has no soap extension (php-soap)"


pytestmark = [
    pytest.mark.real_time,
    pytest.mark.asyncio,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]

SCRIPT = """
ini_set('soap.wsdl_cache_enabled', 0);
[, $url, $described] = $argv;
$options = ['exceptions' => true] + ($described ? [] : ['location' => $url, 'uri' => 'urn:smsserver']);
$client = new SoapClient($described ? "$url?wsdl" : null, $options);
$access = ['emulator', 'emulator'];
$replies = [
    $client->GetCredit(...$access),
    $client->SendSMS(...$access, ...['50001', ['09121111111', '09121111111', '09122222222'], 'سلام']),
    $client->SendMultipleSMS(...$access, ...['50001', ['09121111111', '09000000013'], ['a', 'b']]),
    $client->GetStatus(...$access, ...[['536221499', '536221500']]),
    $client->GetMsg(...$access),
    $client->GetCredit('x', 'y'),
];
try {
    $client->__soapCall('NoSuch', []);
} catch (SoapFault $fault) {
    $replies[] = $fault->getMessage();
}
echo json_encode($replies);
"""
EXPECTED: list[Any] = [
    {"ErrCode": "0", "result": "1000000"},
    {"ErrCode": "0", "result": ["536221499", "536221500"]},
    [{"ErrCode": "0", "result": "536221501"}, {"ErrCode": "-3", "result": "خطای ارسال"}],
    {"ErrCode": 0, "result": [1, 1]},
    {"ErrCode": 0, "result": []},
    {"ErrCode": "-1", "result": "کاربر شناسایی نشد"},
]


async def run(url: str, described: bool) -> list[Any]:
    process = await asyncio.create_subprocess_exec(
        PHP,
        *("-d", "display_errors=stderr", "-r", SCRIPT, "--", url, "1" if described else ""),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, errors.decode()
    replies: list[Any] = json.loads(output)
    return replies


@pytest.mark.parametrize("described", [True, False], ids=["wsdl", "no-wsdl"])
@pytest.mark.parametrize("style", ["struct", "map", "multiref"])
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
async def test_soap_client(emulator: Emulator, described: bool, style: str, strict: bool) -> None:
    switches = emulator.advgateway.switches
    switches.result_style = style
    switches.strict_order = switches.strict_arrays = strict
    replies = await run(emulator.advgateway_url, described)
    assert replies[:-1] == EXPECTED
    reason = "Operation 'NoSuch' is not defined in the WSDL for this service"
    # With a description the client itself knows that there is no such method.
    assert replies[-1] == ('Function ("NoSuch") is not a valid method for this service' if described else reason)
    assert [message.text for message in emulator.messages()] == ["سلام", "سلام", "a"]
