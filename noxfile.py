"""Every job that a person repeats. ``nox --list`` shows them; ``python3 dev.py NAME`` needs no nox to run one."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import nox
from filelock import FileLock  # It comes with nox's virtualenv.

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
# These start processes, nested runs of pytest or a browser, and take longer than all the others.
END_TO_END = ["browser", "cli", "examples", "fuzz", "project", "soak", "testing"]
PYTEST = ("python", "-m", "pytest", "-n", "auto", "--dist", "worksteal")
TYPED_FOLDERS = ["tests", "examples"]
PACKAGES = [name for name in PYPROJECT["tool"]["setuptools"]["packages"] if name.count(".") == 1]

# In the pages' Markdown: by which name a block is to be saved, if it is, and the code.
SAMPLE = re.compile(
    r"(?:Save it as `([^`\n]+)`:\n\n)?^```python(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)

# A build leaves files in the checkout, and two runs of nox may go on beside each other.
BUILDING = FileLock(Path(__file__).parent / ".nox" / "building.lock")

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests", "lint", "types", "build"]
nox.options.error_on_missing_interpreters = False


def _find_pyenv_pythons() -> list[str]:
    """The folders of pyenv's interpreters. Its shims are useless here: they exist for versions that are not active."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [str(path) for version in PYTHONS for path in sorted(root.glob(f"versions/{version}.*/bin"), reverse=True)]


os.environ["PATH"] = os.pathsep.join([*_find_pyenv_pythons(), os.environ["PATH"]])
# With it, each worker of pytest would compile all tests anew in every run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
FOUND = [version for version in PYTHONS if shutil.which(f"python{version}")]
MISSING = [version for version in PYTHONS if version not in FOUND]
# Where none has a name of its own, the one that runs nox will do.
NEWEST = FOUND[-1] if FOUND else None


def _install_wheel(session: nox.Session, *groups: str, constraints: str | None = None) -> None:
    """Build the wheel as a release would, and install it: what is tested is what users get."""
    constrained = ("--constraint", constraints) if constraints else ()
    session.install("build")
    folder = Path(session.create_tmp()) / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    with BUILDING:
        session.run("python", "-m", "build", "--quiet", "--outdir", str(folder), silent=True)
    (wheel,) = folder.glob("*.whl")
    session.install(*constrained, *nox.project.dependency_groups(PYPROJECT, *groups))
    session.install("--force-reinstall", "--no-deps", str(wheel))
    session.install(*constrained, str(wheel))


@nox.session
def quickstart(session: nox.Session) -> None:
    """Start the emulator, send messages through it, and show what happens."""
    session.install(".", silent=True)
    session.run("python", "examples/quickstart.py")


@nox.session(python=NEWEST)
def tests(session: nox.Session) -> None:
    """Run all tests against the installed wheel, on the newest supported Python that this machine has."""
    _install_wheel(session, "tests")
    session.run(*PYTEST, *session.posargs)
    rest = f"Python {' and '.join(FOUND[:-1])}" if FOUND[:-1] else "the oldest dependencies"
    missing = f"; not on this machine: Python {', '.join(MISSING)}" if MISSING else ""
    session.log(f"tested on Python {session.python or 'that runs nox'}; `tests-all` adds {rest}{missing}")


@nox.session(python=FOUND[0] if FOUND else None)
def oldest(session: nox.Session) -> None:
    """Run all tests with the oldest of each dependency and extra that users may have, on the oldest Python found."""
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    bounds = {*PYPROJECT["project"]["dependencies"], *(bound for extra in extras for bound in extra)}
    constraints = Path(session.create_tmp()) / "oldest.txt"
    constraints.write_text("".join(f"{bound.replace('>=', '==')}\n" for bound in sorted(bounds)))
    _install_wheel(session, "tests", constraints=str(constraints))
    session.run(*PYTEST, *session.posargs)


@nox.session(name="tests-rest", python=FOUND[1:-1] or None)
def tests_rest(session: nox.Session) -> None:
    """Run what `tests` and `oldest` leave out: the Pythons between, without what is tested end to end."""
    if not session.python:
        session.skip("there is no Python between the oldest and the newest on this machine")
    _install_wheel(session, "tests")
    session.run(*PYTEST, *(f"--ignore=tests/{folder}" for folder in END_TO_END), *session.posargs)


@nox.session(name="tests-all", python=False)
def tests_all(session: nox.Session) -> None:
    """Run the tests on every supported Python that this machine has, the oldest with the oldest dependencies."""
    for name in ("tests", "oldest", *(f"tests-rest-{version}" for version in FOUND[1:-1])):
        session.notify(name)


@nox.session(python=NEWEST)
def coverage(session: nox.Session) -> None:
    """Measure which statements of the installed wheel the tests run, and hold that to the floor in pyproject.toml."""
    _install_wheel(session, "tests", "coverage")
    # What counts calls would count those of the measurement too.
    arguments = ("--cov", "--cov-report=term:skip-covered", "--ignore=tests/performance")
    session.run(*PYTEST, *arguments, *session.posargs, env={"COVERAGE_CORE": "sysmon"})


