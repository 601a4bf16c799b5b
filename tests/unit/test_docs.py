"""What the documentation points at is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")]

_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
_PATH = re.compile(r"`((?:docs|jobs|mediaproc|scripts|tests)/[\w./-]*)`")


def _targets(page: Path) -> Iterator[Path]:
    text = page.read_text()
    yield from (page.parent / target for target in _LINK.findall(text))
    yield from (PROJECT / path for path in _PATH.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    assert [str(target) for target in _targets(page) if not target.exists()] == []


def test_decisions_are_numbered_one_by_one() -> None:
    pages = sorted((PROJECT / "docs" / "adr").glob("*.md"))
    for number, page in enumerate(pages, start=1):
        assert page.name.startswith(f"{number:04}-")
        text = page.read_text()
        assert text.startswith(f"# {number}. ")
        parts = [line for line in text.splitlines() if line.startswith("## ")]
        assert {"## Context", "## Decision", "## Consequences"} <= set(parts)


def test_the_tests_that_security_names_are_there() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", (PROJECT / "docs" / "security.md").read_text())
    assert len(named) > 100
    for file, name in named:
        assert f"def {name}(" in (PROJECT / "tests" / file).read_text(), (file, name)
