"""The names of schedules are their owners' own: nobody learns of another's.

The table is small: it is locked for a moment only.
"""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0008_metrics_check"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="schedule",
            name="name",
            field=models.CharField(max_length=100),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.UniqueConstraint(
                fields=("owner", "name"),
                name="schedule_of_owner",
                nulls_distinct=False,
                violation_error_message="A schedule of this owner with this name already exists.",
            ),
        ),
    ]
