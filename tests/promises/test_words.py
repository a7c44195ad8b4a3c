"""The vocabulary of docs/words.md: no refused phrase, every label, no command on a page."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from territory import labels
from webmap.formatting import FINDING, for_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WORDS = ROOT / "docs/words.md"
TABLES = ("STATUS", "SEGMENT", "PRECISION", "PLACEMENT", "RULE", "SEVERITY", "KIND")
# Where other words of ours hold a phrase of the list: file and phrase.
ALLOWED: set[tuple[str, str]] = set()


def rows() -> Iterator[list[str]]:
    """The cells of every row of the tables."""
    for line in WORDS.read_text("utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| Term"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def refused() -> list[str]:
    return [phrase.strip() for row in rows() for phrase in row[3].split(",") if phrase.strip()]


def shown_text(path: Path) -> str:
    """What of a file somebody may read: a template or script whole, of a module its strings."""
    text = path.read_text("utf-8")
    if path.suffix == ".html":
        return re.sub(r"{#.*?#}", "", text, flags=re.DOTALL)
    if path.suffix == ".js":
        return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(strings(ast.parse(text)))


def strings(tree: ast.AST) -> Iterator[str]:
    """The strings of a module without docstrings, except those that are the help of a command."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node):
            decorators = [ast.unparse(one) for one in getattr(node, "decorator_list", ())]
            if not any(".command" in one or ".group" in one for one in decorators):
                silent.add(id(node.body[0].value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):  # as it reads, with a blank for what is filled in
            parts = (one.value if isinstance(one, ast.Constant) else "…" for one in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and id(node) not in silent:
            yield str(node.value)


def readable() -> list[Path]:
    paths = [one for part in ("territory", "webmap") for one in (ROOT / part).rglob("*.*")]
    return sorted(
        one
        for one in paths
        if one.suffix in {".py", ".html", ".js"} and "migrations" not in one.parts
    )


def test_no_refused_phrase_is_shown() -> None:
    phrases = refused()
    assert len(phrases) > 20
    found = [
        (str(path.relative_to(ROOT)), phrase)
        for path in readable()
        for text in [shown_text(path)]  # a module is parsed once, not for each phrase
        for phrase in phrases
        if phrase in text
    ]
    assert sorted(set(found) - ALLOWED) == []
    assert set(found) >= ALLOWED  # what is allowed for nothing is taken off the list


def test_the_scan_reads_messages_help_and_templates() -> None:
    tree = ast.parse(
        '"""Turned away."""\n@cli.command()\ndef f():\n    """Help."""\n    say(f"a {b} c")'
    )
    assert sorted(strings(tree)) == [" c", "Help.", "a ", "a … c"]


@pytest.mark.parametrize("table", TABLES)
def test_every_label_is_in_the_vocabulary(table: str) -> None:
    known = " | ".join(" | ".join(row[:2]) for row in rows())
    values = getattr(labels, table).values()
    words = [one if isinstance(one, str) else one[0] for one in values]
    assert [word for word in words if word.casefold() not in known.casefold()] == []


def test_every_kind_of_finding_has_a_title_without_a_code() -> None:
    assert [title for title in FINDING.values() if "_" in title] == []


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("No job 'a'. `territory jobs list` shows those there are.", "No job 'a'."),
        ("`territory assign` makes one.", ""),
        ("3 rows: 1.5 mi. Done.", "3 rows: 1.5 mi. Done."),
    ],
)
def test_a_message_on_a_page_names_no_command(message: str, shown: str) -> None:
    assert for_pages(message) == shown


ERRORS = (
    "/markets/none", "/markets/none/profile", "/prospects/none", "/ops/import/none",
    "/ops/import/files/none", "/ops/jobs/none", "/ops/places?kind=none", "/ops/places?row=none",
    "/ops/places?placement=none", "/ops/duplicates?page=0", "/findings?code=none",
    "/findings?market=none", "/ops/duplicates/merge?kept=a&merged=b", "/hr/decisions/none",
    "/hr/policies/none/1", "/admin/users/none", "/nothing",
)  # fmt: skip


def test_no_page_names_a_command(app, client_as) -> None:
    plain = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments
    ]
    seen, found = 0, []
    for role in ("ops", "admin", "rep_a", "manager", "hr"):
        client = client_as(role)
        for path in (*plain, *ERRORS):
            response = client.get(path)
            if response.mimetype == "text/html":
                seen += 1
                text = re.sub(r"<[^>]+>", "", response.get_data(as_text=True))
                found += [
                    f"{role} {path}: {one}"
                    for one in re.findall(r".{0,40}\bterritory [a-z-]+ ?[a-z-]*", text)
                    if COMMAND.search(one)
                ]
    assert seen > 100
    assert found == []


COMMAND = re.compile(
    r"territory (?:import|imports|export|assign|check|explain|serve|work|jobs|user|token|audit|data"
    r"|places|duplicates|geocode|demo|mapping|eligibility|screen|note|next|profile|family)\b"
)
