"""Sources whose files lie in folders of their own naming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trimix.core.errors import DataError
from trimix.data.importing.importer import ImportConfig, import_dataset
from trimix.data.lerobot import layout
from trimix.data.lerobot.folder import LeRobotFolder


@pytest.mark.parametrize("folder", ["clips", "videos/old", ""])
def test_files_in_any_folder_are_part_of_what_a_source_is(
    foreign: Any, tmp_path: Path, folder: str
) -> None:
    foreign.write()
    name = "{episode_index:06d}-{video_key}.mp4"
    info = json.loads((foreign.root / layout.INFO).read_text())
    for index in foreign.lengths:
        for key in foreign.cameras:
            to = foreign.root / folder / name.format(episode_index=index, video_key=key)
            to.parent.mkdir(exist_ok=True)
            foreign.video(index, key).rename(to)
    info["video_path"] = f"{folder}/{name}".lstrip("/")
    (foreign.root / layout.INFO).write_text(json.dumps(info))
    before = LeRobotFolder.open(foreign.root).contents.hash()
    config = ImportConfig(path=str(foreign.root), out=str(tmp_path / "out"))
    assert import_dataset(config).n_frames
    to.write_bytes(to.read_bytes() + b"\0")
    assert LeRobotFolder.open(foreign.root).contents.hash() != before


@pytest.mark.parametrize("name", ["video_path", "data_path"])
@pytest.mark.parametrize("template", ["../{episode_index}.mp4", "/etc/{episode_index}.mp4"])
def test_a_template_that_leads_out_of_the_data_set_is_refused(
    foreign: Any, tmp_path: Path, name: str, template: str
) -> None:
    foreign.write()
    info = json.loads((foreign.root / layout.INFO).read_text())
    (foreign.root / layout.INFO).write_text(json.dumps({**info, name: template}))
    config = ImportConfig(path=str(foreign.root), out=str(tmp_path / "out"))
    with pytest.raises(DataError, match="leads out of the data set"):
        import_dataset(config)
    assert not (tmp_path / "out").exists()
