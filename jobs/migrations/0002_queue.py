"""What the queue needs of PostgreSQL beyond tables: the lease numbers, and room for hot updates."""

from django.db import migrations

# Every claim takes a number; it never comes again, so it serves as the fencing token.
LEASES = "CREATE SEQUENCE jobs_lease AS bigint CACHE 1"

# A job's row is written at every claim, heartbeat, progress report and finish: pages keep room for
# the next version, and autovacuum comes by count of dead rows, not by share of a growing table.
HOT_TABLE = """
ALTER TABLE jobs_job SET (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 10000
)
"""
PLAIN_TABLE = """
ALTER TABLE jobs_job RESET (
  fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
  autovacuum_vacuum_cost_delay, autovacuum_analyze_scale_factor, autovacuum_analyze_threshold
)
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.RunSQL(LEASES, "DROP SEQUENCE jobs_lease"),
        migrations.RunSQL(HOT_TABLE, PLAIN_TABLE),
    ]