@nox.session
def soak(session: nox.Session) -> None:
    """Send through random faults for three minutes, or: -- SECONDS SEED --uvloop --loops 2."""
    _install_wheel(session, "tests")
    session.run("python", "-m", "soak", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(python=NEWEST)
def fuzz(session: nox.Session) -> None:
    """Give anything at all to what reads what others wrote, three minutes each, or: -- NAME --seconds 30."""
    _install_wheel(session, "tests", "fuzz")
    session.run("python", "-m", "fuzz", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def kills(session: nox.Session) -> None:
    """Kill jobs that have a journal 1,000 times, or: -- KILLS SEED, with edits of their input and files between."""
    _install_wheel(session, "tests")
    session.run("python", "-m", "support.kill_rounds", *(session.posargs or ["1000"]), env={"PYTHONPATH": "tests"})


@nox.session
def workers(session: nox.Session) -> None:
    """Kill workers that share a journal, 20 of them over 20,000 jobs, or: -- JOBS KILLS SEED --postgres."""
    _install_wheel(session, "tests")
    session.run("python", "-m", "support.outbox_rounds", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what a call costs, on the installed wheel. ``-- --help`` shows how to run a part of it."""
    _install_wheel(session, "benchmarks")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style and who imports whom."""
    _install_wheel(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")
    session.run("codespell")


@nox.session(name="format")
def format_(session: nox.Session) -> None:
    """Bring the code into its format."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "format", ".")
    session.run("ruff", "check", "--fix", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, on the installed wheel, the tests and the examples."""
    _install_wheel(session, "tests", "types", "benchmarks")
    session.run("mypy", *(argument for package in PACKAGES for argument in ("-p", package)))
    session.run("mypy", "benchmarks")
    folders = [str(Path(folder).resolve()) for folder in TYPED_FOLDERS]
    # What imports the benchmarks has the root on its path, where the packages' folders hide tests of the same name.
    with_root = [str(Path(folder).resolve()) for folder in ("benchmarks", "tests/performance")]
    settings = str(Path("pyproject.toml").resolve())
    # From elsewhere, so that mypy does not take tests/ghasedak for a part of the folder ghasedak.
    with session.chdir(session.create_tmp()):
        session.run("mypy", "--config-file", settings, *folders)
    installed = str(session.run("python", "-c", "import payamak; print(*payamak.__path__)", silent=True)).strip()
    _run_pyright(session, [installed])
    # Tests look inside on purpose.
    _run_pyright(session, folders, reportPrivateUsage=False, exclude=("tests/performance",))
    _run_pyright(session, with_root, reportPrivateUsage=False, roots=(".", "tests"))
    samples = _write_samples(Path(session.create_tmp()) / "samples")
    for folder in samples:
        with session.chdir(folder):
            session.run("mypy", "--strict", "--cache-dir", str(folder.parent / ".mypy_cache"), ".")
    roots = [{"root": os.path.relpath(folder, session.create_tmp())} for folder in samples]
    _run_pyright(session, [str(folder) for folder in samples], executionEnvironments=roots)


def _write_samples(target: Path) -> list[Path]:
    """Write the Python of each page as its reader would save it, and return a folder for each page."""
    shutil.rmtree(target, ignore_errors=True)
    folders: list[Path] = []
    root = Path(__file__).parent
    for page in sorted([*root.glob("README*.md"), *root.glob("docs/*.md")]):
        blocks: list[tuple[str, str, str]] = SAMPLE.findall(page.read_text("utf-8"))
        for number, (saved, title, code) in enumerate(blocks):
            file = target / page.stem.replace(".", "_").replace("-", "_") / (saved or title or f"sample_{number}.py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code, "utf-8")
            folders += [file.parent] if number == 0 else []
    return folders


def _run_pyright(
    session: nox.Session,
    folders: list[str],
    exclude: tuple[str, ...] = (),
    roots: tuple[str, ...] = ("tests",),
    **settings: object,
) -> None:
    config = Path(session.create_tmp()) / "pyrightconfig.json"
    # pyright passes over absolute paths, and is content with nothing to check.
    paths = {"include": folders, "exclude": exclude, "extraPaths": roots}
    relative = {name: [os.path.relpath(entry, config.parent) for entry in entries] for name, entries in paths.items()}
    config.write_text(json.dumps({"typeCheckingMode": "strict", **relative, **settings}))
    output = session.run(
        "pyright", "--project", str(config), "--pythonpath", str(Path(session.bin) / "python"), "--stats", silent=True
    )
    found = re.search(r"^Total files checked: ([0-9]+)|Found ([0-9]+) source files", str(output), re.MULTILINE)
    session.log(found[0] if found else "pyright does not say how many files it checked")
    if not found or not int(found[1] or found[2]):
        session.error("pyright checked nothing")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation's site into site/, and check that it needs nothing from elsewhere."""
    _install_wheel(session, "docs")
    # The theme tells on each build of its successor: that is no fault of a page.
    session.env["NO_MKDOCS_2_WARNING"] = "1"
    session.run("mkdocs", "build", "--strict", "--quiet")
    session.run("python", "-m", "pytest", "tests/project/test_site.py")


@nox.session
def build(session: nox.Session) -> None:
    """Build the sdist and the wheel into dist/."""
    session.install("build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    with BUILDING:
        session.run("python", "-m", "build", "--outdir", "dist")
    session.run("twine", "check", "--strict", *map(str, Path("dist").iterdir()))
