"""The table of a full run, for people."""

from collections.abc import Iterable, Iterator
from typing import Any

Summary = dict[str, Any]
_NONE = "-"
_HEAD = ("", "4 at a time", "x", "best settings", "x", "pick-up ms", "submit", "bulk")


def table(floor: float, contenders: dict[str, Summary]) -> str:
    """Medians with (least-greatest); x is times the floor; pick-up is p50/p95/p99."""
    rows = [_HEAD, *_rows(contenders)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [f"floor: {floor:,.0f} jobs/s (pgbench, 4 clients, two commits a job)", ""]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, "", *_notes(contenders)])


def _rows(contenders: dict[str, Summary]) -> Iterator[tuple[str, ...]]:
    for name, one in contenders.items():
        if "skipped" in one:
            continue
        # Where ordinary settings are the best, there is one figure.
        four = "drain_four" if "drain_four" in one or "drain" not in one else "drain"
        yield (
            name,
            *(_range(one, four), _ratio(one, f"{four}_ratio")),
            *(_range(one, "drain"), _ratio(one, "drain_ratio")),
            *(_latency(one), _range(one, "enqueue"), _range(one, "bulk")),
        )
        if "drain_single" in one:
            single = (_range(one, "drain_single"), _ratio(one, "drain_single_ratio"))
            yield (f"{name}, one a claim", *single, *[_NONE] * 5)


def _range(one: Summary, name: str) -> str:
    if name not in one:
        return _NONE
    least, greatest = one["ranges"][name]
    return f"{one[name]:,.0f} ({least:,.0f}-{greatest:,.0f})"


def _ratio(one: Summary, name: str) -> str:
    if name not in one:
        return _NONE
    least, greatest = one["ranges"][name]
    return f"{one[name]:.2f} ({least:.2f}-{greatest:.2f})"


def _latency(one: Summary) -> str:
    waits = one.get("latency_ms")
    return "/".join(f"{waits[key]:.1f}" for key in ("p50", "p95", "p99")) if waits else _NONE


def _notes(contenders: dict[str, Summary]) -> Iterable[str]:
    for name, one in contenders.items():
        if "skipped" in one:
            yield f"{name}: SKIPPED, {one['skipped']}"
            continue
        yield f"{name}: {one['includes']}"
        for mode, settings in one["settings"].items():
            yield f"    {mode}: {settings}"
        for failure in one.get("failures", []):
            yield f"    FAILED: {failure}"
        for figure in sorted(set(one) - _IN_TABLE):
            yield f"    {figure}: {_plain(one, figure)}"


_IN_TABLE = {
    *("drain", "drain_ratio", "drain_four", "drain_four_ratio", "drain_single"),
    *("drain_single_ratio", "enqueue", "bulk", "latency_ms", "ranges", "includes", "settings"),
    *("failures", "skipped"),
}


def _plain(one: Summary, figure: str) -> str:
    least, greatest = one["ranges"][figure]
    return f"{one[figure]:,.2f} ({least:,.2f}-{greatest:,.2f})"
