"""The WSGI entry point: `gunicorn mediaproc.wsgi`."""

import os
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

from jobs.api.wsgi import with_readable_content_type

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def _application() -> "WSGIApplication":
    django = get_wsgi_application()
    from jobs.api.unchanged_wsgi import UnchangedFirst  # it has models, which Django has to load

    return with_readable_content_type(UnchangedFirst(django))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mediaproc.settings")
application = _application()
