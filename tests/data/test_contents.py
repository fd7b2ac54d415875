"""Changed files are noticed whoever reads them, and unchanged ones are read once."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trimix.core.errors import DataError
from trimix.data import digests, files
from trimix.data.cache import open_cache
from trimix.data.dataset import Dataset
from trimix.data.digests import Digests
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import LeRobotFolder


@pytest.fixture
def copy(ours: Path, tmp_path: Path) -> Path:
    shutil.copytree(ours, tmp_path / "set")
    return tmp_path / "set"


def settle(root: Path) -> None:
    """Let the files be old enough to be remembered."""
    newest = max(p.stat().st_ctime_ns for p in root.rglob("*"))
    time.sleep(max(0.0, 0.15 - (time.time_ns() - newest) / 1e9))


def zero_half(path: Path) -> None:
    """As a disk that loses blocks: same name, same size, same times."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        file.write(b"\0" * (before.st_size - before.st_size // 2))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


READERS: dict[str, tuple[str, Callable[[Dataset], Any]]] = {
    "rows": ("data/*/*.parquet", lambda d: d.state()),
    "rows of an episode": ("data/*/*.parquet", lambda d: d.source.read_rows(d.source.episodes[0])),
    "an episode's frames": ("videos/*/*/*.mp4", lambda d: d.read_episode(0)),
    "every frame": ("videos/*/*/*.mp4", lambda d: list(d.iter_frames("wrist"))),
    "the frame cache": ("videos/*/*/*.mp4", lambda d: open_cache(d, ["wrist"])),
    "trust": (layout.ROWS, lambda d: d.trust()),
    "simulator state": (layout.ROWS, lambda d: d.sim_state(0)),
    "statistics": (layout.STATS, lambda d: d.stats()),
    "the hash": ("data/*/*.parquet", lambda d: d.content_hash),
    "metadata": ("meta/episodes/*/*.parquet", lambda d: Dataset.open(d.root)),
    "info.json": (layout.INFO, lambda d: Dataset.open(d.root)),
    "the interface": (layout.INTERFACE, lambda d: Dataset.open(d.root)),
    "an import": ("data/*/*.parquet", lambda d: import_dataset(ImportConfig(str(d.root), "x"))),
}


@pytest.mark.parametrize("what", READERS)
def test_a_changed_file_is_refused_whoever_reads_it(copy: Path, what: str) -> None:
    pattern, read = READERS[what]
    settle(copy)
    _ = Dataset.open(copy).content_hash  # remembered as it was
    dataset = Dataset.open(copy)
    path = sorted(p for p in copy.glob(pattern) if "front" not in str(p))[0]
    zero_half(path)
    with pytest.raises(DataError, match=f"{path.name}: the file is not the one that was written"):
        read(dataset)


def test_the_hash_is_of_what_the_files_hold(copy: Path) -> None:
    before = Dataset.open(copy).content_hash
    path = sorted(copy.glob("data/*/*.parquet"))[0]
    zero_half(path)
    (copy / layout.MANIFEST).unlink()
    assert Dataset.open(copy).content_hash != before


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (layout.ROWS, lambda root: Dataset.open(root).content_hash),
        (layout.ROWS, lambda root: Dataset.open(root).trust()),
        (layout.INTERFACE, Dataset.open),
    ],
)
def test_a_file_of_the_manifest_that_is_gone_is_noticed(
    copy: Path, name: str, read: Callable[[Path], Any]
) -> None:
    """Also one that a data set may lack: without trust every row would count as certain."""
    (copy / name).unlink()
    with pytest.raises(DataError, match=rf"{Path(name).name}: the file is missing"):
        read(copy)


def test_a_broken_file_of_tensors_is_one_clean_line(copy: Path) -> None:
    (copy / layout.MANIFEST).unlink()
    (copy / layout.ROWS).write_bytes(b"xx")
    with pytest.raises(DataError, match=r"rows\.safetensors: the file cannot be read"):
        Dataset.open(copy).trust()


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose bytes are read for a digest."""
    seen: list[str] = []
    original = files.digest

    def counted(path: Path, *rest: int) -> str:
        seen.append(path.name)
        return original(path, *rest)

    monkeypatch.setattr(files, "digest", counted)
    return seen


def test_a_file_is_read_once_for_as_long_as_it_stays(
    foreign: Any, copy: Path, read_files: list[str]
) -> None:
    foreign.write()
    settle(copy)
    settle(foreign.root)

    def look() -> list[str]:
        del read_files[:]
        _ = Dataset.open(copy).content_hash
        LeRobotFolder.open(foreign.root).contents.hash()
        return sorted(read_files)

    assert len(look()) > 10
    assert look() == []
    video = sorted(copy.glob("videos/*/*/*.mp4"))[0]
    os.utime(video)
    settle(copy)
    assert look() == [video.name], "touched: read again, found unchanged"
    assert look() == []


def test_a_file_that_changed_just_now_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the clock a second change leaves size and times as they were."""
    path, tick = tmp_path / "file", time.time_ns()
    monkeypatch.setattr(digests, "stamp_of", lambda _: (1, 3, tick, tick))
    monkeypatch.setattr(digests.time, "time_ns", lambda: tick + 20_000_000)
    for content in (b"one", b"two", b"six"):
        path.write_bytes(content)
        assert Digests(tmp_path, tmp_path).of(path) == files.digest(path)


