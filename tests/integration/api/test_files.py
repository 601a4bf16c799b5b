"""Outputs as answers, where no real server is needed."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from jobs.states import Status
from tests.integration.api.asking import UNKNOWN_ID, problem_of
from tests.rows import job_in

pytestmark = pytest.mark.django_db


def completed(**result: object) -> Job:
    job = job_in(Status.COMPLETED)
    Job.objects.filter(id=job.id).update(result=result)
    return job


def test_a_proxy_sends_the_file_where_it_can(
    api: Client, settings: Settings, media_root: Path
) -> None:
    settings.MEDIA_ACCEL_PREFIX = "/internal/"
    job = job_in(Status.COMPLETED)
    Job.objects.filter(id=job.id).update(result={"output": f"{job.id}/42.webm"})
    folder = media_root / "outputs" / str(job.id)
    folder.mkdir()
    (folder / "42.webm").write_bytes(b"film")

    answer = api.get(f"/api/v1/jobs/{job.id}/output", headers={"Range": "bytes=0-1"})

    assert answer.status_code == 200
    assert answer["X-Accel-Redirect"] == f"/internal/outputs/{job.id}/42.webm"
    assert answer["Content-Type"] == "video/webm"
    assert answer["Content-Disposition"] == f'attachment; filename="{job.id}.webm"'
    assert answer.content == b""


@pytest.mark.parametrize(
    "name", ["../../secret", "/etc/passwd", "{id}/../../secret", "{id}/link.mp4", "{id}", "."]
)
def test_a_result_leads_nowhere_else(api: Client, media_root: Path, name: str) -> None:
    (media_root / "secret").write_text("secret")
    job = job_in(Status.COMPLETED)
    folder = media_root / "outputs" / str(job.id)
    folder.mkdir()
    (folder / "link.mp4").symlink_to(media_root / "secret")
    Job.objects.filter(id=job.id).update(result={"output": name.format(id=job.id)})
    problem_of(api.get(f"/api/v1/jobs/{job.id}/output"), 410, "output_gone")


def test_jobs_without_a_file(api: Client) -> None:
    for result in ({}, {"output": None}, {"output": ["x"]}):
        problem_of(api.get(f"/api/v1/jobs/{completed(**result).id}/output"), 404, "not_found")
    problem_of(api.get(f"/api/v1/jobs/{UNKNOWN_ID}/output"), 404, "not_found")
    job = job_in(Status.QUEUED)
    problem_of(api.post(f"/api/v1/jobs/{job.id}/output/link"), 409, "not_completed")
    problem_of(api.get(f"/api/v1/jobs/{job.id}/output/shared"), 403, "bad_key")
