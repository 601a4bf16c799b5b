"""Secrets of apps stood readable, as django-otp keeps them: 40 hexadecimal digits."""

from typing import Any

from django.conf import settings
from django.db import migrations

from accounts.sealed import open_sealed, seal


def close(apps: Any, schema_editor: Any) -> None:
    for device in apps.get_model("otp_totp", "TOTPDevice").objects.all():
        device.key = seal(bytes.fromhex(device.key), str(device.user_id))
        device.save(update_fields=["key"])


def open_again(apps: Any, schema_editor: Any) -> None:
    for device in apps.get_model("otp_totp", "TOTPDevice").objects.all():
        device.key = open_sealed(device.key, str(device.user_id)).hex()
        device.save(update_fields=["key"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sessions_second_factor_notices"),
        ("otp_totp", "0003_add_timestamps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="App",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("otp_totp.totpdevice",),
        ),
        migrations.RunPython(close, open_again),
    ]
