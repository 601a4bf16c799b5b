"""What statements on Django's connection really did, nested ones too: auto_explain tells it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection

_SETTINGS = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_nested_statements = on",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_buffers = on",
    "SET auto_explain.log_format = json",
    "SET client_min_messages = log",
)


@dataclass(frozen=True)
class Cost:
    """Of one statement: pages of 8 kB that it touched, in memory or not, milliseconds, and how many
    rows it tried to lock."""

    sql: str
    buffers: int
    milliseconds: float
    tried: int


@contextmanager
def explained() -> Iterator[list[Cost]]:
    """The costs of all statements inside the block, in the order of their ends."""
    costs: list[Cost] = []

    def keep(message: psycopg.errors.Diagnostic) -> None:
        _, plan, text = (message.message_primary or "").partition("plan:")
        if plan:
            costs.append(_cost(json.loads(text)))

    connection.ensure_connection()
    connection.connection.add_notice_handler(keep)
    try:
        with connection.cursor() as cursor:
            for setting in _SETTINGS:
                cursor.execute(setting)
        costs.clear()
        yield costs
    finally:
        with connection.cursor() as cursor:
            # Inside a transaction the last of the engine's statements ends with the next one.
            cursor.execute("SET auto_explain.log_min_duration = -1")
            connection.connection.remove_notice_handler(keep)
            cursor.execute("RESET client_min_messages")


def claims(costs: list[Cost]) -> list[Cost]:
    """Those of the claims among them."""
    return [cost for cost in costs if "picked AS MATERIALIZED" in cost.sql]


def completions(costs: list[Cost]) -> list[Cost]:
    """Those of the completions among them."""
    return [cost for cost in costs if "INSERT INTO jobs_jobmetrics" in cost.sql]


def rescues(costs: list[Cost]) -> list[Cost]:
    """Those of the rescues among them."""
    return [cost for cost in costs if "WITH lost AS MATERIALIZED" in cost.sql]


def _cost(told: dict[str, Any]) -> Cost:
    plan = told["Plan"]
    buffers = sum(plan[f"Shared {kind} Blocks"] for kind in ("Hit", "Read"))
    return Cost(told["Query Text"], buffers, plan["Actual Total Time"], _tried(plan))


def _tried(node: dict[str, Any]) -> int:
    below: list[dict[str, Any]] = node.get("Plans", [])
    if node["Node Type"] == "LockRows":
        return sum(round(one["Actual Rows"] * one["Actual Loops"]) for one in below)
    return sum(map(_tried, below))
