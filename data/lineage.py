"""Where a data set's episodes come from: which recordings, and through which world models.

Axes: F rows of the whole data set, T rows of one episode, D channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from trimix.core.episode import Fingerprint, Provenance
from trimix.core.errors import DataError
from trimix.data import files
from trimix.data.contents import Contents
from trimix.data.fingerprint import fingerprint, is_fingerprint
from trimix.data.lerobot import layout

Models = Mapping[str, Sequence[Fingerprint]]
"""world model's hash -> fingerprints of the episodes that it learned from."""


class _Episode(Protocol):
    @property
    def provenance(self) -> Provenance: ...


class Traced(Protocol):
    """A data set of which it is known where its episodes come from."""

    @property
    def episodes(self) -> Sequence[_Episode]: ...
    @property
    def fingerprints(self) -> Sequence[Fingerprint]: ...
    @property
    def models(self) -> Models: ...


def recordings(data: Traced, split: str | None = None) -> Iterator[Fingerprint]:
    """Fingerprints of the episodes that are no dreams, of one split or of all."""
    for i, episode in enumerate(data.episodes):
        known = episode.provenance
        if known.origin != "dream" and split in (None, known.split):
            yield data.fingerprints[i]


_NOT_RECORDED = (*layout.COUNTERS, layout.REWARD, layout.SUCCESS, layout.DONE)
_ALWAYS = ("action", "actions", "state", "states")


def of_rows(rows: Mapping[str, np.ndarray]) -> Fingerprint:
    """The fingerprint of an episode with these columns, as it was recorded.

    Every vector is a stream, whatever the import makes of it: two imports that take other
    features as state and action are then still known to be of one episode.

    Args:
        rows: column -> (T,) or (T, D).
    """
    streams = [v for k, v in rows.items() if k not in _NOT_RECORDED and _is_stream(k, v)]
    seconds = rows.get("timestamp")
    return fingerprint(streams, None if seconds is None else seconds.reshape(len(seconds)))


def _is_stream(key: str, values: np.ndarray) -> bool:
    if values.dtype.kind not in "fiu":
        return False
    # A lone number a row is as likely a clock or a counter as a state.
    return values[0].size > 1 or layout.last_name(key) in _ALWAYS


def read_models(contents: Contents) -> dict[str, tuple[Fingerprint, ...]]:
    """What the world models of a data set's dreams learned from; empty if it has no dreams.

    Raises:
        DataError: the file is not the one that was written.
    """
    path = contents.checked(contents.root / layout.LINEAGE)
    if not path.is_file():
        return {}
    raw = files.read_json(path)
    models = raw.get("models") if isinstance(raw, dict) else None
    if not isinstance(models, dict) or not all(_are_fingerprints(m) for m in models.values()):
        raise DataError(
            "not the lineage of a data set", where=str(path), do="copy it again from its source"
        )
    return {name: tuple(tuple(f) for f in learned) for name, learned in models.items()}


def models_json(models: Models) -> dict[str, Any]:
    """The content of trimix/lineage.json."""
    return {"models": {name: [list(f) for f in models[name]] for name in sorted(models)}}


def _are_fingerprints(values: Any) -> bool:
    return isinstance(values, list) and all(is_fingerprint(v) for v in values)
