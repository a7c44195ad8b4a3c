"""Every example of docs/library.md runs, in order, in a folder that is not the checkout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "library.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[str]:
    """The code of the page, block by block."""
    return EXAMPLE.findall(PAGE.read_text("utf-8"))


def test_every_example_of_the_library_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for number, code in enumerate(examples(), start=1):
        exec(compile(code, f"docs/library.md, example {number}", "exec"), names)  # noqa: S102
    assert {"placed", "near", "located", "owned", "decided", "view", "why"} <= set(names)
    assert (tmp_path / "owned.html").stat().st_size > 100_000
