"""trimix: make robot-learning data from real, simulated and dreamed episodes, and mix them.

Importing trimix does nothing: no flags, downloads, OpenGL contexts, threads or seeds.
"""

__version__ = "0.1.0"
