"""A triangle mesh that is only looked at.

Axes: V vertices, F triangles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from trimix.core.contracts import F32, F64
from trimix.core.errors import ConfigError

I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Mesh:
    """Triangles with smooth shading; a sharp edge has its vertices twice.

    Args:
        vertices: (V, 3) m.
        faces: (F, 3) rows of `vertices`, counter-clockwise seen from outside.
        normals: (V, 3) unit vectors, outward.
        uv: (V, 2) texture coordinates; 1 is one whole texture.

    Raises:
        ConfigError: arrays that do not fit each other.
    """

    vertices: F32
    faces: I32
    normals: F32
    uv: F32

    def __post_init__(self) -> None:
        v = len(self.vertices)
        shapes = {
            "vertices": (v, 3),
            "normals": (v, 3),
            "uv": (v, 2),
            "faces": (len(self.faces), 3),
        }
        for name, expected in shapes.items():
            got = getattr(self, name).shape
            if got != expected:
                raise ConfigError(f"{name} of a mesh are {got}", do=f"give {expected}")
        if len(self.faces) and not 0 <= self.faces.min() <= self.faces.max() < v:
            raise ConfigError(f"a mesh of {v} vertices has faces of others")

    @staticmethod
    def of(
        vertices: npt.ArrayLike, faces: npt.ArrayLike, normals: npt.ArrayLike, uv: npt.ArrayLike
    ) -> Mesh:
        """A mesh of anything array-like; normals of any length but zero."""
        normal = np.asarray(normals, float)
        normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        return Mesh(
            np.asarray(vertices, np.float32),
            np.asarray(faces, np.int32).reshape(-1, 3),
            normal.astype(np.float32),
            np.asarray(uv, np.float32),
        )

    def moved(
        self, pos: Sequence[float] = (0, 0, 0), rotation: npt.ArrayLike | None = None
    ) -> Mesh:
        """Turned by a (3, 3) rotation, then shifted by pos (3,) m."""
        turn = np.eye(3) if rotation is None else np.asarray(rotation, float)
        vertices = self.vertices @ turn.T + np.asarray(pos, float)
        return Mesh.of(vertices, self.faces, self.normals @ turn.T, self.uv)

    def scaled(self, factor: float) -> Mesh:
        """The same shape, so much larger."""
        return Mesh(
            np.asarray(self.vertices * np.float32(factor)), self.faces, self.normals, self.uv
        )

    def with_uv(self, uv: npt.ArrayLike) -> Mesh:
        """The same shape with other texture coordinates, (V, 2)."""
        return Mesh(self.vertices, self.faces, self.normals, np.asarray(uv, np.float32))


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several: drawing costs a call a mesh, whatever is in it."""
    if not meshes:
        raise ConfigError("no meshes to merge")
    starts = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=False)]).astype(
            np.int32
        ),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.uv for m in meshes]),
    )


def volume(mesh: Mesh) -> float:
    """m^3 inside a closed mesh."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6)


def hull(mesh: Mesh) -> Mesh:
    """The convex hull; its shading and texture coordinates mean nothing."""
    # By MuJoCo's qhull: scipy's takes 0.3 s to import.
    spec = mujoco.MjSpec()
    spec.add_mesh(
        name="hull",
        uservert=mesh.vertices.ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="hull")
    model = spec.compile()
    count, triangles = (int(n) for n in model.mesh_graph[:2])
    # Two counts, then for each vertex where its edges begin and which it is, then all edges.
    begin = 2 + 2 * count + count + 3 * triangles
    faces = np.array(model.mesh_graph[begin : begin + 3 * triangles]).reshape(-1, 3)
    kept, index = np.unique(faces, return_inverse=True)
    vertices = mesh.vertices[kept]
    return Mesh.of(
        vertices, index.reshape(-1, 3), vertices - vertices.mean(0), np.zeros((len(kept), 2))
    )


def box_uv(mesh: Mesh, tile_m: float) -> Mesh:
    """Texture coordinates as if wrapped from the six sides, one texture every tile_m metres.

    A triangle that spans two sides is smeared; on bevels that is a few pixels.
    """
    axis = np.abs(mesh.normals).argmax(1)
    u = np.where(axis == 0, mesh.vertices[:, 1], mesh.vertices[:, 0])
    v = np.where(axis == 2, mesh.vertices[:, 1], mesh.vertices[:, 2])
    return mesh.with_uv(np.stack([u, v], 1) / tile_m)


def grid_faces(rows: int, columns: int) -> I32:
    """(2 (rows-1) (columns-1), 3) triangles of a grid of vertices, row after row.

    Seen from outside, columns go right and rows go up.
    """
    k = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = k[:-1, :-1], k[:-1, 1:], k[1:, 1:], k[1:, :-1]
    both = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], -2)
    return both.reshape(-1, 3).astype(np.int32)


def without_slivers(mesh: Mesh) -> Mesh:
    """Without triangles that have no area, as at the poles of a grid."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    area: F64 = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return Mesh(mesh.vertices, mesh.faces[area > 1e-12], mesh.normals, mesh.uv)
