"""What users get: the exact contents of the wheel and the sdist, and that the wheel works by itself."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTENTS = Path(__file__).with_name("contents.txt")
NOT_SOURCES = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")


def list_sources() -> set[str]:
    """The exact list, written down: a file that gets in or falls out by accident is not on it."""
    return set(CONTENTS.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both from a copy, so that the tree stays clean and nothing stale in it gets in."""
    copy = tmp_path_factory.mktemp("source") / "payamak"
    shutil.copytree(ROOT, copy, ignore=NOT_SOURCES)
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, copy], check=True, capture_output=True
    )
    return out


def test_wheel_holds_the_packages_and_nothing_else(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    information = {name for name in names if ".dist-info/" in name}
    assert names - information == {f"payamak/{name}" for name in list_sources()}
    assert {name.partition(".dist-info/")[2] for name in information} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt",
    }  # fmt: skip


def test_wheel_needs_what_the_clients_need(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    requirements = metadata.get_all("Requires-Dist", [])
    needed = {requirement.partition(">")[0] for requirement in requirements if "extra ==" not in requirement}
    assert needed == {"aiohttp", "attrs", "backoff", "cattrs", "tzdata"}


def test_sdist_holds_what_is_needed_to_build_and_nothing_else(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    generated = {name for name in names if name.startswith("payamak.egg-info/")} | {"PKG-INFO", "setup.cfg"}
    assert names - generated == list_sources() | {"LICENSE", "README.md", "pyproject.toml"}


def test_wheel_works_in_an_empty_environment(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    # Without a pip of its own, which takes longer to install than all the rest.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python))
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], check=True, capture_output=True)
    listed = subprocess.run(
        [python, "-c", "import sysconfig, os; print(*sorted(os.listdir(sysconfig.get_path('purelib'))))"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert {name.partition("-")[0] for name in listed} == {"payamak"}
    # The dependencies are not there, so the first import of one of them is what fails.
    failed = subprocess.run(
        [python, "-c", "import payamak.ghasedak"], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert "ModuleNotFoundError: No module named 'attrs'" in failed.stderr
    assert python.with_name("payamak").exists()


def test_the_command_without_its_extra_says_what_to_install() -> None:
    without = (
        "import sys; sys.modules['typer'] = None; from payamak.cli.__main__ import main; "
        "sys.argv = ['payamak', 'credit']; sys.exit(main())"
    )
    failed = subprocess.run([sys.executable, "-c", without], check=False, capture_output=True, text=True)
    assert failed.stderr == 'payamak: typer is missing; in your clone of payamak: pip install ".[cli]"\n'
    assert (failed.returncode, failed.stdout) == (4, "")


def test_a_client_imports_neither_the_emulator_nor_the_server_side_of_aiohttp() -> None:
    check = (
        "import sys, payamak.ghasedak; "
        "print(sorted(name for name in sys.modules if name.startswith(('payamak.emulator', 'aiohttp.web_app'))))"
    )
    done = subprocess.run([sys.executable, "-c", check], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
