"""The whole life of a job: its history, checkpoints, schedules, paused pools and statistics.

Safe on a live table: every new column has a constant default or none, so that no row is written.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import jobs.models.columns
import jobs.states

# A lock that is asked for keeps everybody else waiting behind it. So it is asked for briefly, again
# and again, until nobody holds the table for long. A submission waits for that, and for what Django
# computes behind it: a third of a second here, three times that on a slow and busy machine.
LOCK = """
DO $$
BEGIN
  PERFORM set_config('lock_timeout', '300ms', true);
  FOR attempt IN 1..600 LOOP
    BEGIN
      LOCK TABLE jobs_job IN ACCESS EXCLUSIVE MODE;
      PERFORM set_config('lock_timeout', '0', true);
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.5);
    END;
  END LOOP;
  RAISE EXCEPTION 'jobs_job was in use for 8 minutes without a pause: end long transactions on it'
    ' (see pg_stat_activity) and migrate again';
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_full_pages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SubmissionCount",
            fields=[
                (
                    "throttle_key",
                    models.CharField(max_length=60, primary_key=True, serialize=False),
                ),
                ("minute", models.DateTimeField()),
                ("jobs", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="DurationHistory",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_type", models.CharField(max_length=50)),
                ("target_format", models.CharField(max_length=50)),
                (
                    "size_class",
                    models.SmallIntegerField(
                        help_text="log2 of the source's bytes; -1: no source."
                    ),
                ),
                ("jobs", models.IntegerField(help_text="How many it was learnt from.")),
                ("mean_seconds", models.FloatField(help_text="The newest weigh most.")),
                ("updated_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="JobAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.SmallIntegerField()),
                ("worker", models.CharField(blank=True, max_length=120)),
                ("started_at", models.DateTimeField()),
                (
                    "ended_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        help_text="retry, snoozed, failed, cancelled, interrupted or lost.",
                        max_length=20,
                    ),
                ),
                (
                    "error_code",
                    models.CharField(blank=True, db_default="", default="", max_length=50),
                ),
                ("error_message", models.TextField(blank=True, db_default="", default="")),
                ("traceback", models.TextField(blank=True, db_default="", default="")),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="JobCheckpoint",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="checkpoint",
                        serialize=False,
                        to="jobs.job",
                    ),
                ),
                ("state", models.JSONField(db_default={}, default=dict)),
                (
                    "steps",
                    models.JSONField(
                        db_default={}, default=dict, help_text="Results by name of the step."
                    ),
                ),
                (
                    "saved_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JobEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("actor", models.CharField(blank=True, db_default="", default="", max_length=150)),
                ("detail", models.JSONField(db_default={}, default=dict)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="JobRollup",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("begins_at", models.DateTimeField()),
                ("seconds", models.IntegerField(help_text="How long the stretch is.")),
                ("priority", models.SmallIntegerField()),
                ("job_type", models.CharField(max_length=50)),
                ("owner_id", models.BigIntegerField(null=True)),
                ("status", models.CharField(max_length=12)),
                ("jobs", models.IntegerField()),
                ("wait_seconds", models.FloatField(help_text="The sum, from queued to started.")),
                ("run_seconds", models.FloatField(help_text="The sum, from started to ended.")),
                (
                    "waits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        help_text="Jobs by length of wait, log scale.",
                        size=None,
                    ),
                ),
                (
                    "runs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(),
                        help_text="Jobs by length of run, log scale.",
                        size=None,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PausedPool",
            fields=[
                ("name", models.CharField(max_length=31, primary_key=True, serialize=False)),
                (
                    "paused_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ()),
                        editable=False,
                    ),
                ),
                (
                    "paused_by",
                    models.CharField(blank=True, db_default="", default="", max_length=150),
                ),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=200)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="RollupMark",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("reached", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=jobs.models.columns.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "cron",
                    models.CharField(
                        help_text="Five fields, for example 30 2 * * mon-fri.", max_length=100
                    ),
                ),
                ("time_zone", models.CharField(db_default="UTC", default="UTC", max_length=64)),
                (
                    "missed_runs",
                    models.CharField(
                        choices=[
                            ("skip", "Skip them"),
                            ("one", "Make up for them by one run"),
                            ("all", "Make up for each"),
                        ],
                        db_default="one",
                        default="one",
                        max_length=4,
                    ),
                ),
                ("paused", models.BooleanField(db_default=False, default=False)),
                (
                    "next_fire_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="Empty while paused, or when it never fires again.",
                        null=True,
                    ),
                ),
                ("job_type", models.CharField(max_length=50)),
                (
                    "source_file",
                    models.CharField(blank=True, db_default="", default="", max_length=255),
                ),
                (
                    "target_format",
                    models.CharField(blank=True, db_default="", default="", max_length=50),
                ),
                ("parameters", models.JSONField(blank=True, db_default={}, default=dict)),
                ("priority", models.SmallIntegerField(db_default=5, default=5)),
                ("max_attempts", models.SmallIntegerField(db_default=3, default=3)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ()),
                        editable=False,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="ScheduleFire",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("fire_at", models.DateTimeField()),
                ("job_id", models.UUIDField()),
                (
                    "fired_at",
                    models.DateTimeField(
                        db_default=django.db.models.expressions.RawSQL("clock_timestamp()", ())
                    ),
                ),
            ],
            options={
                "ordering": ["-fire_at"],
            },
        ),
        migrations.RunSQL(LOCK, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="job",
            name="estimated_seconds",
            field=models.FloatField(
                blank=True, editable=False, help_text="Expected when it was submitted.", null=True
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="expires_at",
            field=models.DateTimeField(
                blank=True, help_text="Fails as expired unless it was started by then.", null=True
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="hard_limit_seconds",
            field=models.FloatField(blank=True, help_text="Empty: the type's.", null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="name",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="job",
            name="replay_of",
            field=models.UUIDField(
                blank=True, help_text="The job that this one repeats.", null=True
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="soft_limit_seconds",
            field=models.FloatField(blank=True, help_text="Empty: the type's.", null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="source_bytes",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="workerprocess",
            name="drain_requested",
            field=models.BooleanField(
                db_default=False, default=False, help_text="It shall finish what it has and end."
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="throttle_key",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Jobs of one key share a limit; empty: none.",
                max_length=60,
            ),
        ),
        migrations.AlterField(
            model_name="job",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="jobs.job",
            ),
        ),
        migrations.AddConstraint(
            model_name="durationhistory",
            constraint=models.UniqueConstraint(
                fields=("job_type", "target_format", "size_class"), name="duration_history_once"
            ),
        ),
        migrations.AddField(
            model_name="jobattempt",
            name="job",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="jobs.job",
            ),
        ),
        migrations.AddField(
            model_name="jobevent",
            name="job",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="jobs.job",
            ),
        ),
        migrations.AddConstraint(
            model_name="jobrollup",
            constraint=models.UniqueConstraint(
                fields=("begins_at", "seconds", "priority", "job_type", "owner_id", "status"),
                name="rollup_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="schedule",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="schedulefire",
            name="schedule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="fires",
                to="jobs.schedule",
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(models.F("next_fire_at"), name="schedule_due"),
        ),
        migrations.AddConstraint(
            model_name="schedulefire",
            constraint=models.UniqueConstraint(
                fields=("schedule", "fire_at"), name="schedule_fires_once"
            ),
        ),
    ]
