"""The media store takes no name that leads outside, and deletes nothing but its own."""

import os
from pathlib import Path
from uuid import UUID

import pytest

from jobs.storage import (
    NotEnoughSpace,
    OutsideStore,
    SourceNotFound,
    StorageError,
    check_name,
    delete_output,
    output_path,
    outputs,
    remove_leftovers,
    require_free_space,
    resolve_source,
    source_exists,
)

JOB = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


@pytest.fixture
def sources(media_root: Path) -> Path:
    return media_root / "sources"


@pytest.mark.parametrize(
    "name",
    [
        "video.mp4",
        "folder/video.mp4",
        "-y.mp4",
        "concat:x",
        "a b%d.mp4",
        "über 日本.mp4",
        "..mp4",
        "...",
    ],
)
def test_a_file_in_the_store_is_found(name: str, sources: Path) -> None:
    (sources / "folder").mkdir()
    (sources / name).write_bytes(b"x")

    assert resolve_source(name) == (sources / name).resolve()
    assert source_exists(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "/",
        "/etc/passwd",
        "//etc/passwd",
        "..",
        "../video.mp4",
        "folder/../../video.mp4",
        "folder/..",
        "nul\0.mp4",
        "lone\udcff.mp4",
        "a" * 256,
    ],
)
def test_a_name_that_is_none_of_the_stores(name: str, sources: Path) -> None:
    (sources.parent / "video.mp4").write_bytes(b"x")

    for check in (check_name, resolve_source):
        with pytest.raises(OutsideStore):
            check(name)
    assert not source_exists(name)


@pytest.mark.parametrize(
    "name", ["absent.mp4", "video.mp4/x", "folder", "pipe", "dangling", "loop", "日" * 255]
)
def test_what_is_not_a_file(name: str, sources: Path) -> None:
    (sources / "video.mp4").write_bytes(b"x")
    (sources / "folder").mkdir()
    os.mkfifo(sources / "pipe")
    (sources / "dangling").symlink_to(sources / "absent")
    (sources / "loop").symlink_to(sources / "loop")

    with pytest.raises(SourceNotFound, match=name[:10]):
        resolve_source(name)
    assert not source_exists(name)


def test_links_may_stay_inside_and_may_not_leave(sources: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"x")
    (sources / "video.mp4").write_bytes(b"x")
    (sources / "inside").symlink_to("video.mp4")
    (sources / "outside").symlink_to(secret)
    (sources / "folder").symlink_to(tmp_path)

    assert resolve_source("inside") == (sources / "video.mp4").resolve()
    for name in ("outside", "folder/secret.mp4"):
        with pytest.raises(OutsideStore, match="leaves the media store"):
            resolve_source(name)


def test_the_store_itself_may_be_a_link(sources: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    sources.rename(elsewhere)
    sources.symlink_to(elsewhere)
    (elsewhere / "video.mp4").write_bytes(b"x")

    assert resolve_source("video.mp4") == elsewhere / "video.mp4"


def test_each_lease_has_an_output_of_its_own(media_root: Path) -> None:
    first, second = output_path(JOB, 7, "mp4"), output_path(JOB, 8, "mp4")

    assert first == media_root / "outputs" / str(JOB) / "7.mp4"
    assert second.name == "8.mp4"
    assert first.parent.is_dir()
    assert outputs(JOB) == []


def test_what_other_leases_left_is_removed(media_root: Path) -> None:
    kept = output_path(JOB, 7, "mp4")
    left = [kept.with_name(name) for name in ("6.mp4", "70.mp4", "77.mp4.part")]
    for path in (kept, *left):
        path.write_bytes(b"x")

    assert sorted(remove_leftovers(JOB, 7)) == sorted(left)
    assert outputs(JOB) == [kept]
    assert remove_leftovers(JOB, 7) == []


@pytest.mark.usefixtures("media_root")
def test_nothing_was_ever_made() -> None:
    assert outputs(JOB) == []
    assert remove_leftovers(JOB, 7) == []


def test_the_last_output_takes_its_folder_along(media_root: Path) -> None:
    first, second = output_path(JOB, 7, "mp4"), output_path(JOB, 8, "mp4")
    first.write_bytes(b"x")
    second.write_bytes(b"x")

    delete_output(first)
    assert outputs(JOB) == [second]
    delete_output(second)
    delete_output(second)
    assert list((media_root / "outputs").iterdir()) == []


def test_only_outputs_are_deleted(sources: Path) -> None:
    video = sources / "video.mp4"
    video.write_bytes(b"x")

    for path in (video, sources.parent / "outputs" / ".." / "sources" / "video.mp4"):
        with pytest.raises(OutsideStore):
            delete_output(path)
    assert video.exists()


@pytest.mark.usefixtures("media_root")
def test_space_is_asked_for_in_advance() -> None:
    require_free_space(1)

    with pytest.raises(NotEnoughSpace, match=r"MiB free, and 1099511627776 MiB are needed"):
        require_free_space(2**60)


def test_one_kind_of_error_covers_all() -> None:
    assert all(
        issubclass(error, StorageError) for error in (OutsideStore, SourceNotFound, NotEnoughSpace)
    )
