"""One file that holds everything a training run needs to go on.

Tensors are stored as safetensors, scalars as JSON in the same file's header, and the file is
renamed into place, so that a checkpoint is either whole or not there. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialize

from trimix.core.contracts import Json
from trimix.core.errors import DataError, TrimixError
from trimix.data.files import sync_folder, write_bytes

FORMAT = 1
NAME = "checkpoint.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """tensors: name -> tensor on the CPU; scalars: plain JSON."""

    tensors: Mapping[str, torch.Tensor]
    scalars: Mapping[str, Json]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint; a crash at any moment leaves the old file or the new one.

    Raises:
        TrimixError: the file cannot be written (a full disk, a missing permission).
    """
    # Clones, because safetensors refuses tensors that share memory.
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in checkpoint.tensors.items()
    }
    header = {"trimix": json.dumps({"format": FORMAT, "scalars": dict(checkpoint.scalars)})}
    partial = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(partial, serialize(tensors, metadata=header))
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise TrimixError(
            f"the checkpoint cannot be written ({error})",
            where=str(path),
            do="free disk space or choose another directory, then run the same command again",
        ) from error


def load(path: Path) -> Checkpoint | None:
    """The checkpoint at this path, on the CPU; None if there is none.

    Raises:
        DataError: the file is not a checkpoint of this format.
    """
    if not path.exists():
        return None
    advice = "delete it to train from the beginning"
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = json.loads((file.metadata() or {}).get("trimix", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise DataError(
            f"the checkpoint cannot be read ({error})", where=str(path), do=advice
        ) from error
    if header.get("format") != FORMAT:
        raise DataError(
            f"checkpoint format {header.get('format')!r} is not {FORMAT}",
            where=str(path),
            do=advice,
        )
    return Checkpoint(tensors, header["scalars"])
