"""Where send-many writes, and that neither a second run nor a slip of the hand loses what is there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
from support.command import FRESH, Command, Done, lines_of_json
from support.printed import EMULATOR, control, sent

Call = Callable[..., Done]
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs what Windows has not")
ONE = "number,text\n09121111111,a\n"
MEMORY = "/dev/shm"  # noqa: S108 -- where anybody can write is the point
TWO = ONE + "09122222222,b\n"
JOURNAL, RESULTS, PART = "list.emulator.journal.db", "list.emulator.results.csv", "list.emulator.results.csv.part"


@pytest.fixture
def real(call: Call, monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command as it is for a real gateway, whose part the emulator has."""
    monkeypatch.setenv("PAYAMAK_GATEWAY", "ghasedak")
    monkeypatch.setenv("PAYAMAK_GHASEDAK_API_KEY", "emulator-key")
    monkeypatch.setenv("PAYAMAK_GHASEDAK_BASE_URL", f"{EMULATOR}/v2/")
    return call


def start_slowly(payamak: Command, *options: str) -> subprocess.Popen[bytes]:
    """Start a run of two requests, and wait until the outcomes of the first are written down."""
    payamak.write("list.csv", "number,text\n" + "".join(f"0912000{place:04},hello\n" for place in range(150)))
    for seconds in (0, 60):
        control("POST", "faults", {"kind": "delay_after", "seconds": seconds, "path": "sms/send/pair"})
    process = payamak.start("send-many", "list.csv", "--emulator", "--concurrency", "1", *options)
    part = payamak.folder / PART
    while len(sent()) < 150 or len(read_rows(part)) < 100:
        assert process.poll() is None
    return process


def read_rows(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()[1:]


def list_files(payamak: Command) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in payamak.folder.iterdir() if path.is_file()}


def test_a_second_run_leaves_the_files_of_the_first_alone(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", ONE)
    assert call("send-many", "list.csv", "--emulator").returncode == 0
    (payamak.folder / PART).write_text("what the run that is on its way has written")
    with filelock.FileLock(payamak.folder / f"{JOURNAL}.{'0' * 16}.lock"):
        before = list_files(payamak)
        done = call("send-many", "list.csv", "--emulator")
        assert list_files(payamak) == before
    assert (done.returncode, "in use" in done.stderr) == (1, True)


@POSIX
def test_results_are_beside_until_all_are_there(call: Call, payamak: Command) -> None:
    payamak.write(RESULTS, "those of an earlier run")
    process = start_slowly(payamak, "--overwrite")
    assert (payamak.folder / RESULTS).read_text() == "those of an earlier run"
    assert len(read_rows(payamak.folder / PART)) == 100
    process.send_signal(signal.SIGKILL)
    process.communicate()
    control("DELETE", "faults")
    assert call("send-many", "list.csv", "--emulator", "--grace", "0").returncode == 0
    assert [row["outcome"] for row in payamak.results(RESULTS)] == ["sent"] * 150
    assert not (payamak.folder / PART).exists()
    assert len(sent()) == 150


@POSIX
def test_what_a_killed_run_without_a_journal_has_left_is_kept(call: Call, payamak: Command) -> None:
    process = start_slowly(payamak, "--no-journal")
    left = (payamak.folder / PART).read_bytes()
    refused = call("send-many", "list.csv", "--emulator", "--no-journal")  # While the other still runs.
    process.send_signal(signal.SIGKILL)
    process.communicate()
    control("DELETE", "faults")
    assert (refused.returncode, PART in refused.stderr, len(sent())) == (2, True, 150)
    assert call("send-many", "list.csv", "--emulator", "--no-journal").returncode == 2
    assert (payamak.folder / PART).read_bytes() == left
    assert call("send-many", "list.csv", "--emulator", "--no-journal", "--overwrite").returncode == 0
    assert not (payamak.folder / PART).exists()


@POSIX
@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("link", ["out.csv", RESULTS, JOURNAL])
def test_no_link_to_a_file_is_followed(call: Call, payamak: Command, link: str, *, is_there: bool) -> None:
    payamak.write("list.csv", ONE)
    target = payamak.folder / "target"
    if is_there:
        target.write_text("mine")
    (payamak.folder / link).symlink_to(target)
    done = call("send-many", "list.csv", "--emulator", "--overwrite", *(["-o", link] if link == "out.csv" else []))
    assert (done.returncode, sent()) == (2, [])
    assert f"{link}, which is a symbolic link: name the file that it leads to\n" in done.stderr
    assert target.exists() == is_there
    assert not is_there or target.read_text() == "mine"


@POSIX
def test_a_link_to_what_is_no_file_takes_results(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", ONE)
    (payamak.folder / "out").symlink_to(os.devnull)
    assert call("send-many", "list.csv", "--emulator", "-o", "out").returncode == 0
    assert (payamak.folder / "out").is_symlink()


@POSIX
def test_nobody_else_may_read_what_is_written(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", ONE)
    assert call("send-many", "list.csv", "--emulator").returncode == 0
    for name in (RESULTS, JOURNAL, f"{JOURNAL}.lock"):
        (payamak.folder / name).chmod(0o644)
    assert call("send-many", "list.csv", "--emulator").returncode == 5
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in payamak.folder.glob("list.emulator*")}
    assert files == dict.fromkeys([RESULTS, JOURNAL, f"{JOURNAL}.lock"], 0o600)


@POSIX
@pytest.mark.skipif(not os.path.isdir(MEMORY), reason="there is no such folder")
def test_a_file_in_memory_is_a_file(call: Call, payamak: Command) -> None:
    """What begins with /dev/ is not all a device."""
    payamak.write("list.csv", ONE)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        results = Path(folder) / "out.csv"
        results.touch(0o644)
        assert call("send-many", "list.csv", "--emulator", "-o", str(results), "--overwrite").returncode == 0
        assert stat.S_IMODE(results.stat().st_mode) == 0o600


@POSIX
@pytest.mark.parametrize("redirected", ["> all.txt", ">> all.txt", "| cat > all.txt"])
def test_standard_output_by_its_path(payamak: Command, redirected: str) -> None:
    payamak.write("list.csv", ONE)
    payamak.write("all.txt", "before\n")
    command = " ".join([*payamak.command, "send-many list.csv --emulator -o /dev/stdout", redirected])
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command}; echo after >> all.txt"], cwd=payamak.folder, env=payamak.environment(),
        capture_output=True, check=True,
    )  # fmt: skip
    lines = (payamak.folder / "all.txt").read_text().splitlines()
    assert lines[:1] == (["before"] if ">>" in redirected else ["number,text,row,outcome,message_id,error,reference"])
    assert lines[-2].startswith("09121111111,a,2,sent,")
    assert lines[-1] == "after"
    assert done.stderr == b"payamak: 1 sent, 0 not sent, 0 refused, 0 unknown\n"


