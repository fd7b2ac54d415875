"""Windows never cross episodes, pads are masked, and the cache holds the frames they name."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimix.core.errors import ConfigError, DataError, InterfaceError
from trimix.data import cache as caching
from trimix.data.cache import FrameCache, default_cache_dir, open_cache
from trimix.data.dataset import Dataset, EpisodeRow
from trimix.data.windows import Spans, Windows, WindowSpec


@pytest.fixture(scope="module")
def dataset(ours: Path) -> Dataset:
    return Dataset.open(ours)


@pytest.fixture(scope="module")
def cache(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    return open_cache(dataset, cache_dir=tmp_path_factory.mktemp("cache"))


@settings(max_examples=40)
@given(
    history=st.integers(1, 5),
    chunk=st.integers(1, 12),
    episodes=st.none() | st.lists(st.integers(0, 5), min_size=1),
)
def test_every_window_is_its_frames_neighbourhood(
    dataset: Dataset, cache: FrameCache, history: int, chunk: int, episodes: list[int] | None
) -> None:
    windows = Windows(dataset, cache, WindowSpec(history, chunk), episodes)
    rows = [dataset.episodes[e] for e in (range(6) if episodes is None else sorted(set(episodes)))]
    assert len(windows) == sum(r.length for r in rows)
    batch = windows.gather(np.arange(len(windows)))
    expected = [(r.index, t) for r in rows for t in range(r.length)]
    assert list(zip(batch.episode.tolist(), batch.frame.tolist(), strict=True)) == expected
    state, action, trust = dataset.state(), dataset.action(), dataset.trust()
    for b, (e, t) in enumerate(expected):
        row = dataset.episodes[e]
        for h in range(history):
            wanted = t - (history - 1) + h
            source = row.start + max(wanted, 0)
            np.testing.assert_array_equal(batch.state[b, h], state[source])
            np.testing.assert_array_equal(
                batch.images["wrist"][b, h], cache.images["wrist"][source]
            )
            assert batch.history_valid[b, h] == (wanted >= 0)
        for c in range(chunk):
            source = row.start + min(t + c, row.length - 1)
            np.testing.assert_array_equal(batch.action[b, c], action[source])
            assert batch.action_valid[b, c] == (t + c < row.length)
        assert batch.instruction[b] == row.tasks[0]
        assert batch.trust[b] == trust[row.start + t]
    assert batch.state.dtype == batch.action.dtype == batch.trust.dtype == np.float32
    assert batch.images["wrist"].dtype == np.uint8


def test_a_windows_own_frame_is_always_valid(dataset: Dataset, cache: FrameCache) -> None:
    batch = Windows(dataset, cache, WindowSpec()).gather(np.arange(dataset.n_frames))
    assert batch.history_valid[:, -1].all() and batch.action_valid[:, 0].all()


@settings(max_examples=30)
@given(data=st.data())
def test_spans_give_their_frames_windows(
    dataset: Dataset, cache: FrameCache, data: st.DataObject
) -> None:
    """Of any stretches of episodes: the windows that whole episodes have at these frames."""
    episode, first, count = [], [], []
    for row in dataset.episodes:
        at = 0
        while at < row.length and data.draw(st.booleans()):
            begin = data.draw(st.integers(at, row.length - 1))
            size = data.draw(st.integers(1, row.length - begin))
            episode.append(row.index)
            first.append(begin)
            count.append(size)
            at = begin + size + 1
    spans = Spans(*(np.array(p, np.int64) for p in (episode, first, count)))
    windows, whole = (Windows(dataset, cache, WindowSpec(), c) for c in (spans, None))
    assert len(windows) == len(spans) == sum(count)
    start = [row.start for row in dataset.episodes]
    rows = [
        start[e] + f for e, a, n in zip(episode, first, count, strict=True) for f in range(a, a + n)
    ]
    found, expected = windows.gather(np.arange(len(windows))), whole.gather(np.array(rows, int))
    for name in ("state", "action", "action_valid", "history_valid", "episode", "frame", "trust"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.instruction == expected.instruction


def test_an_index_of_a_million_windows_takes_a_few_kilobytes() -> None:
    """What it holds beside the data set's own rows, while it is made and after."""

    class Long:
        """Ten episodes of 100,000 rows."""

        episodes = tuple(EpisodeRow(i, 100_000, 100_000 * i, ("go",), None) for i in range(10))
        n_frames = 1_000_000
        rows, tasks = np.zeros((n_frames, 2), np.float32), np.zeros(n_frames, np.int64)
        source = SimpleNamespace(tasks={0: "go"})
        trust = Dataset.trust

        def state(self) -> np.ndarray:
            return self.rows

        action = state

        def column(self, name: str) -> np.ndarray:
            return self.tasks

        def _tensor(self, name: str) -> None:
            return None

    dataset = Long()
    tracemalloc.start()
    windows = Windows(dataset, FrameCache({}), WindowSpec())
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windows) == 1_000_000
    assert held < 20_000
    assert peak < 3 * 2**20, "no more than a part of the rows is looked at together"


