"""The table of targets."""

import pytest

from jobs.media.errors import MediaError
from jobs.media.presets import ALIASES, TARGETS, Kind, Preset, find_preset

DOCUMENTED = {
    Kind.VIDEO: {"mp4", "avi", "mkv", "webm", "mov"},
    Kind.AUDIO: {"mp3", "wav", "flac", "m4a", "ogg"},
    Kind.ANIMATION: {"gif"},
    Kind.IMAGE: {"jpg"},
}
presets = pytest.mark.parametrize("preset", TARGETS.values(), ids=lambda preset: preset.name)


def test_the_documented_targets_and_no_others() -> None:
    by_kind = {kind: {p.name for p in TARGETS.values() if p.kind is kind} for kind in Kind}

    assert by_kind == DOCUMENTED


@pytest.mark.parametrize(
    ("written", "name"), [("mp4", "mp4"), ("MP4", "mp4"), ("WebM", "webm"), ("JPEG", "jpg")]
)
def test_names_have_no_case(written: str, name: str) -> None:
    assert find_preset(written).name == name


@pytest.mark.parametrize("unknown", ["", "exe", " mp4", ".mp4", "mp4\0", "İ", "jpe", "m3u8"])
def test_an_unknown_target_is_refused_with_those_known(unknown: str) -> None:
    with pytest.raises(MediaError, match="avi, flac, gif") as caught:
        find_preset(unknown)

    assert caught.value.code == "unsupported_target"
    assert caught.value.permanent


def test_aliases_lead_to_targets() -> None:
    assert set(ALIASES.values()) <= set(TARGETS)
    assert not set(ALIASES) & set(TARGETS)


@presets
def test_nothing_but_pictures_and_sound_is_passed_on(preset: Preset) -> None:
    arguments = " ".join(preset.arguments)

    assert "-sn -dn" in arguments
    assert "-map_metadata -1 -map_chapters -1" in arguments
    assert "-map 0:" in arguments


@presets
def test_the_muxer_is_named_because_the_files_name_does_not_tell(preset: Preset) -> None:
    assert preset.arguments[-2] == "-f"


@presets
def test_every_encoder_of_the_arguments_is_required(preset: Preset) -> None:
    flags = zip(preset.arguments, preset.arguments[1:], strict=False)
    named = {value for flag, value in flags if flag in {"-c:v", "-c:a"}}

    assert named <= preset.encoders
    assert preset.encoders <= named | {"gif"}  # the muxer of gif chooses its only encoder


@presets
def test_every_target_has_a_limit_of_time(preset: Preset) -> None:
    assert 0 < preset.wall_seconds <= 12 * 3600
