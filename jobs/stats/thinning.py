"""Keep no more running totals than windows need.

A later total holds all that an earlier one did, so to thin out is to delete. Who does so holds the
lock of the mark (`jobs/stats/rollup.py`): a total must not go while another one is made from it.
"""

from datetime import datetime, timedelta

from django.db import connection

HOUR = timedelta(hours=1)

_NEXT = """
SELECT date_trunc('hour', min(until) - interval '1 microsecond') FROM jobs_jobtotal
WHERE until > coalesce(
    (SELECT reached FROM jobs_rollupmark WHERE id = 3 AND reached < clock_timestamp()), '-infinity')
  AND until <= date_trunc('hour', clock_timestamp() - make_interval(secs => %s))
"""
# Of each series the hour's last row stays.
_THIN = """
DELETE FROM jobs_jobtotal old
WHERE until > %(begin)s AND until < %(end)s AND EXISTS (
  SELECT FROM jobs_jobtotal newer
  WHERE newer.owner_id = old.owner_id AND newer.priority = old.priority
    AND newer.job_type = old.job_type AND newer.status = old.status
    AND newer.until > old.until AND newer.until <= %(end)s)
"""
_THINNED = """
INSERT INTO jobs_rollupmark (id, reached) VALUES (3, %s)
ON CONFLICT (id) DO UPDATE SET reached = excluded.reached
"""
# Of each series that goes on the last row before the limit stays: its windows begin there.
_FORGET = """
DELETE FROM jobs_jobtotal old
WHERE until <= %(limit)s AND coalesce((
    SELECT newer.until FROM jobs_jobtotal newer
    WHERE newer.owner_id = old.owner_id AND newer.priority = old.priority
      AND newer.job_type = old.job_type AND newer.status = old.status
      AND newer.until > old.until
    ORDER BY newer.until LIMIT 1
  ), '-infinity') <= %(limit)s
"""
# Not before what was forgotten under a shorter time.
_FORGOTTEN = """
INSERT INTO jobs_rollupmark AS mark (id, reached)
VALUES (4, date_trunc('hour', clock_timestamp() - make_interval(secs => %s)))
ON CONFLICT (id) DO UPDATE SET reached = greatest(mark.reached, excluded.reached)
RETURNING reached
"""
_OVERTAKEN = """
DELETE FROM jobs_jobtotal old
WHERE until >= %(until)s AND EXISTS (
  SELECT FROM jobs_jobtotal newer
  WHERE newer.owner_id = old.owner_id AND newer.priority = old.priority
    AND newer.job_type = old.job_type AND newer.status = old.status
    AND newer.until > old.until)
"""
_BRING_BACK = "UPDATE jobs_jobtotal SET until = %(until)s WHERE until > %(until)s"
_BRING_BACK_MARK = "UPDATE jobs_rollupmark SET reached = least(reached, %(until)s) WHERE id = 4"


def thin(kept: timedelta) -> bool:
    """Of the first hour that is older than `kept` and not thinned out yet, keep the last row of
    each series. Returns whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [kept.total_seconds()])
        [hour] = cursor.fetchone()
        if hour is None:
            return False
        cursor.execute(_THIN, {"begin": hour, "end": hour + HOUR})
        cursor.execute(_THINNED, [hour + HOUR])
    return True


def forget(kept: timedelta) -> None:
    """Drop what no window of this length needs."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGOTTEN, [kept.total_seconds()])
        [limit] = cursor.fetchone()
        cursor.execute(_FORGET, {"limit": limit})


def bring_back(until: datetime) -> None:
    """What is said to have ended after this, by a clock that was wrong, ended at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERTAKEN, {"until": until})
        cursor.execute(_BRING_BACK, {"until": until})
        cursor.execute(_BRING_BACK_MARK, {"until": until})
