"""Periodic noise: what tiles without a seam.

Axes: S x S pixels of one tile, float64; x is the column, y the row.
"""

from __future__ import annotations

import numpy as np

from trimix.core.contracts import F64


def grid(size: int) -> tuple[F64, F64]:
    """x, y (S, S) of the pixels' middles, in [0, 1)."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    return x, y


def value(rng: np.random.Generator, size: int, cells_x: int, cells_y: int) -> F64:
    """(S, S) smooth noise in [0, 1]: random values of a grid of cells, blended."""
    knots = rng.random((cells_y, cells_x))
    for axis, cells in ((0, cells_y), (1, cells_x)):
        at = np.arange(size) / size * cells
        low = np.floor(at).astype(int)
        t = at - low
        t = t * t * (3 - 2 * t)
        shape = (-1, 1) if axis == 0 else (1, -1)
        after = np.take(knots, (low + 1) % cells, axis)
        knots = np.take(knots, low, axis) * (1 - t).reshape(shape) + after * t.reshape(shape)
    return knots


def fractal(
    rng: np.random.Generator, size: int, cells_x: int, cells_y: int, octaves: int = 4
) -> F64:
    """(S, S) value noise summed over octaves, each half as strong; stretched to [0, 1]."""
    total = np.zeros((size, size))
    for k in range(octaves):
        cells = [min(c * 2**k, size) for c in (cells_x, cells_y)]
        total += value(rng, size, *cells) / 2**k
    return stretched(total)


def cells(
    rng: np.random.Generator, size: int, count: int, *, aspect: float = 1.0
) -> tuple[F64, F64, F64]:
    """Random cells (Worley, SIGGRAPH 1996): what lies nearest to each of `count` points.

    Args:
        aspect: how much longer cells are along x.

    Returns:
        distance (S, S) to the nearest point and to the second, in tiles; a random number in
        [0, 1) a cell.
    """
    from scipy.spatial import cKDTree  # slow to import, and only some textures need it

    x, y = grid(size)
    points, label = rng.random((count, 2)), rng.random(count)
    stretch = np.array([1 / aspect, 1.0])
    tree = cKDTree(points * stretch, boxsize=stretch)
    apart, nearest = tree.query(np.stack([x, y], -1) * stretch, k=2)
    return apart[..., 0], apart[..., 1], label[nearest[..., 0]]


def warped(image: F64, dx: F64, dy: F64) -> F64:
    """The image (S, S) read from dx, dy (S, S) tiles further on, bilinearly."""
    size = len(image)
    row, column = np.mgrid[0:size, 0:size]
    at_x, at_y = column + dx * size, row + dy * size
    x0, y0 = np.floor(at_x).astype(int), np.floor(at_y).astype(int)
    u, v = at_x - x0, at_y - y0
    upper = image[y0 % size, x0 % size] * (1 - u) + image[y0 % size, (x0 + 1) % size] * u
    lower = (
        image[(y0 + 1) % size, x0 % size] * (1 - u) + image[(y0 + 1) % size, (x0 + 1) % size] * u
    )
    return np.asarray(upper * (1 - v) + lower * v)


def smear(image: F64, length: int, axis: int) -> F64:
    """Averaged over `length` pixels along an axis, round the seam."""
    total = np.zeros_like(image)
    for k in range(length):
        total += np.roll(image, k - length // 2, axis)
    return total / length


def stretched(image: F64) -> F64:
    """Shifted and scaled to [0, 1]."""
    low, high = float(image.min()), float(image.max())
    return (image - low) / max(high - low, 1e-9)


def ramp(image: F64, low: float, high: float) -> F64:
    """0 below low, 1 above high, straight between them."""
    return np.clip((image - low) / (high - low), 0.0, 1.0)


def mixed(a: tuple[float, ...], b: tuple[float, ...], t: F64) -> F64:
    """(S, S, 3) from colour a where t is 0 to colour b where it is 1; colours in 0..1."""
    start, end = np.asarray(a, float), np.asarray(b, float)
    return np.asarray(start + (end - start) * t[..., None])
