"""The WSGI entry point: `gunicorn mediaproc.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
application = get_wsgi_application()