def test_unknown_episodes_and_empty_windows_are_refused(
    dataset: Dataset, cache: FrameCache
) -> None:
    with pytest.raises(ConfigError, match=r"episode 6 does not exist.*episodes 0 to 5 do"):
        Windows(dataset, cache, WindowSpec(), [0, 6])
    with pytest.raises(ConfigError, match="is empty"):
        WindowSpec(history=0)


def test_the_cache_is_the_decoded_video(dataset: Dataset, cache: FrameCache) -> None:
    for row in dataset.episodes:
        episode = dataset.read_episode(row.index)
        for camera, images in episode.images.items():
            rows = slice(row.start, row.start + row.length)
            np.testing.assert_array_equal(cache.images[camera][rows], images)


@pytest.mark.parametrize("what", ["images.py", "video.py", "av", "pillow"])
def test_what_decodes_is_part_of_a_cache_s_name(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    open_cache(dataset, ["wrist"], cache_dir=tmp_path)
    read, version = Path.read_bytes, caching.version
    edited = lambda path: read(path) + b"#" * (path.name == what)  # noqa: E731
    monkeypatch.setattr(Path, "read_bytes", edited)
    monkeypatch.setattr(caching, "version", lambda name: "99" if name == what else version(name))
    caching._decoder.cache_clear()
    open_cache(dataset, ["wrist"], cache_dir=tmp_path)
    caching._decoder.cache_clear()
    assert len({*tmp_path.glob("*.npy")}) == 2


def test_the_cache_is_built_once_and_follows_content_and_size(
    dataset: Dataset, tmp_path: Path
) -> None:
    seen: list[int] = []
    open_cache(dataset, ["wrist"], cache_dir=tmp_path, progress=lambda d, n: seen.append(d))
    assert seen[-1] == dataset.n_frames
    again: list[int] = []
    open_cache(dataset, ["wrist"], cache_dir=tmp_path, progress=lambda d, n: again.append(d))
    assert again == []
    small = open_cache(dataset, ["wrist"], (8, 12), tmp_path).images["wrist"]
    assert small.shape == (dataset.n_frames, 8, 12, 3)
    full = open_cache(dataset, ["wrist"], None, tmp_path).images["wrist"].astype(float)
    mean = full.reshape(-1, 8, 2, 12, 2, 3).mean(axis=(2, 4))
    assert np.abs(small - mean).max() <= 1, "shrinking averages areas"
    assert not list(tmp_path.glob("*.tmp"))
    with pytest.raises(InterfaceError, match=r"'top'.*available: wrist, front"):
        open_cache(dataset, ["top"], cache_dir=tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        small[0] = 0


def test_a_cache_that_cannot_be_built_leaves_nothing(ours: Path, tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "set"
    shutil.copytree(ours, root)
    path = sorted(root.glob("videos/observation.images.front/*/*.mp4"))[-1]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"file-\d+\.mp4"):
        open_cache(Dataset.open(root), cache_dir=tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*front*"))
    assert not list((tmp_path / "cache").glob("*.tmp"))


def test_two_processes_may_build_at_once(dataset: Dataset, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(open_cache, dataset, cache_dir=tmp_path / "cache") for _ in range(4)]
        sums = {int(job.result().images["wrist"].sum(dtype=np.int64)) for job in jobs}
    assert len(sums) == 1
    found = {p.name for p in (tmp_path / "cache").iterdir()} - {"digests"}
    assert len(found) == 2 and all(n.endswith(".npy") for n in found), "no leftovers"


def test_a_mapped_cache_travels_by_name(dataset: Dataset, tmp_path: Path) -> None:
    cache = open_cache(dataset, cache_dir=tmp_path)
    content = pickle.dumps(Windows(dataset, cache, WindowSpec()))
    frames = pickle.loads(content)  # noqa: S301  (our own bytes)
    assert len(content) < sum(m.nbytes for m in cache.images.values())
    np.testing.assert_array_equal(frames.cache.images["front"], cache.images["front"])


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIMIX_CACHE", str(tmp_path / "a"))
    assert default_cache_dir() == tmp_path / "a"
    monkeypatch.delenv("TRIMIX_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert default_cache_dir() == tmp_path / "b" / "trimix"
