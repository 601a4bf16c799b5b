"""Which programs are found."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.media.binaries import Tools, find_tools
from jobs.media.errors import MediaError
from jobs.media.presets import TARGETS, find_preset


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    find_tools.cache_clear()


def test_every_target_can_be_made_here(tools: Tools) -> None:
    for preset in TARGETS.values():
        tools.require(preset)


def test_a_missing_encoder_is_named(tools: Tools) -> None:
    poor = replace(tools, encoders=tools.encoders - {"libx264"})

    poor.require(find_preset("mp3"))
    with pytest.raises(MediaError, match="has no encoder libx264") as caught:
        poor.require(find_preset("mp4"))

    assert caught.value.code == "unsupported_target"


def test_path_comes_before_the_wheel(
    tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ffmpeg").symlink_to(tools.ffmpeg)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert find_tools().ffmpeg == tmp_path / "ffmpeg"


def test_the_wheel_is_found_where_path_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("PATH", "/nowhere")

    found = find_tools()

    assert "imageio_ffmpeg" in found.ffmpeg.parts
    assert found.ffprobe is None


def test_ffprobe_is_looked_for_beside_ffmpeg(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "ffmpeg").symlink_to(tools.ffmpeg)
    (tmp_path / "ffprobe").symlink_to(shutil.which("true") or "/bin/true")

    found = find_tools(str(tmp_path / "ffmpeg"))

    assert found.ffprobe == tmp_path / "ffprobe"


def test_nothing_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)

    with pytest.raises(MediaError, match="ffmpeg was not found") as caught:
        find_tools()

    assert caught.value.code == "ffmpeg_missing"
    assert not caught.value.permanent


@pytest.mark.parametrize("wrong", ["/nowhere/ffmpeg", "/etc/passwd", "no-such-program"])
def test_a_wrong_setting_is_not_passed_over(wrong: str) -> None:
    with pytest.raises(MediaError, match="configured as ffmpeg") as caught:
        find_tools(wrong)

    assert caught.value.code == "ffmpeg_missing"


def test_a_program_that_is_not_ffmpeg() -> None:
    with pytest.raises(MediaError, match="does not run"):
        find_tools("false")
