"""trimix: make robot-learning data from real, simulated and dreamed episodes, and mix them.

Importing trimix does nothing: no flags, downloads, OpenGL contexts, threads or seeds.
"""

from __future__ import annotations


def __getattr__(name: str) -> str:
    if name == "__version__":
        from trimix.core.version import version

        return version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
