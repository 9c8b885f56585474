"""The commands, and what happens around each."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .exits import CommandError, ExitCode, complain, line_and_exit_code, log_words
from .output import escape_controls, prepare_streams, write_json, write_line, write_records
from .settings import GatewayName, read_settings

if TYPE_CHECKING:
    from .gateways.base import Gateway, Record

# Whichever library typer takes its exceptions from.
_UsageError: type[Exception] = typer.BadParameter.__mro__[2]
_STDIN = "-"

app = typer.Typer(
    name="payamak",
    help="Send SMS through Iranian gateways, and ask what became of them.",
    epilog="Exit codes: 0 done, 1 refused or not sent, 2 usage, 3 outcome unknown, 4 settings, 5 settled earlier. "
    "Credentials come from the environment or a file; see docs/command-line.md.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    no_args_is_help=True,
)


def run() -> int:
    """Run the command that stands on the command line, and return the exit code."""
    prepare_streams(exact="--json" in sys.argv)
    try:
        return int(app(prog_name="payamak", standalone_mode=False) or ExitCode.DONE)
    except _UsageError as error:
        message = _describe_usage(error)
        if message:  # Without any argument, the help has been shown already.
            complain(message)
        return ExitCode.USAGE
    except typer.Abort:
        complain("nothing was sent")
        return ExitCode.REFUSED
    except Exception as error:
        ending = line_and_exit_code(error)
        if ending is None:
            raise
        log_words(error)
        line, code = ending
        complain(line)
        return code


def _describe_usage(error: Exception) -> str:
    """What is wrong with the command line, without quoting what may be a number or a text."""
    message = str(getattr(error, "format_message", lambda: error)())
    if message.startswith("No such command"):
        return "there is no such command: payamak --help lists them"
    if message.startswith("Got unexpected extra argument"):
        return "there are arguments too many: put a text with blanks in it in quotes"
    return re.sub(r"\w*\d{5,}\w*", "…", message)


def _show_version(wanted: bool) -> None:
    if wanted:
        write_line(f"payamak {importlib.metadata.version('payamak')}")
        raise typer.Exit


@app.callback()
def payamak(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Send SMS through Iranian gateways, and ask what became of them."""


@app.command(no_args_is_help=True, help="Send one text to one or several numbers.")
def send(
    *,
    numbers: Annotated[list[str] | None, typer.Argument(metavar="NUMBER", help="To whom, in any form.")] = None,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text, or - to read it from standard input.")],
    sender: options.Sender = None,
    send_at: options.SendAt = None,
    check_id: Annotated[
        str | None, typer.Option("--check-id", help="Your own mark of the message, for status.")
    ] = None,
    on_unknown: options.Unknown = options.OnUnknown.ASK,
    grace: options.Grace = 60,
    json: options.Json = False,
    gateway: options.Gateway = None,
    emulator: options.Emulator = False,
    config: options.Config = None,
    verbose: options.Verbose = False,
) -> int:
    if not numbers:
        raise CommandError("give at least one number, and then the text")
    if check_id is not None and len(numbers) > 1:
        raise CommandError("--check-id is the mark of one message: give one number")
    chosen = _connect(gateway, config, emulator=emulator, verbose=verbose)
    from . import single

    message = single.compose(chosen, text, sender=sender, send_at=send_at, check_id=check_id)
    return single.send(chosen, numbers, message, on_unknown=on_unknown.value, grace=grace, as_json=json)


@app.command(
    "send-many",
    no_args_is_help=True,
    help="Send the messages of a CSV file or an Excel workbook, and write an outcome for every row.\n\n"
    "Run the same command again after an interruption: it goes on where it was, and sends nothing twice.",
)
def send_many(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="The messages, or - for standard input.")],
    text: Annotated[
        str | None, typer.Option("--text", help="The text for all, with {column} where a row's cell belongs.")
    ] = None,
    number_column: Annotated[
        str | None, typer.Option("--number-column", metavar="HEADING", help="The column that holds the numbers.")
    ] = None,
    text_column: Annotated[
        str | None, typer.Option("--text-column", metavar="HEADING", help="The column that holds the texts.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="How the file is encoded, such as cp1256, if not in UTF-8.")
    ] = None,
    sender: options.Sender = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the outcomes go; FILE.results.csv, or - .")
    ] = None,
    journal: Annotated[Path | None, typer.Option("--journal", help="Where the journal is; FILE.journal.db.")] = None,
    no_journal: Annotated[bool, typer.Option("--no-journal", help="Keep none: nothing can be resumed.")] = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Make it a job of its own, such as 2026-12: FILE.2026-12.results.csv.")
    ] = None,
    skip_duplicates: Annotated[
        bool, typer.Option("--skip-duplicates", help="Leave out rows with the number and text of an earlier row.")
    ] = False,
    changed_texts_are_new: Annotated[
        bool, typer.Option("--changed-texts-are-new", help="Send rows whose number has got another text before.")
    ] = False,
    same_account: Annotated[
        bool, typer.Option("--same-account", help="The journal's other key or address is of this same account.")
    ] = False,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=10_000, help="Requests in flight.")] = 10,
    rate: Annotated[float | None, typer.Option("--rate", min=0.001, help="Requests a second, at most.")] = None,
    on_unknown: options.Unknown = options.OnUnknown.ASK,
    grace: options.Grace = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all rows, count, and send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before more than 100 are sent.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Send anew what an earlier job has results of.")
    ] = False,
    json: options.Json = False,
    gateway: options.Gateway = None,
    emulator: options.Emulator = False,
    config: options.Config = None,
    verbose: options.Verbose = False,
) -> int:
    chosen = _connect(gateway, config, emulator=emulator, verbose=verbose)
    from . import bulk
    from .headings import Choice
    from .places import choose_places

    if journal is not None and (no_journal or name is not None):
        raise CommandError(f"--journal and {'--no-journal' if no_journal else '--name'} exclude each other")
    if text is not None and text_column is not None:
        raise CommandError("--text and --text-column exclude each other")
    choice = Choice(number_column, text_column, encoding)
    given = bulk.Input(
        None if file == Path("-") else file,
        text,
        sender,
        choice,
        skips_repeated=skip_duplicates,
    )
    if dry_run:
        return bulk.rehearse(given, chosen, as_json=json)
    places = choose_places(
        given.source,
        output,
        journal,
        keeps_journal=not no_journal,
        name=name,
        is_trial=emulator,
        overwrites=overwrite,
    )
    manner = bulk.Manner(concurrency, rate, on_unknown.value, grace, changed_texts_are_new, same_account)
    return bulk.send_file(given, places, manner, chosen, is_confirmed=yes, as_json=json)


