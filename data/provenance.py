"""An episode's provenance as extra columns of meta/episodes, where stock LeRobot keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from trimix.core.contracts import ORIGINS, Parent
from trimix.core.episode import Fingerprint, Provenance
from trimix.core.errors import DataError
from trimix.data.fingerprint import is_fingerprint

COLUMNS: dict[str, pa.DataType] = {
    "trimix/origin": pa.string(),
    "trimix/task": pa.string(),
    "trimix/seed": pa.int64(),
    "trimix/episode": pa.int64(),
    "trimix/draw": pa.string(),
    "trimix/goal": pa.string(),
    "trimix/robot": pa.string(),
    "trimix/policy": pa.string(),
    "trimix/world": pa.string(),
    "trimix/model_hash": pa.string(),
    "trimix/versions": pa.string(),
    "trimix/parent": pa.string(),
    "trimix/split": pa.string(),
    "trimix/success": pa.bool_(),
    "trimix/abstained": pa.bool_(),
    "trimix/fingerprint": pa.string(),
    "trimix/models": pa.string(),
}
SOURCE_INDEX = "trimix/source_index"


def to_columns(provenance: Provenance) -> dict[str, Any]:
    """Column -> value; what is not a plain value as JSON, "" for no parent."""
    parent = provenance.parent
    return {
        "trimix/origin": provenance.origin,
        "trimix/task": provenance.task,
        "trimix/seed": provenance.seed,
        "trimix/episode": provenance.episode,
        "trimix/draw": _dump(provenance.draw),
        "trimix/goal": _dump(provenance.goal),
        "trimix/robot": provenance.robot,
        "trimix/policy": provenance.policy,
        "trimix/world": provenance.world,
        "trimix/model_hash": provenance.model_hash,
        "trimix/versions": _dump(provenance.versions),
        "trimix/parent": "" if parent is None else _dump(asdict(parent)),
        "trimix/split": provenance.split,
        "trimix/success": provenance.success,
        "trimix/abstained": provenance.abstained,
        "trimix/fingerprint": json.dumps(provenance.fingerprint),
        "trimix/models": json.dumps(provenance.models),
    }


def recorded(row: Mapping[str, Any]) -> bool:
    """Whether a row of meta/episodes carries a provenance, or what is left of one."""
    return any(name.startswith("trimix/") for name in row)


def from_columns(row: Mapping[str, Any], where: str = "") -> Provenance:
    """The inverse of to_columns; a data set that trimix did not write counts as real.

    Raises:
        DataError: some of the columns are missing or are not what trimix writes.
    """
    if not recorded(row):
        return Provenance(origin="real", episode=int(row["episode_index"]))
    try:
        parent = row["trimix/parent"]
        if row["trimix/origin"] not in ORIGINS or not row["trimix/split"]:
            raise ValueError(f"origin {row['trimix/origin']!r}, split {row['trimix/split']!r}")
        return Provenance(
            origin=row["trimix/origin"],
            task=row["trimix/task"],
            seed=row["trimix/seed"],
            episode=row["trimix/episode"],
            draw=json.loads(row["trimix/draw"]),
            goal=json.loads(row.get("trimix/goal") or "{}"),
            robot=row.get("trimix/robot") or "",
            policy=row["trimix/policy"],
            world=row["trimix/world"],
            model_hash=row["trimix/model_hash"],
            versions=json.loads(row["trimix/versions"]),
            parent=Parent(**json.loads(parent)) if parent else None,
            split=row["trimix/split"],
            success=row["trimix/success"],
            abstained=row["trimix/abstained"],
            fingerprint=_fingerprint(row),
            models=tuple(map(str, json.loads(row.get("trimix/models") or "[]"))),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise DataError(
            f"the trimix/ columns of meta/episodes are broken ({fault!r})",
            where=f"{where} episode {row['episode_index']}".strip(),
            do="copy the data set again from its source",
        ) from None


def _fingerprint(row: Mapping[str, Any]) -> Fingerprint:
    """Empty in a data set that was written before there were fingerprints."""
    texts = json.loads(row.get("trimix/fingerprint") or "[]")
    if not is_fingerprint(texts):
        raise ValueError("trimix/fingerprint is not a list of hexadecimal texts")
    return tuple(texts)


def _dump(value: Any) -> str:
    return json.dumps(dict(value), sort_keys=True, allow_nan=False)
