"""The ASGI entry point: `uvicorn mediaproc.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

from jobs.api.asgi import with_readable_content_type

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
application = with_readable_content_type(get_asgi_application())
