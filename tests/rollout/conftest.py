"""Makes the toy world importable by name."""

import sys
from pathlib import Path

TOYS = str(Path(__file__).parents[1] / "evaluate")
if TOYS not in sys.path:
    sys.path.insert(0, TOYS)
CONTRACTS = str(Path(__file__).parents[1] / "contracts")
if CONTRACTS not in sys.path:
    sys.path.insert(0, CONTRACTS)