def test_a_memory_that_cannot_be_kept_costs_time_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    settle(tmp_path)
    (tmp_path / "blocked").write_text("a file where the folder should be")
    assert Digests(tmp_path, tmp_path / "blocked").of(path) == files.digest(path)
    memory = tmp_path / "cache"
    Digests(tmp_path, memory).of(path)
    (kept,) = (memory / "digests").iterdir()
    (line,) = kept.read_text().splitlines()
    kept.write_text(line[:-9] + "\nnonsense\n3\n[[], 1, 2, 3, 4, 5]\n\xff[]\n" + line[:20])
    assert Digests(tmp_path, memory).of(path) == files.digest(path)


def test_the_memory_does_not_grow_for_ever(tmp_path: Path) -> None:
    path, memory = tmp_path / "file", tmp_path / "cache"
    path.write_bytes(b"x")
    settle(tmp_path)
    found = Digests(tmp_path, memory).of(path)
    (kept,) = (memory / "digests").iterdir()
    kept.write_text(kept.read_text() * 1000)
    assert Digests(tmp_path, memory).of(path) == found
    assert len(kept.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:-1],
        lambda raw: b"",
        lambda raw: raw[:500] + bytes([raw[500] ^ 1]) + raw[501:],
        lambda raw: raw[:-3] + b"abc",
    ],
)
def test_a_harmed_frame_cache_is_built_anew(
    ours: Path, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    dataset = Dataset.open(ours)
    first = np.array(open_cache(dataset, ["wrist"], cache_dir=tmp_path).images["wrist"])
    settle(tmp_path)
    open_cache(dataset, ["wrist"], cache_dir=tmp_path)
    (path,) = tmp_path.glob("*.npy")
    whole = path.read_bytes()
    path.write_bytes(harm(whole))
    again = open_cache(dataset, ["wrist"], cache_dir=tmp_path).images["wrist"]
    np.testing.assert_array_equal(again, first)
    assert path.read_bytes() == whole


def replace_by(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.symlink_to(path.parent / "nowhere")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["device", "pipe", "loop", "nowhere"])
@pytest.mark.parametrize("which", ["parquet", "video", "meta/info.json", "meta/tasks.jsonl"])
def test_what_is_no_file_is_refused_at_once(
    foreign: Any, tmp_path: Path, kind: str, which: str
) -> None:
    foreign.write()
    named = {"parquet": foreign.parquet(1), "video": foreign.video(1)}
    path = named.get(which, foreign.root / which)
    replace_by(path, kind)
    said = {
        "device": "no regular file",
        "pipe": "no regular file",
        "loop": "a link to itself",
        "nowhere": "a link that leads nowhere",
    }
    with pytest.raises(DataError, match=said[kind]) as fault:
        import_dataset(ImportConfig(str(foreign.root), str(tmp_path / "out")))
    assert path.name in str(fault.value) and "\n" not in str(fault.value)


def test_a_folder_that_contains_itself_is_one_clean_line(foreign: Any, tmp_path: Path) -> None:
    foreign.write()
    (foreign.root / "data" / "again").symlink_to(foreign.root / "data")
    with pytest.raises(DataError, match="again: the linked folder contains itself"):
        import_dataset(ImportConfig(str(foreign.root), str(tmp_path / "out")))


def test_a_manifest_may_be_deleted_if_a_change_was_meant(copy: Path) -> None:
    text = (copy / layout.INTERFACE).read_text()
    changed = json.loads(text) | {"robot_type": "another"}
    (copy / layout.INTERFACE).write_text(json.dumps(changed))
    with pytest.raises(DataError, match=r"delete .*manifest\.json if the change was meant"):
        Dataset.open(copy)
    (copy / layout.MANIFEST).unlink()
    Dataset.open(copy)
