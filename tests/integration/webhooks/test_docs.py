"""The receiver of docs/webhooks.md, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.testing import work_off
from tests.service import PROJECT, free_port
from tests.waiting import wait_until
from webhooks import endpoints
from webhooks.deliveries import send_test
from webhooks.models import Delivery, Endpoint
from webhooks.transport import post


@pytest.mark.django_db
@pytest.mark.processes
def test_the_receiver_of_the_page(endpoint: Endpoint, tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "webhooks.md").read_text()
    [code] = re.findall("```python\n(.*?)```", page, re.DOTALL)
    port = free_port()
    (tmp_path / "receiver.py").write_text(code.replace("8099", str(port)))
    url = f"http://127.0.0.1:{port}/"
    endpoints.update(endpoint, url=url)
    with subprocess.Popen(
        [sys.executable, "receiver.py"],
        cwd=tmp_path,
        env={**os.environ, "WEBHOOK_SECRET": endpoint.secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            wait_until(lambda: post(url, b"{}", {}).status == 400, "it refuses what is not signed")
            send_test(endpoint)
            work_off()
            assert process.stdout is not None
            assert process.stdout.readline().startswith('webhook.test {"endpoint"')
        finally:
            process.kill()
    assert Delivery.objects.get().status == "delivered"
