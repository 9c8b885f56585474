"""Files: where they may come from, that they are streamed, and that each attempt reads them anew."""

from __future__ import annotations

import asyncio
import email.message
import email.parser
import email.policy
import gzip
import io
import os
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO, cast

import pytest
from payamak.emulator import Emulator, Fault
from payamak.smsir import ClientStateError, InvalidArgumentError, Outcome, SmsIrClient
from support.raw_server import Exchange, RawServer, Received, answer, http
from support.smsir import failure_of

Connect = Callable[..., SmsIrClient]
CONTENT = b"\xd0\xcf\x11\xe0 \r\n--not-a-boundary\r\n" * 5000
OPENED = b'{"IsSuccessful": true, "TicketId": 5, "AddedList": [], "ErroneousList": null}'
MIB = 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "contacts.xlsx"
    found.write_bytes(CONTENT)
    return found


def file_of(request: Received) -> tuple[str | None, bytes]:
    """Name and contents of the file in a request."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    for part in cast("Iterator[email.message.EmailMessage]", message.iter_parts()):
        if part.get_param("name", header="content-disposition") == "File":
            return part.get_filename(), cast("bytes", part.get_payload(decode=True))
    raise AssertionError("there is no file")


async def upload(connect: Connect, file: Any, name: str | None = None) -> tuple[str | None, bytes]:
    """What arrives. The server reads only as much as Content-Length says."""
    async with RawServer(answer(OPENED)) as server, connect(server.url) as client:
        await client.contacts.upload_excel(7, file, file_name=name)
    (request,) = server.requests
    assert request.headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in request.headers
    return file_of(request)


async def test_a_path_as_text(path: Path, connect: Connect) -> None:
    assert await upload(connect, str(path)) == ("contacts.xlsx", CONTENT)


async def test_a_pathlib_path(path: Path, connect: Connect) -> None:
    assert await upload(connect, path) == ("contacts.xlsx", CONTENT)


async def test_another_path_like(path: Path, connect: Connect) -> None:
    with os.scandir(path.parent) as entries:
        assert await upload(connect, next(iter(entries))) == ("contacts.xlsx", CONTENT)


async def test_bytes(connect: Connect) -> None:
    assert await upload(connect, CONTENT, "a.xls") == ("a.xls", CONTENT)
    assert await upload(connect, b"", "A.XLSX") == ("A.XLSX", b"")


async def test_a_name_of_ones_own(path: Path, connect: Connect) -> None:
    assert await upload(connect, path, "other.xls") == ("other.xls", CONTENT)


@pytest.mark.parametrize("name", ["فهرست مخاطبین.xlsx", "a b.xlsx", "a&b=c%20d.xlsx", 'a"b.xlsx', "a;b,c.xlsx"])
async def test_names_arrive_as_they_are(
    name: str, tmp_path: Path, connect: Connect, emulator: Emulator, client: SmsIrClient
) -> None:
    place = tmp_path / name
    place.write_bytes(CONTENT)
    assert await upload(connect, place) == (name, CONTENT)
    ticket = await client.tickets.open("s", "b", file=place)
    attachment = emulator.smsir.tickets[ticket.id].attachment
    assert attachment is not None
    assert attachment.upload.filename == name


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1\r\n\r\n.xlsx", "a\nb.xlsx", "a\x00b.xlsx"])
async def test_a_name_cannot_break_out_of_its_header(name: str, connect: Connect) -> None:
    error = await failure_of(upload(connect, CONTENT, name))
    assert isinstance(error, InvalidArgumentError)
    assert error.argument == "file_name"


async def test_an_open_file_is_left_open(path: Path, connect: Connect) -> None:
    with path.open("rb") as file:
        assert await upload(connect, file) == ("contacts.xlsx", CONTENT)
        assert not file.closed
        file.seek(0)
        assert file.read() == CONTENT


async def test_an_open_file_is_read_from_where_it_stands(path: Path, connect: Connect) -> None:
    with path.open("rb") as file:
        file.seek(1000)
        assert await upload(connect, file) == ("contacts.xlsx", CONTENT[1000:])
    with path.open("rb", buffering=0) as raw:
        raw.seek(1000)
        assert await upload(connect, raw) == ("contacts.xlsx", CONTENT[1000:])


async def test_an_open_file_for_reading_and_writing(path: Path, connect: Connect) -> None:
    with path.open("r+b") as file:
        assert await upload(connect, file) == ("contacts.xlsx", CONTENT)


async def test_a_stream_in_memory(connect: Connect) -> None:
    stream = io.BytesIO(CONTENT)
    stream.seek(10)
    assert await upload(connect, stream, "a.xlsx") == ("a.xlsx", CONTENT[10:])
    assert not stream.closed


def _temporary(opener: Callable[[], Any]) -> IO[bytes]:
    file: IO[bytes] = opener()
    file.write(CONTENT)
    file.seek(0)
    return file


TEMPORARY: dict[str, Callable[[], Any]] = {
    "TemporaryFile": tempfile.TemporaryFile,
    "NamedTemporaryFile": tempfile.NamedTemporaryFile,
    "SpooledTemporaryFile in memory": lambda: tempfile.SpooledTemporaryFile(max_size=MIB),  # noqa: SIM115 -- closed by the test
    "SpooledTemporaryFile on disk": lambda: tempfile.SpooledTemporaryFile(max_size=1),  # noqa: SIM115 -- closed by the test
}


@pytest.mark.parametrize("kind", TEMPORARY)
async def test_temporary_files(kind: str, connect: Connect) -> None:
    """FastAPI hands out a SpooledTemporaryFile for what its users upload."""
    with _temporary(TEMPORARY[kind]) as file:
        assert await upload(connect, file, "a.xlsx") == ("a.xlsx", CONTENT)
        assert not file.closed


async def test_a_file_within_a_gzip_file(tmp_path: Path, connect: Connect) -> None:
    """Its descriptor is that of the compressed file, whose size is another one."""
    place = tmp_path / "a.xlsx.gz"
    place.write_bytes(gzip.compress(CONTENT))
    with gzip.open(place) as file:
        assert await upload(connect, file, "a.xlsx") == ("a.xlsx", CONTENT)


async def test_a_file_within_a_zip_file(tmp_path: Path, connect: Connect) -> None:
    place = tmp_path / "a.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xlsx", CONTENT)
    with zipfile.ZipFile(place) as archive, archive.open("a.xlsx") as file:
        assert await upload(connect, file) == ("a.xlsx", CONTENT)


class Unseekable(io.RawIOBase):
    """A pipe, as it were."""

    name = "a.xlsx"

    def readable(self) -> bool:
        return True


def _closed() -> io.BytesIO:
    stream = io.BytesIO(b"x")
    stream.close()
    return stream


def _bad_files(tmp_path: Path, path: Path, text: TextIO, writable: BinaryIO) -> dict[str, tuple[Any, Any, str]]:
    (tmp_path / "folder.xlsx").mkdir()
    (tmp_path / "a.csv").write_text("x")
    return {
        "missing": (tmp_path / "missing.xlsx", None, "file"),
        "missing, as text": ("missing.xlsx", None, "file"),
        "directory": (tmp_path / "folder.xlsx", None, "file"),
        "empty path": ("", None, "file"),
        "path with a zero": ("a\x00.xlsx", None, "file"),
        "path too long": ("x" * 5000 + ".xlsx", None, "file"),
        "text mode": (text, None, "file"),
        "text stream": (io.StringIO("x"), "a.xlsx", "file"),
        "write mode": (writable, None, "file"),
        "unseekable": (Unseekable(), None, "file"),
        "closed": (_closed(), "a.xlsx", "file"),
        "wrong ending": (tmp_path / "a.csv", None, "file"),
        "wrong ending of a given name": (path, "a.csv", "file"),
        "ending without a dot": (b"x", "axlsx", "file"),
        "bytes without a name": (b"x", None, "file_name"),
        "stream without a name": (io.BytesIO(b"x"), None, "file_name"),
        "name that is no text": (b"x", 5, "file_name"),
        "name that is empty": (b"x", "", "file_name"),
        "name with half a character": (b"x", "a\ud83d.xlsx", "file_name"),
        "None": (None, "a.xlsx", "file"),
        "number": (5, "a.xlsx", "file"),
        "list": ([b"x"], "a.xlsx", "file"),
    }


BAD = [
    "missing", "missing, as text", "directory", "empty path", "path with a zero", "path too long", "text mode",
    "text stream", "write mode", "unseekable", "closed", "wrong ending", "wrong ending of a given name",
    "ending without a dot", "bytes without a name", "stream without a name", "name that is no text",
    "name that is empty", "name with half a character", "None", "number", "list",
]  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
async def test_bad_file(kind: str, tmp_path: Path, path: Path, emulator: Emulator, client: SmsIrClient) -> None:
    with path.open(encoding="latin-1") as text, (tmp_path / "w.xlsx").open("wb") as writable:
        file, name, argument = _bad_files(tmp_path, path, text, writable)[kind]
        error = await failure_of(client.contacts.upload_excel(7, file, file_name=name))
    assert isinstance(error, InvalidArgumentError)
    assert (error.argument, error.operation) == (argument, "contacts.upload_excel")
    assert (error.outcome, emulator.requests) == (Outcome.NOT_SENT, [])
    assert error.operation_id
    assert "xlsx" not in str(error).replace(".xls or .xlsx", "")


async def test_a_file_that_goes_away_before_it_is_sent(path: Path, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.add_fault(Fault("delay", seconds=0.05, path="GetToken"))
    task = asyncio.ensure_future(client.tickets.open("s", "b", file=path))
    await asyncio.sleep(0.02)
    os.unlink(path)
    error = await failure_of(task)
    assert isinstance(error, InvalidArgumentError)
    assert (error.argument, error.outcome) == ("file", Outcome.NOT_SENT)
    assert str(path) not in str(error) + repr(error) + repr(error.__cause__)
    assert emulator.smsir.tickets == {}


@pytest.mark.parametrize("kind", ["path", "bytes", "open file", "stream"])
async def test_each_attempt_reads_the_file_anew(kind: str, path: Path, connect: Connect) -> None:
    refusal = answer(b"", 429, {"Retry-After": "0"})
    file: Any = {"path": path, "bytes": CONTENT}.get(kind)
    with path.open("rb") as opened:
        if kind in ("open file", "stream"):
            file = opened if kind == "open file" else io.BytesIO(CONTENT)
            file.seek(500)
        async with RawServer(refusal, refusal, answer(OPENED)) as server, connect(server.url) as client:
            await client.tickets.open("s", "b", file=file, file_name="a.txt")
        whole = CONTENT[500:] if kind in ("open file", "stream") else CONTENT
        assert [file_of(request) for request in server.requests] == [("a.txt", whole)] * 3


async def test_the_token_replay_reads_the_file_anew(path: Path, emulator: Emulator, client: SmsIrClient) -> None:
    await client.authenticate()
    emulator.smsir.revoke_tokens()
    with path.open("rb") as file:
        ticket = await client.tickets.open("s", "b", file=file)
    attachment = emulator.smsir.tickets[ticket.id].attachment
    assert attachment is not None
    assert attachment.upload.read() == CONTENT
    assert len(emulator.smsir.tickets) == 1


async def test_multipart_parses_at_the_emulator(path: Path, emulator: Emulator, client: SmsIrClient) -> None:
    ticket = await client.tickets.open("عنوان", "متن", file=path, department_id=2, priority_id=3)
    reply = await client.tickets.reply(ticket.id, "جواب", file=b"other", file_name="b.txt")
    kept = emulator.smsir.tickets[ticket.id]
    assert (kept.subject, kept.body, kept.department_id, kept.priority_id) == ("عنوان", "متن", 2, 3)
    assert kept.attachment is not None
    assert (kept.attachment.upload.filename, kept.attachment.upload.read()) == ("contacts.xlsx", CONTENT)
    answered = kept.replies[0].attachment
    assert answered is not None
    assert (kept.replies[0].id, answered.upload.filename, answered.upload.read()) == (reply.id, "b.txt", b"other")


async def test_a_ticket_takes_any_ending(emulator: Emulator, client: SmsIrClient) -> None:
    for name in ("a.png", "a", "a.tar.gz"):
        assert (await client.tickets.open("s", "b", file=b"x", file_name=name)).id


async def test_without_a_file_there_is_no_file_part(connect: Connect) -> None:
    async with RawServer(answer(OPENED)) as server, connect(server.url) as client:
        await client.tickets.open("s", "b")
    (request,) = server.requests
    assert request.headers["content-type"].startswith("multipart/form-data")
    assert b"filename" not in request.body
    assert b'name="Subject"' in request.body


async def test_50_mib_do_not_cost_50_mib(tmp_path: Path, connect: Connect) -> None:
    place = tmp_path / "big.xlsx"
    with place.open("wb") as file:
        file.truncate(50 * MIB)
    lengths: list[tuple[int, int]] = []

    async def discard(exchange: Exchange) -> None:
        head = (exchange.peeked + await exchange.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        expected = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        read = 0
        while read < expected:
            read += len(await exchange.reader.read(256 * 1024))
        lengths.append((expected, read))
        await exchange.write(http(OPENED))
        await exchange.close()

    async with RawServer(discard) as server, connect(server.url) as client:
        with place.open("rb") as opened:
            for source in (place, opened):
                tracemalloc.start()
                try:
                    await client.contacts.upload_excel(7, source)
                    _, peak = tracemalloc.get_traced_memory()
                finally:
                    tracemalloc.stop()
                assert peak < 8 * MIB
    assert [expected == read > 50 * MIB for expected, read in lengths] == [True, True]


async def test_a_closed_client_reads_no_file(path: Path, emulator: Emulator, client: SmsIrClient) -> None:
    await client.aclose()
    assert isinstance(await failure_of(client.contacts.upload_excel(7, path)), ClientStateError)
    assert emulator.requests == []
