"""What a recording holds, read back with rerun's own reader."""

import io
import sys
from dataclasses import replace

import av
import numpy as np
import pytest
from filmed import INTERFACE, dataset, episode

from trimix.core.errors import DataError, MissingError, TrimixError
from trimix.evaluate import recording
from trimix.evaluate.recording import Shown, of_dataset, of_folder, write_recording

reader = pytest.importorskip("rerun.chunk").RrdReader


def _chunks(path):
    """entity path -> its chunks' columns, merged: name -> list."""
    (entry,) = reader(path).recordings()
    found = {}
    for chunk in reader(path).stream(store=entry).to_chunks():
        table = chunk.to_record_batch().to_pydict()
        found.setdefault(chunk.entity_path, {}).update(table)
    return found


def _column(columns, part):
    (name,) = (n for n in columns if n.endswith(part))
    return columns[name]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("recording")
    made = dataset(root / "set", [episode(i, 5 + i, success=True, trust=0.5) for i in range(3)])
    return write_recording(root / "out.rrd", "a set", of_dataset(made))


def test_every_channel_is_there_row_by_row(written):
    found = _chunks(written)
    for i in range(3):
        of = f"/episode_{i}"
        assert {f"{of}/{n}" for n in ("wrist", "front", "state", "action", "about")} <= set(found)
        made = episode(i, 5 + i, success=True, trust=0.5)
        for name in ("state", "action"):
            columns = found[f"{of}/{name}"]
            np.testing.assert_allclose(_column(columns, "Scalars:scalars"), getattr(made, name))
            assert columns["frame"] == list(range(5 + i))
        for name in ("reward", "success", "done", "trust"):
            values = np.asarray(_column(found[f"{of}/{name}"], "Scalars:scalars"))[:, 0]
            np.testing.assert_allclose(values, getattr(made, name))


def test_channels_have_their_names_and_units(written):
    found = _chunks(written)
    names = _column(found["/episode_0/state"], "SeriesLines:names")
    assert names == [["joint_0 (rad)", "joint_1 (rad)"]]
    assert _column(found["/episode_0/action"], "SeriesLines:names") == [
        ["velocity (rad/s)", "gripper"]
    ]


def test_the_timeline_is_the_episodes_own(written):
    seconds = _chunks(written)["/episode_2/state"]["time"]
    assert [s.total_seconds() for s in seconds] == pytest.approx([0.1 * t for t in range(7)])


def test_the_videos_are_what_the_viewer_can_seek_in(written):
    """H.264, no B-frames, half-resolution colours, and every picture in its place."""
    found = _chunks(written)["/episode_2/wrist"]
    blob = np.asarray(_column(found, "AssetVideo:blob")[0][0], np.uint8).tobytes()
    with av.open(io.BytesIO(blob)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        frames = list(container.decode(stream))
        assert stream.codec_context.has_b_frames == 0
        assert not {3} & {int(f.pict_type) for f in frames}  # AV_PICTURE_TYPE_B
        assert frames[0].height >= recording.LEAST_PX
        grey = [f.to_ndarray(format="rgb24").mean() for f in frames]
    np.testing.assert_allclose(grey, 40 + np.arange(7), atol=2)
    stamps = [row[0] for row in _column(found, "VideoFrameReference:timestamp")]
    assert stamps == [100_000_000 * t for t in range(7)]


def test_what_is_known_is_said(written):
    (text,) = _column(_chunks(written)["/episode_0/about"], "TextDocument:text")[0]
    assert "**instruction**: push" in text
    assert "**success**: True" in text


def test_names_that_repeat_do_not_share_a_branch(tmp_path):
    shown = [Shown("a/b c", episode(1)), Shown("a b c", episode(2)), Shown("***", episode(3))]
    found = _chunks(write_recording(tmp_path / "r.rrd", "t", shown))
    branches = {path.split("/")[1] for path in found if path.endswith("/state")}
    assert branches == {"a_b_c", "a_b_c_2", "episode"}


def test_an_episode_without_labels_or_state_is_shown(tmp_path):
    bare = replace(
        episode(1),
        state=np.zeros((6, 0), np.float32),
        interface=replace(INTERFACE, state=()),
        reward=None,
        success=None,
        done=None,
    )
    found = _chunks(write_recording(tmp_path / "r.rrd", "t", [Shown("e", bare)]))
    assert "/e/action" in found and "/e/wrist" in found
    assert not {"/e/state", "/e/reward", "/e/trust"} & set(found)


def test_only_some_episodes_are_shown_unless_asked(tmp_path):
    made = dataset(tmp_path / "set", [episode(i, 2) for i in range(recording.MOST_EPISODES + 2)])
    assert len(of_dataset(made)) == recording.MOST_EPISODES
    assert [one.name for one in of_dataset(made, [9, 0])] == ["episode 9", "episode 0"]
    with pytest.raises(DataError, match="episode 99 does not exist"):
        of_dataset(made, [99])


def test_of_a_folder_a_typical_episode_of_each_data_set_is_shown(tmp_path):
    dataset(tmp_path / "real", [episode(i, t) for i, t in enumerate((9, 3, 5))])
    dataset(tmp_path / "sources" / "sim", [episode(4, 4)])
    shown = of_folder(tmp_path)
    assert [one.name for one in shown] == ["real", "sources/sim"]
    assert [len(one.episode) for one in shown] == [5, 4]
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingError, match="neither a data set nor"):
        of_folder(tmp_path / "empty")


def test_a_failure_leaves_nothing_half_written(tmp_path):
    def shown():
        yield Shown("a", episode(1))
        raise DataError("the video is missing")

    with pytest.raises(DataError):
        write_recording(tmp_path / "r.rrd", "t", shown())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrimixError, match="in the way"):
        write_recording(tmp_path / "file" / "r.rrd", "t", [Shown("a", episode(1))])


def test_without_rerun_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(MissingError, match=r"pip install 'trimix\[view\]'"):
        write_recording(tmp_path / "r.rrd", "t", [Shown("a", episode(1))])
    assert list(tmp_path.iterdir()) == []