@POSIX
def test_a_named_pipe_takes_results(payamak: Command) -> None:
    payamak.write("list.csv", ONE)
    os.mkfifo(payamak.folder / "pipe")
    process = payamak.start("send-many", "list.csv", "--emulator", "-o", "pipe")
    rows = read_rows(payamak.folder / "pipe")
    process.communicate()
    assert (process.returncode, len(rows)) == (0, 1)
    assert (payamak.folder / "pipe").is_fifo()


@POSIX
def test_results_that_cannot_take_their_place_are_beside(payamak: Command) -> None:
    process = payamak.start("send-many", "-", "--emulator", "--journal", "j.db", "-o", "out.csv", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(ONE.encode())
    process.stdin.flush()
    while not sent():
        assert process.poll() is None
    (payamak.folder / "out.csv").mkdir()  # As on Windows, where a spreadsheet has it open.
    output, errors = process.communicate(timeout=30)
    assert output == b"1 sent, 0 not sent, 0 refused, 0 unknown; see " + bytes(payamak.folder / "out.csv.part") + b"\n"
    assert b"out.csv cannot be replaced (Is a directory): the results are in " in errors
    assert (process.returncode, len(read_rows(payamak.folder / "out.csv.part"))) == (0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", JOURNAL], "--output is the journal"),
        (["-o", f"./{JOURNAL}"], "--output is the journal"),
        (["-o", f"{JOURNAL}.lock"], "--output is the journal"),
        (["-o", f"{JOURNAL}-journal"], "--output is the journal"),
        (["-o", "hard"], "--output is the journal"),
        (["-o", "soft/" + JOURNAL], "--output is the journal"),
        (["-o", "list.journal.db"], "--output is a journal"),
        (["-o", "other.db"], "--output is a journal"),
        (["--journal", "list.csv"], "the journal is the file itself"),
        (["--journal", RESULTS], "--output is the journal"),
        (["--journal", PART], "--output is the journal"),
        (["-o", "./list.csv"], "--output is the file itself"),
        (["-o", "hard.csv"], "--output is the file itself"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
@POSIX
def test_one_file_is_not_for_two_things(
    call: Call, payamak: Command, options: list[str], message: str, *, is_there: bool
) -> None:
    payamak.write("list.csv", ONE)
    os.link(payamak.folder / "list.csv", payamak.folder / "hard.csv")
    os.symlink(".", payamak.folder / "soft")
    payamak.write("other.db", b"SQLite format 3\0 and so on")
    if is_there:
        assert call("send-many", "list.csv", "--emulator").returncode == 0
        os.link(payamak.folder / JOURNAL, payamak.folder / "hard")
    elif "hard" in options:
        pytest.skip("a link to nothing")
    before = list_files(payamak)
    done = call("send-many", "list.csv", "--emulator", *options)
    assert (done.returncode, message in done.stderr, len(sent())) == (2, True, int(is_there)), done.stderr
    assert list_files(payamak) == before


@POSIX
def test_a_disk_that_is_full_in_the_middle(payamak: Command) -> None:
    """Nobody may read of that failure that the messages were refused."""
    payamak.write("list.csv", "number,text\n" + "".join(f"0912000{place:04},hello\n" for place in range(300)))
    # In blocks of 512 bytes: some of the results fit, not all. A fork of the warm process would not have the limit.
    command = " ".join([*FRESH, "send-many list.csv --emulator --no-journal --yes"])
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 8; {command}"], cwd=payamak.folder, env=payamak.environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert "messages may have gone out that the results do not have" in done.stderr
    assert "Traceback" not in done.stderr
    assert sent()
    assert (payamak.folder / PART).stat().st_size > 1000


def test_what_a_killed_run_has_left_as_the_input_of_its_own_results(call: Call, payamak: Command) -> None:
    payamak.write("list.csv.part", ONE)
    done = call("send-many", "list.csv.part", "--emulator", "-o", "list.csv")
    assert (done.returncode, sent()) == (2, [])
    assert "--output is the file itself, or a file that goes with it" in done.stderr
    assert (payamak.folder / "list.csv.part").read_text() == ONE


def test_a_trial_touches_nothing_of_the_real_job(real: Call, payamak: Command) -> None:
    payamak.write("list.csv", ONE)
    assert real("send-many", "list.csv", "--emulator").returncode == 0
    assert len(sent()) == 1
    trial = list_files(payamak)
    done = real("send-many", "list.csv")
    assert (done.returncode, done.stdout) == (0, "1 sent, 0 not sent, 0 refused, 0 unknown; see list.results.csv\n")
    assert len(sent()) == 2
    both = list_files(payamak)
    assert {name: both.pop(name) for name in trial} == trial
    assert set(both) == {"list.results.csv", "list.journal.db", "list.journal.db.lock"}


def test_an_empty_journal_tells_nothing(call: Call, payamak: Command) -> None:
    payamak.write("list.csv", ONE)
    payamak.write(RESULTS, "those of an earlier run")
    payamak.write(JOURNAL, "")
    done = call("send-many", "list.csv", "--emulator")
    assert (done.returncode, "--overwrite" in done.stderr, sent()) == (2, True, [])


def test_each_name_is_a_job_of_its_own(real: Call, payamak: Command) -> None:
    payamak.write("list.csv", TWO)
    for count, name in enumerate(("2026-11", "2026-12", "دی_۱۴۰۵"), 1):
        done = real("send-many", "list.csv", "--name", name, "--json")
        (summary,) = lines_of_json(done.stdout)
        assert (done.returncode, len(sent())) == (0, 2 * count)
        assert (summary["results"], summary["journal"]) == (f"list.{name}.results.csv", f"list.{name}.journal.db")
        assert len(payamak.results(f"list.{name}.results.csv")) == 2
        assert real("send-many", "list.csv", "--name", name).returncode == 5
    (trial,) = lines_of_json(real("send-many", "list.csv", "--emulator", "--name", "2026-12", "--json").stdout)
    assert trial["results"] == "list.2026-12.emulator.results.csv"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list.csv", "--name", "../x"], "--name is made of"),
        (["list.csv", "--name", ""], "--name is made of"),
        (["list.csv", "--name", "a.emulator"], "--name is made of"),
        (["list.csv", "--name", "Emulator"], "--name is made of"),
        (["list.csv", "--name", "x", "--journal", "j.db"], "--journal and --name exclude each other"),
        (["-", "--name", "x", "--no-journal"], "--name is for a file"),
    ],
)
def test_names_that_are_none(call: Call, payamak: Command, arguments: list[str], message: str) -> None:
    payamak.write("list.csv", ONE)
    done = call("send-many", "--emulator", *arguments)
    assert (done.returncode, sent()) == (2, [])
    assert message in done.stderr
