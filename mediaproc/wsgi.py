"""The WSGI entry point: `gunicorn mediaproc.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from jobs.api.wsgi import with_readable_content_type

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
application = with_readable_content_type(get_wsgi_application())
