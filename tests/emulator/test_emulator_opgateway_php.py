"""PHP's own curl as the client of the op-driven gateway, as nearly all its real clients are."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess

import pytest
from payamak.emulator import Emulator

pytestmark = pytest.mark.real_time

PHP = shutil.which("php")
SCRIPT = """
$fields = ['uname' => 'emulator', 'pass' => 'emulator', 'from' => '3000505', 'message' => 'سلام & "دنیا"',
           'to' => json_encode(['9121111111', '09122222222']), 'op' => 'send'];
$handler = curl_init($argv[1]);
curl_setopt($handler, CURLOPT_CUSTOMREQUEST, 'POST');
curl_setopt($handler, CURLOPT_POSTFIELDS, $argv[2] === 'multipart' ? $fields : http_build_query($fields));
curl_setopt($handler, CURLOPT_RETURNTRANSFER, true);
echo curl_exec($handler);
"""


def _has_curl() -> bool:
    if PHP is None:
        return False
    modules = subprocess.run([PHP, "-m"], capture_output=True, text=True, check=False).stdout
    return "curl" in modules.split()


@pytest.mark.skipif(not _has_curl(), reason="needs PHP with its curl extension: apt install php-cli php-curl")
@pytest.mark.parametrize("encoding", ["multipart", "urlencoded"])
async def test_curl_in_both_encodings(encoding: str) -> None:
    async with Emulator() as emulator:
        process = await asyncio.create_subprocess_exec(
            str(PHP), "-r", SCRIPT, "--", emulator.opgateway_url, encoding, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await process.communicate()
        code, bulk_id = json.loads(printed)
        assert code == 0
        assert int(bulk_id) > 0
        assert [(message.recipient, message.text) for message in emulator.messages()] == [
            ("09121111111", 'سلام & "دنیا"'),
            ("09122222222", 'سلام & "دنیا"'),
        ]
