"""`manage.py make_samples`: two files to try the service with."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.media.binaries import find_tools
from jobs.media.errors import MediaError
from jobs.media.samples import make_samples
from jobs.storage import sources_root


class Command(BaseCommand):
    """Arguments only; the work is in `jobs.media.samples`."""

    help = "Put video.mp4 and audio.wav into the media store's sources, where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was made."""
        try:
            made = make_samples(sources_root(), tools=find_tools(settings.FFMPEG))
        except (MediaError, OSError) as error:
            raise CommandError(f"The samples could not be made: {error}") from error
        for path in made:
            self.stdout.write(f"Made {path}")
