"""What the docs say is so: links lead somewhere, commands parse, figures name what prints them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from territory.cli.main import cli
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
FILE = re.compile(r"(?<![\w/])(?:scripts|tests|data|docs|territory|webmap)/[\w./*-]+\.\w+")
# A page about figures, and the commands that print them.
BENCHES = {
    "README.md": [
        *("geodesy/radius.py", "geodesy/markets.py", "geodesy/screen.py"),
        *("imports", "geocoding.py", "eligibility.py"),
    ],
    "docs/accuracy.md": ["geodesy/accuracy.py", "geodesy/radius.py", "eligibility.py"],
    "docs/import.md": ["imports", "geocoding.py"],
    "docs/speed.md": ["webmap", "webmap/lighthouse.py"],
}
A_FIGURE = re.compile(r"\d(?:[\d,.]*\d)? ?(?:%|mi\b|miles|MB|µs|seconds|s\b)")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def named(page: str) -> Path:
    return ROOT / page


def headings(path: Path) -> set[str]:
    """The anchors of a page, as hosts of Markdown make them."""
    found = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in headings(path)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    missing = [
        name
        for name in FILE.findall(page.read_text("utf-8"))
        # The page of the tables names files of the packages that they are built from.
        if not (page.parent.name == "data" and name.startswith("data/"))
        and not any(list(place.glob(name)) for place in (ROOT, page.parent))
    ]
    assert not missing


def written(page: Path) -> Iterator[str]:
    """Every command of ours that a page shows, in a block or in a line."""
    text = page.read_text("utf-8")
    for block in FENCE.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        yield from (line.strip() for line in lines if line.strip().startswith("territory "))
    for code in CODE.findall(FENCE.sub("", text)):
        if re.match(r"territory [a-z]", code):
            yield " ".join(code.split())


def parse(line: str) -> None:
    """Let the command line take a command apart, as far as it can without running it.

    Raises
    ------
    click.UsageError
        If there is no such command, option or choice.
    """
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((at for at, word in enumerate(words) if word in "|&&>"), len(words))]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words:
        name, words = words[0], words[1:]
        if name.startswith("--"):
            words = words[1:]
            continue
        found = command.get_command(context, name)
        if found is None and name.isupper():
            return  # "COMMAND" stands for any of them
        if found is None:
            raise click.UsageError(f"no command {name!r} in {command.name}")
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("--") and word not in {*known, "--help"}]
    if unknown:
        raise click.UsageError(f"{command.name} has no {', '.join(unknown)}")
    is_whole = not isinstance(command, click.Group) and words and "--help" not in words
    if is_whole and not any(word.isupper() and word.isalpha() for word in words):
        command.make_context(command.name, list(words), resilient_parsing=False)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_command_that_is_shown_exists_with_its_options(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = []
    for line in written(page):
        try:
            parse(line)
        except click.ClickException as error:
            wrong.append(f"{line}: {error.format_message()}")
    assert not wrong


def test_a_command_that_is_not_there_would_be_found() -> None:
    parse("territory import prospects accounts.csv --dry-run   # a remark")
    parse("territory --store sqlite:///a.sqlite imports list")
    for line in (
        "territory improt prospects a.csv",
        "territory import companies a.csv",
        "territory import prospects a.csv --dryrun",
        "territory places pinn",
    ):
        with pytest.raises(click.UsageError):
            parse(line)


def every(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for sub in command.list_commands(context):
            yield from every(command.get_command(context, sub), f"{name} {sub}")


COMMANDS = dict(every(cli, "territory"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_text_with_an_example_that_parses(name: str) -> None:
    told = re.sub(r"\n\s*(?=--)", " ", COMMANDS[name].help or "")  # a long example goes on below
    examples = re.findall(r"^ *(?:[A-Z_]+=\S+ )*(territory .+)$", told, re.MULTILINE)
    if not isinstance(COMMANDS[name], click.Group):
        assert "Example" in told
        assert examples
    for line in examples:
        for command in line.split("&&"):
            parse(command.strip())


@pytest.mark.parametrize("page", BENCHES)
def test_a_page_of_figures_names_the_commands_that_print_them(page: str) -> None:
    text = named(page).read_text("utf-8")
    assert A_FIGURE.search(text) or page == "README.md"
    missing = [name for name in BENCHES[page] if f"scripts/bench/{name}" not in text]
    assert not missing


@pytest.mark.parametrize("page", ["docs/accuracy.md", "docs/import.md", "docs/data.md"])
def test_every_table_of_figures_has_its_command_or_test_in_its_section(page: str) -> None:
    sections = re.split(r"^## ", named(page).read_text("utf-8"), flags=re.MULTILINE)[1:]
    lead = named(page).read_text("utf-8").split("\n## ")[0]
    bare = []
    for section in sections:
        tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
        has_figures = any(A_FIGURE.search(table) for table in tables)
        names = re.findall(r"(?:scripts/bench|scripts|tests)/[\w/]+(?:\.py)?", section + lead)
        if has_figures and not names:
            bare.append(section.splitlines()[0])
    assert not bare


A_TEST = re.compile(r"\btest_\w+")
WITH_PATH = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
A_VARIABLE = re.compile(r"\bTERRITORY_[A-Z_]+[A-Z]\b")


def test_each_promise_of_security_names_tests_that_exist() -> None:
    """Each name stands as `path::test`, so that whoever doubts a promise can run it."""
    page = named("docs/security.md").read_text("utf-8")
    with_path = WITH_PATH.findall(page)
    assert len(with_path) > 40
    in_paths = {name for pair in with_path for name in A_TEST.findall("::".join(pair))}
    assert set(A_TEST.findall(page)) == in_paths, "write each test as `tests/path.py::test_name`"
    missing = [
        f"{path}::{test}"
        for path, test in with_path
        if not (ROOT / path).exists()
        or not re.search(rf"^def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    ]
    assert not missing


def test_each_promise_of_security_has_a_test_or_a_soak() -> None:
    page = named("docs/security.md").read_text("utf-8")
    section = page.split("## What is promised")[1].split("\n## ")[0]
    promises = re.split(r"^(?=\*\*)", section, flags=re.MULTILINE)[1:]
    assert len(promises) > 20
    bare = [
        one.split("**")[1] for one in promises if "`tests/" not in one and "scripts/" not in one
    ]
    assert not bare


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_variable_that_is_named_is_read_by_the_code(page: Path) -> None:
    code = "".join(
        path.read_text("utf-8") for name in ("territory", "webmap", "scripts")
        for path in (ROOT / name).rglob("*") if path.suffix in {".py", ""} and path.is_file()
    )  # fmt: skip
    named_here = set(A_VARIABLE.findall(page.read_text("utf-8")))
    parts = {name for name in named_here if name in code}
    parts |= {name for name in named_here if name.startswith("TERRITORY_OIDC_")}  # put together
    assert named_here == parts
