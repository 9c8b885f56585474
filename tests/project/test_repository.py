"""What stands around the code: workflows, hooks, templates, metadata."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from support.printed import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATES = [
    *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")),
    ROOT / ".github" / "pull_request_template.md",
]
COMMAND = re.compile(r"python3 dev\.py((?: [a-z][a-z-]*)+)")
SAY_COMMANDS = [*WORKFLOWS, *TEMPLATES, ROOT / ".ci" / "run", *map(ROOT.joinpath, ("README.md", "CONTRIBUTING.md"))]


def list_sessions() -> set[str]:
    """The sessions of nox: those that are given a name have that, and the others the function's."""
    sessions: set[str] = set()
    for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                given = {word.arg: word.value for word in decorator.keywords} if isinstance(decorator, ast.Call) else {}
                name = given.get("name")
                sessions.add(name.value if isinstance(name, ast.Constant) else node.name)  # type: ignore[arg-type]
    return sessions


@pytest.mark.parametrize("path", SAY_COMMANDS, ids=lambda path: path.name)
def test_the_jobs_that_are_called_exist(path: Path) -> None:
    called = {name for found in COMMAND.findall(path.read_text(encoding="utf-8")) for name in found.split()}
    assert called <= list_sessions()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_actions_are_pinned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert COMMAND.search(text)
    used = re.findall(r"uses: (.+)", text)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40} # v[0-9.]+", action)] == []
    # What may write is said where it is needed, and nothing is known that could leak.
    assert re.findall(r"^permissions:\n((?:  .+\n)+)", text, re.MULTILINE) == ["  contents: read\n"]
    assert "secrets." not in text


def test_ci_tests_every_python() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(PYPROJECT["project"]["classifiers"]))
    assert re.findall(r"^ +(3\.\d+)$", text, re.MULTILINE) == versions


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.name != "config.yml"], ids=lambda path: path.name)
def test_the_templates_ask_for_no_secret(path: Path) -> None:
    text = " ".join(path.read_text(encoding="utf-8").lower().split())
    named = (
        r"(every|no) key, (no )?password, (no )?token, (no )?telephone number( of anybody)? and (no )?text of a message"
    )
    assert re.search(named, text)
    # Nothing else in it speaks of them: nothing asks for them.
    rest = re.sub(named, "", text)
    assert not re.search(r"\b(keys?|passwords?|telephone|user ?names?)\b", rest)


def test_the_places_to_change_things_at_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Where things are\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("|")][2:]
    missing: list[str] = []
    for row in rows:
        folder = ROOT
        for name in re.findall(r"`([\w<>./]+(?:\.py|/))`", row):
            path = ROOT / name.replace("<gateway>", "ghasedak") if "/" in name else folder / name
            folder = path if name.endswith("/") else path.parent
            missing += [] if path.exists() else [name]
    assert len(rows) > 15
    assert missing == []


def test_the_hooks_use_the_tools_of_lint() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    used = set(re.findall(r'additional_dependencies: \["(.+?)"\]', text))
    assert used == {tool for tool in PYPROJECT["dependency-groups"]["lint"] if not tool.startswith("import-linter")}


def test_the_metadata_name_nobody() -> None:
    assert [set(author) for author in PYPROJECT["project"]["authors"]] == [{"name"}]


def test_no_release_has_addresses_that_lead_nowhere() -> None:
    placeholder = "payamak.example"
    urls: dict[str, str] = PYPROJECT["project"]["urls"]
    assert {"Repository", "Documentation", "Changelog", "Issues"} == set(urls)
    assert all(url.startswith("https://") for url in urls.values())
    assert len({placeholder in url for url in urls.values()}) == 1, "all of them, or none"
    assert f'! grep -nF "{placeholder}" pyproject.toml' in (ROOT / ".github/workflows/publish.yml").read_text("utf-8")


# A requirement that names the project, and no file or folder: after the word by which something is installed, with an
# extra, or with a version.
NAME = PYPROJECT["project"]["name"]
BY_NAME = re.compile(
    rf"""\b(?:install|add|uvx|run|--with)\b[^`#,\n]*(?<![\w./-]){NAME}(?=[\s"'`=<>~!\[-]|$)(?!\S*\.(?:whl|tar\.gz))"""
    rf"""|\b{NAME}\[[a-z,]+\]|\b{NAME} ?[=<>~!]=""",
    re.MULTILINE,
)


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        (f"pip install {NAME}", True),
        (f"$ python -m pip install --upgrade '{NAME}'", True),
        (f"uv add fastapi {NAME}", True),
        (f"uvx {NAME} credit", True),
        (f'dependencies = ["{NAME}>=0.1"]', True),
        (f"with the extra `{NAME}[cli]`", True),
        ('pip install ".[cli]"', False),
        (f"with `pip install .` in a clone of {NAME}", False),
        (f"RUN pip install /src/{NAME} fastapi", False),
        (f"pip install dist/{NAME}-0.1.0-py3-none-any.whl", False),
    ],
)
def test_an_installation_by_name_is_seen(text: str, is_refused: bool) -> None:
    assert bool(BY_NAME.search(text)) is is_refused


def test_nobody_is_told_to_install_a_project_that_is_not_on_the_index() -> None:
    """Whoever owns that name one day would be installed. Until it is ours, all install from a clone, in one way."""
    if not (ROOT / ".git").exists():
        pytest.skip("only git knows which files are the project's")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607
    told: list[str] = []
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).exists():  # Or it is deleted, and not yet committed.
            text = (ROOT / name).read_text(encoding="utf-8", errors="ignore")
            told += [f"{name}: {found[0]}" for found in BY_NAME.finditer(text)]
    assert told == []
