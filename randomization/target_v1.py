"""The sealed shift of the stand-in, version 1."""

from __future__ import annotations

from trimix.randomization.distributions import Constant, LogUniform, Normal, Uniform
from trimix.randomization.roles import Parts
from trimix.randomization.vary import Vary


def target_v1(parts: Parts) -> list[Vary]:
    """The sealed shift of the stand-in: another cell, with its own physics and looks.

    It plays the real world where there is none: its episodes are the "real" ones of the embedded
    default, and it is where policies are scored. Nobody tunes against it, and it does not
    change: a test holds its digest. Each axis moves away from nominal and scatters a little, as
    days in one laboratory do. It needs a geom called table and lights called key and fill.
    """
    return [
        Vary("geom/table/friction", "scale", LogUniform(1.25, 1.45)),
        Vary("joint/*/damping", "scale", LogUniform(1.5, 1.8)),
        Vary("actuator/*/gain", "scale", LogUniform(0.70, 0.80)),
        Vary("action/robot/latency_s", "set", Uniform(0.04, 0.06)),
        Vary("action/robot/noise_std", "set", Constant(0.01)),
        Vary("state/robot/noise_std", "set", Constant(0.002)),
        *(Vary(f"geom/{p}*/friction", "scale", LogUniform(0.75, 0.90)) for p in parts.props),
        *(Vary(f"body/{p}/mass", "scale", LogUniform(1.3, 1.5)) for p in parts.props),
        *(Vary(f"body/{p}/scale", "scale", LogUniform(1.03, 1.06)) for p in parts.props),
        *(
            Vary(f"camera/{c}/pos", "add", Normal((0.008, -0.006, 0.006), (0.001,) * 3))
            for c in parts.cameras
        ),
        *(
            Vary(f"camera/{c}/rotation", "add", Normal((0.03, -0.04, 0.04), (0.003,) * 3))
            for c in parts.cameras
        ),
        *(Vary(f"camera/{c}/fovy", "scale", LogUniform(1.04, 1.06)) for c in parts.cameras),
        Vary("light/key/dir", "add", Normal((0.35, -0.25, 0.0), (0.05,) * 3)),
        Vary("light/key/diffuse", "scale", LogUniform(0.60, 0.75)),
        Vary("light/fill/diffuse", "scale", LogUniform(1.5, 1.9)),
        Vary("material/table/rgba", "add", Normal((0.16, 0.09, 0.02, 0.0), (0.01,) * 3 + (0.0,))),
        Vary("material/table/texture", "set", Constant("wood")),
        *(
            Vary(
                f"material/{p}/rgba", "add", Normal((-0.10, -0.06, 0.05, 0.0), (0.01,) * 3 + (0.0,))
            )
            for p in parts.props
        ),
        Vary("image/camera/gain", "set", LogUniform(0.85, 0.95)),
        Vary("image/camera/noise_std", "set", Constant(5.0)),
    ]
