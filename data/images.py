"""Still images: decoding them from parquet cells and resizing.

Axes: T frames, H x W pixels (origin top left), RGB uint8.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from trimix.core.contracts import U8
from trimix.core.errors import DataError
from trimix.data.contents import is_kept

Aspect = Literal["stretch", "crop"]


def decode_all(cells: Sequence[Mapping[str, Any] | None], root: Path, where: str) -> U8:
    """(T, H, W, 3) uint8 of cells {"bytes": PNG or None, "path": relative path or None}.

    Raises:
        DataError: an image is missing, broken or of another size; the error names the row.
    """
    decoded: list[U8] = []
    for row, cell in enumerate(cells):
        place = f"{where} row {row}"
        content = (cell or {}).get("bytes")
        path = (cell or {}).get("path")
        if content is None and path and not is_kept(path):
            raise DataError(f"the image {path!r} lies outside of the data set", where=place)
        if content is None and path and (root / path).is_file():
            content = (root / path).read_bytes()
        if content is None:
            raise DataError("the image is missing", where=place)
        try:
            with Image.open(io.BytesIO(content)) as image:
                pixels = np.asarray(image.convert("RGB"))
        except (UnidentifiedImageError, OSError) as fault:
            raise DataError(f"the image cannot be decoded ({fault})", where=place) from None
        if decoded and pixels.shape != decoded[0].shape:
            raise DataError(
                f"the image is {_size(pixels)}, those before are {_size(decoded[0])}", where=place
            )
        decoded.append(pixels)
    return np.stack(decoded)


def resize(images: U8, image_hw: tuple[int, int], aspect: Aspect = "stretch") -> U8:
    """Resize (T, H, W, 3) uint8 to (T, h, w, 3).

    Shrinking averages the area under each pixel, so that nothing aliases; enlarging interpolates
    linearly.

    Args:
        aspect: "stretch" maps the whole image; "crop" keeps shapes and cuts the longer side off.
    """
    height, width = images.shape[1:3]
    if (height, width) == image_hw:
        return images
    h, w = image_hw
    box = (0.0, 0.0, float(width), float(height))
    if aspect == "crop":
        scale = min(height / h, width / w)
        cut_w, cut_h = w * scale, h * scale
        left, top = (width - cut_w) / 2, (height - cut_h) / 2
        box = (left, top, left + cut_w, top + cut_h)
    shrinks = h <= box[3] - box[1] and w <= box[2] - box[0]
    how = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    out = np.empty((len(images), h, w, 3), np.uint8)
    for t, image in enumerate(images):
        out[t] = np.asarray(Image.fromarray(image).resize((w, h), how, box=box))
    return out


def _size(pixels: U8) -> str:
    return f"{pixels.shape[0]}x{pixels.shape[1]}"