@app.command(help="Ask what became of messages.")
def status(
    *,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Message ids; bulk ids at opgateway, batch keys at smsir."),
    ] = None,
    check_ids: Annotated[
        list[str] | None, typer.Option("--check-id", help="Your own mark of a message (Ghasedak); more than once.")
    ] = None,
    json: options.Json = False,
    gateway: options.Gateway = None,
    emulator: options.Emulator = False,
    config: options.Config = None,
    verbose: options.Verbose = False,
) -> int:
    if not ids and not check_ids:
        raise CommandError("give at least one id, or --check-id")
    chosen = _connect(gateway, config, emulator=emulator, verbose=verbose)
    from ..common import DeliveryState

    records = _fetch(chosen, lambda: chosen.statuses(ids or (), check_ids or ()))
    write_records(records, ("message_id", "recipient", "state", "status", "price", "sent_at", "detail"), as_json=json)
    is_missing = any(record["state"] is DeliveryState.NOT_FOUND for record in records)
    return ExitCode.REFUSED if is_missing else ExitCode.DONE


@app.command(help="Fetch the messages that came in.")
def received(
    *,
    line: Annotated[str | None, typer.Option("--line", help="The line they came to (Ghasedak).")] = None,
    read: Annotated[bool, typer.Option("--read", help="Those that were read already (Ghasedak).")] = False,
    since: options.Since = None,
    until: options.Until = None,
    json: options.Json = False,
    gateway: options.Gateway = None,
    emulator: options.Emulator = False,
    config: options.Config = None,
    verbose: options.Verbose = False,
) -> int:
    chosen = _connect(gateway, config, emulator=emulator, verbose=verbose)
    from .gateways.base import Inbox

    records = _fetch(chosen, lambda: chosen.received(Inbox(line, read, since, until)))
    write_records(records, ("received_at", "sender", "line", "text"), as_json=json)
    return ExitCode.DONE


@app.command(help="Ask for the account's credit.")
def credit(
    json: options.Json = False,
    gateway: options.Gateway = None,
    emulator: options.Emulator = False,
    config: options.Config = None,
    verbose: options.Verbose = False,
) -> int:
    chosen = _connect(gateway, config, emulator=emulator, verbose=verbose)

    async def ask() -> AsyncIterator[Record]:
        yield {"gateway": chosen.name, "credit": await chosen.credit()}

    (record,) = _fetch(chosen, ask)
    if json:
        write_json(record)
    else:
        write_line(str(record["credit"]))
    return ExitCode.DONE


@app.command(help="Run a local stand-in for all gateways, for --emulator. No message leaves this machine.")
def emulator(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes any.")] = 8650,
    *,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-host",
            metavar="NAME",
            help="Let other machines in that reach this one by this name or address; may be given several times.",
        ),
    ] = None,
    allow_remote: Annotated[
        bool,
        typer.Option("--allow-remote", help="Let other machines in whatever name they use; prefer --allowed-host."),
    ] = False,
    max_messages: Annotated[
        int, typer.Option("--max-messages", min=0, help="How many messages are kept, the newest ones; 0 keeps all.")
    ] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the dice for faults with a probability.")] = 0,
) -> int:
    from ..emulator.__main__ import serve
    from ..emulator.server import Emulator

    try:
        stand_in = Emulator(
            host,
            port,
            allow_remote=allow_remote,
            allowed_hosts=allowed_host or (),
            seed=seed,
            max_messages=max_messages or None,
        )
    except ValueError as error:
        raise CommandError(str(error)) from None
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(stand_in))
    return ExitCode.DONE


class _Formatter(logging.Formatter):
    """Nothing that a gateway wrote may reach the terminal as it is."""

    def format(self, record: logging.LogRecord) -> str:
        return escape_controls(super().format(record))


def _connect(name: GatewayName | None, config: Path | None, *, emulator: bool, verbose: bool) -> Gateway:
    settings = read_settings(name, config, emulator=emulator)
    from .gateways import connect

    log = logging.getLogger("payamak")
    if verbose:
        handler = logging.StreamHandler()
        handler.setFormatter(_Formatter("payamak: %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
    elif not log.handlers:
        # Otherwise warnings go to the error stream, where each error is one line.
        log.addHandler(logging.NullHandler())
    settings.options["keep_replies"] = verbose  # `log_words` shows them.
    return connect(settings)


def _fetch(gateway: Gateway, ask: Callable[[], AsyncIterator[Record]]) -> list[Record]:
    async def fetch() -> list[Record]:
        async with gateway.client:
            return [record async for record in ask()]

    return asyncio.run(fetch())
