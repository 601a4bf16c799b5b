"""The floor: what PostgreSQL itself does when pgbench claims and completes jobs, by 4 clients.

Plain statements on a plain table, prepared, two commits a job: no Python, no columns to spare. All
other figures are told as ratios to it, because machines differ and drift.
"""

import re
import subprocess
from pathlib import Path

import psycopg

from mediaproc.embedded_postgres.binaries import find_folder

CLIENTS = 4
_TABLES = """
DROP TABLE IF EXISTS floor_metrics, floor_job;
CREATE TABLE floor_job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, priority smallint NOT NULL,
  status smallint NOT NULL, payload text NOT NULL, started_at timestamptz,
  completed_at timestamptz);
CREATE INDEX ON floor_job (priority DESC, id) WHERE status = 0;
CREATE TABLE floor_metrics (
  job_id bigint PRIMARY KEY REFERENCES floor_job, cpu integer, memory integer, seconds float8);
"""
_ROWS = """
INSERT INTO floor_job (priority, status, payload)
SELECT 5, 0, repeat('x', 200) FROM generate_series(1, %s)
"""
_SCRIPT = r"""
UPDATE floor_job SET status = 1, started_at = now() WHERE id = (
  SELECT id FROM floor_job WHERE status = 0 ORDER BY priority DESC, id LIMIT 1
  FOR UPDATE SKIP LOCKED) RETURNING id \gset
WITH done AS (
  UPDATE floor_job SET status = 2, completed_at = now() WHERE id = :id RETURNING id)
INSERT INTO floor_metrics SELECT id, 1, 2, 3.0 FROM done;
"""


def measure(url: str, folder: Path, jobs: int) -> float:
    """Jobs a second."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES)
        connection.execute(_ROWS, [jobs])
        connection.execute("VACUUM ANALYZE floor_job")
    script = folder / "floor.sql"
    script.write_text(_SCRIPT)
    done = subprocess.run(
        [
            *(str(find_folder() / "pgbench"), "--no-vacuum", "--protocol=prepared"),
            *(f"--client={CLIENTS}", "--jobs=2", f"--transactions={jobs // CLIENTS}"),
            *(f"--file={script}", url),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench said no figure: {done.stdout}{done.stderr}")
    return float(found[1])
