"""Surfaces of a household and a workshop, drawn by noise: two pools that share no recipe's seed.

Colours are 0..1 and rather bright: a material's colour multiplies them. Axes: S x S pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from trimix.assets.textures.noise import (
    cells,
    fractal,
    grid,
    mixed,
    ramp,
    smear,
    stretched,
    value,
    warped,
)
from trimix.core.contracts import F64

SIZE = 128
Colour = tuple[float, float, float]
Recipe = Callable[[np.random.Generator], F64]


def wood(
    dark: Colour, light: Colour, *, planks: int = 1, rings: int = 5, wild: float = 0.5
) -> Recipe:
    """Grain along x with rings, pores, and joints between planks."""

    def draw(rng: np.random.Generator) -> F64:
        _, y = grid(SIZE)
        plank = np.floor(y * planks)
        shade = rng.uniform(-0.12, 0.12, planks)[plank.astype(int)]
        bend = fractal(rng, SIZE, 1, 4, 3) + 0.25 * fractal(rng, SIZE, 4, 16, 2)
        ring = 0.5 + 0.5 * np.sin(2 * np.pi * (rings * y + wild * 3 * bend + 5.3 * plank / planks))
        pores = smear(rng.random((SIZE, SIZE)), 17, 1)
        t = 0.55 * ring**1.5 + 0.45 * stretched(pores) + shade
        image = mixed(light, dark, np.clip(t, 0, 1))
        if planks > 1:
            joint = np.abs((y * planks) % 1.0 - 0.5) > 0.5 - 0.012 * planks
            image = image * np.where(joint, 0.6, 1.0)[..., None]
        return image

    return draw


def marble(ground: Colour, vein: Colour, *, scale: int = 2, sharp: float = 6.0) -> Recipe:
    """Veins where a bent wave crosses zero, on a cloudy ground."""

    def draw(rng: np.random.Generator) -> F64:
        x, y = grid(SIZE)
        bend = fractal(rng, SIZE, scale, scale, 5)
        wave = np.abs(np.sin(np.pi * (2 * x + y + 2.2 * bend)))
        thin = np.abs(np.sin(np.pi * (3 * y - x + 3.0 * fractal(rng, SIZE, scale, scale, 5))))
        t = np.exp(-sharp * wave) + 0.5 * np.exp(-2.2 * sharp * thin)
        cloud = 0.25 * fractal(rng, SIZE, 3, 3, 4)
        return mixed(ground, vein, np.clip(t + cloud, 0, 1))

    return draw


def grains(ground: Colour, colours: tuple[Colour, ...], count: int, *, gap: float = 0.0) -> Recipe:
    """Cells of several colours, in mortar when there is a gap (in tiles) between them."""

    def draw(rng: np.random.Generator) -> F64:
        near, second, label = cells(rng, SIZE, count)
        palette = np.array(colours)
        image = palette[(label * len(palette)).astype(int)]
        image = image * (0.92 + 0.08 * fractal(rng, SIZE, 16, 16, 3))[..., None]
        if gap:
            image = (
                np.asarray(ground) + (image - ground) * ramp(second - near, gap, 2 * gap)[..., None]
            )
        return np.asarray(image)

    return draw


def rough(
    low: Colour, high: Colour, *, scale: int = 4, pits: int = 0, fine: float = 0.25
) -> Recipe:
    """Cast or plastered: clouds, a fine grain, a few dark pits."""

    def draw(rng: np.random.Generator) -> F64:
        t = 0.75 * fractal(rng, SIZE, scale, scale, 5)
        t += fine * rng.random((SIZE, SIZE))
        image = mixed(low, high, np.clip(t, 0, 1))
        if pits:
            near, _, _ = cells(rng, SIZE, pits)
            image *= (0.72 + 0.28 * ramp(near, 0.006, 0.016))[..., None]
        return image

    return draw


def weave(warp: Colour, weft: Colour, threads: int, *, uneven: float = 0.3) -> Recipe:
    """Threads over and under each other, each a little thicker or paler than the next."""

    def draw(rng: np.random.Generator) -> F64:
        x, y = grid(SIZE)
        over = (np.floor(x * threads) + np.floor(y * threads)) % 2 == 0
        round_x = np.abs(np.sin(np.pi * x * threads))
        round_y = np.abs(np.sin(np.pi * y * threads))
        shade = np.where(over, round_x, round_y) ** 0.5
        pale = np.where(
            over,
            rng.random(threads)[(x * threads).astype(int)],
            rng.random(threads)[(y * threads).astype(int)],
        )
        t = shade * (1 - uneven * pale) * (0.9 + 0.1 * rng.random((SIZE, SIZE)))
        colour = np.where(over[..., None], np.asarray(warp), np.asarray(weft))
        return np.asarray(colour * (0.55 + 0.45 * t)[..., None])

    return draw


def fibres(low: Colour, high: Colour, *, length: int = 7, contrast: float = 1.0) -> Recipe:
    """Felt, carpet or paper: short fibres that lie in all directions."""

    def draw(rng: np.random.Generator) -> F64:
        lying = [smear(rng.random((SIZE, SIZE)), length, axis) for axis in (0, 1)]
        bend = value(rng, SIZE, 8, 8) - 0.5, value(rng, SIZE, 8, 8) - 0.5
        t = stretched(warped(lying[0] + lying[1], 0.06 * bend[0], 0.06 * bend[1]))
        t = 0.5 + contrast * (t - 0.5) + 0.15 * (fractal(rng, SIZE, 2, 2, 3) - 0.5)
        return mixed(low, high, np.clip(t, 0, 1))

    return draw


def metal(low: Colour, high: Colour, *, length: int = 61, scratches: int = 0) -> Recipe:
    """Brushed along x; scratches cross the brushing."""

    def draw(rng: np.random.Generator) -> F64:
        t = stretched(smear(rng.random((SIZE, SIZE)), length, 1))
        t = 0.7 * t + 0.3 * fractal(rng, SIZE, 1, 3, 2)
        x, y = grid(SIZE)
        for _ in range(scratches):
            turn, at = rng.uniform(0, np.pi), rng.random(2)
            dx, dy = (x - at[0] + 0.5) % 1 - 0.5, (y - at[1] + 0.5) % 1 - 0.5
            off = np.abs(dx * np.sin(turn) - dy * np.cos(turn))
            along = np.abs(dx * np.cos(turn) + dy * np.sin(turn))
            t += 0.35 * np.exp(-((off / 0.005) ** 2)) * (along < rng.uniform(0.1, 0.4))
        return mixed(low, high, np.clip(t, 0, 1))

    return draw


def tiles(
    faces: tuple[Colour, ...], grout: Colour, across: int, *, brick: float = 0.0, rows: int = 0
) -> Recipe:
    """Rectangular tiles in grout; every other row shifted by `brick` of a tile."""

    def draw(rng: np.random.Generator) -> F64:
        x, y = grid(SIZE)
        down = rows or across
        row = np.floor(y * down).astype(int)
        u = x * across + brick * (row % 2)
        column = np.floor(u).astype(int) % across
        pick = rng.random((down, across))[row, column]
        image = np.array(faces)[(pick * len(faces)).astype(int)]
        image = image * (0.90 + 0.10 * fractal(rng, SIZE, 4, 4, 5))[..., None]
        image = image * (0.94 + 0.06 * rng.random((down, across))[row, column])[..., None]
        edge_x = 0.5 - np.abs(u % 1 - 0.5)
        edge_y = 0.5 - np.abs((y * down) % 1 - 0.5)
        inside = ramp(np.minimum(edge_x / across, edge_y / down), 0.004, 0.012)
        return np.asarray(np.asarray(grout) + (image - grout) * inside[..., None])

    return draw


def checks(one: Colour, other: Colour, across: int) -> Recipe:
    """A woven tablecloth: stripes both ways, darker where they cross."""

    def draw(rng: np.random.Generator) -> F64:
        x, y = grid(SIZE)
        stripe = (np.floor(x * across * 2) % 2 + np.floor(y * across * 2) % 2) / 2
        thread = 0.94 + 0.06 * rng.random((SIZE, SIZE))
        return mixed(one, other, stripe) * thread[..., None]

    return draw


def worn(ground: Colour, mark: Colour, *, scratches: int = 30) -> Recipe:
    """Smooth plastic with scuffs and a few thin scratches."""

    def draw(rng: np.random.Generator) -> F64:
        x, y = grid(SIZE)
        t = 0.35 * ramp(fractal(rng, SIZE, 3, 3, 5), 0.55, 0.95)
        for _ in range(scratches):
            turn, at, long = rng.uniform(0, np.pi), rng.random(2), rng.uniform(0.03, 0.2)
            dx, dy = (x - at[0] + 0.5) % 1 - 0.5, (y - at[1] + 0.5) % 1 - 0.5
            off = np.abs(dx * np.sin(turn) - dy * np.cos(turn))
            along = np.abs(dx * np.cos(turn) + dy * np.sin(turn))
            t += rng.uniform(0.15, 0.5) * np.exp(-((off / 0.006) ** 2)) * (along < long)
        return mixed(ground, mark, np.clip(t, 0, 1))

    return draw


def hexagons(face: Colour, grout: Colour, across: int) -> Recipe:
    """Six-sided tiles; `across` of them, and as many rows as keep them nearly regular."""

    def draw(rng: np.random.Generator) -> F64:
        x, y = grid(SIZE)
        down = max(2, 2 * round(across / np.sqrt(3)))
        middles = np.array(
            [((c + 0.5 * (r % 2)) / across, r / down) for r in range(down) for c in range(across)]
        )
        dx = np.abs(x[..., None] - middles[:, 0])
        dy = np.abs(y[..., None] - middles[:, 1])
        apart = np.hypot(np.minimum(dx, 1 - dx), np.minimum(dy, 1 - dy))
        two = np.partition(apart, 1, axis=-1)[..., :2]
        shade = (0.88 + 0.12 * rng.random(len(middles)))[apart.argmin(-1)]
        inside = ramp(two[..., 1] - two[..., 0], 0.010, 0.024)
        return np.asarray(mixed(grout, face, inside) * shade[..., None])

    return draw


TRAIN: Mapping[str, Recipe] = {
    "oak": wood((0.55, 0.38, 0.22), (0.86, 0.70, 0.50), rings=4),
    "walnut": wood((0.34, 0.22, 0.15), (0.60, 0.43, 0.30), rings=6, wild=0.8),
    "pine_planks": wood((0.76, 0.56, 0.34), (0.96, 0.84, 0.63), planks=4, rings=8),
    "bamboo": wood((0.74, 0.62, 0.36), (0.93, 0.85, 0.62), planks=8, rings=16, wild=0.1),
    "marble_white": marble((0.95, 0.95, 0.94), (0.60, 0.61, 0.64)),
    "granite": grains(
        (0.6,) * 3, ((0.45, 0.44, 0.44), (0.72, 0.70, 0.69), (0.88, 0.85, 0.82)), 900
    ),
    "terrazzo": grains(
        (0.86, 0.84, 0.80),
        ((0.62, 0.50, 0.44), (0.50, 0.55, 0.56), (0.90, 0.82, 0.70)),
        110,
        gap=0.012,
    ),
    "concrete": rough((0.58, 0.58, 0.57), (0.82, 0.81, 0.79), pits=40),
    "plaster": rough((0.82, 0.80, 0.76), (0.97, 0.96, 0.93), scale=3, fine=0.1),
    "linen": weave((0.92, 0.88, 0.80), (0.87, 0.82, 0.73), 32),
    "denim": weave((0.42, 0.50, 0.66), (0.78, 0.82, 0.88), 43, uneven=0.5),
    "felt": fibres((0.66, 0.66, 0.66), (0.94, 0.94, 0.94), length=5),
    "carpet": fibres((0.45, 0.43, 0.42), (0.85, 0.82, 0.78), length=3, contrast=1.4),
    "paper": fibres((0.88, 0.86, 0.81), (0.99, 0.98, 0.95), length=11, contrast=0.7),
    "brushed_steel": metal((0.52, 0.54, 0.57), (0.84, 0.86, 0.88)),
    "square_tiles": tiles(((0.92, 0.92, 0.90),), (0.62, 0.61, 0.59), 4),
    "brick": tiles(
        ((0.72, 0.42, 0.33), (0.66, 0.36, 0.28), (0.78, 0.50, 0.40)),
        (0.80, 0.77, 0.72),
        4,
        brick=0.5,
        rows=8,
    ),
    "worn_plastic": worn((0.93, 0.93, 0.93), (0.62, 0.62, 0.62)),
    "cork": grains(
        (0.55, 0.40, 0.26),
        ((0.74, 0.56, 0.38), (0.82, 0.65, 0.46), (0.60, 0.43, 0.28)),
        420,
        gap=0.004,
    ),
}
HELDOUT: Mapping[str, Recipe] = {
    "teak": wood((0.48, 0.29, 0.16), (0.74, 0.52, 0.32), planks=3, rings=7, wild=0.35),
    "ash": wood((0.68, 0.62, 0.54), (0.93, 0.89, 0.82), rings=3, wild=1.0),
    "slate": rough((0.36, 0.39, 0.42), (0.62, 0.65, 0.67), scale=6, fine=0.15),
    "travertine": marble((0.90, 0.84, 0.74), (0.66, 0.56, 0.44), scale=3, sharp=3.0),
    "chipboard": grains(
        (0.5, 0.4, 0.3),
        ((0.86, 0.72, 0.50), (0.74, 0.58, 0.38), (0.93, 0.82, 0.62)),
        260,
        gap=0.002,
    ),
    "burlap": weave((0.76, 0.64, 0.46), (0.68, 0.55, 0.37), 22, uneven=0.6),
    "gingham": checks((0.97, 0.96, 0.94), (0.78, 0.36, 0.34), 8),
    "wool": fibres((0.50, 0.56, 0.54), (0.82, 0.87, 0.84), length=9, contrast=1.3),
    "scratched_metal": metal((0.58, 0.57, 0.55), (0.86, 0.85, 0.82), length=9, scratches=40),
    "hexagon_tiles": hexagons((0.88, 0.90, 0.90), (0.42, 0.44, 0.46), 6),
}
