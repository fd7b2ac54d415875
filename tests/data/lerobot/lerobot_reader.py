"""Reads a data set with the stock LeRobot reader and saves what it saw; run by LeRobot's Python.

usage: python lerobot_reader.py <data set> <out.npz>
"""

import sys

import lerobot
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset


def main(root: str, out: str) -> None:
    dataset = LeRobotDataset("local/set", root=root, video_backend="pyav")
    items = [dataset[i] for i in range(len(dataset))]
    keys = [k for k in items[0] if k not in ("task",)]
    arrays = {k: np.stack([np.asarray(item[k]) for item in items]) for k in keys}
    arrays["task"] = np.array([item["task"] for item in items])
    stats = dataset.meta.stats
    missing = [k for k in dataset.meta.features if k not in stats]
    arrays["missing_stats"] = np.array(missing, dtype=str)
    for key, entry in stats.items():
        for name, value in entry.items():
            arrays[f"stats/{key}/{name}"] = np.asarray(value)
    arrays["columns"] = np.array(dataset.meta.episodes.column_names)
    arrays["version"] = np.array(lerobot.__version__)
    np.savez(out, **arrays)
    print(lerobot.__version__, len(dataset), dataset.num_episodes)


if __name__ == "__main__":
    main(*sys.argv[1:])
