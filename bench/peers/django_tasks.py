"""The task of django-tasks-db; Django must be set up before this is imported."""

from bench import marks

try:
    from django.tasks import task
except ImportError:  # Django 5.2
    from django_tasks import task  # type: ignore[no-redef]


@task()
def noop(number: int, text: str) -> None:
    """Nothing."""
    marks.started(number)
