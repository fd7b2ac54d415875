"""Make overlapping units in one store: python overlapping.py <store> <log> <first> <last> [workers]

Prints the results' contents as one line of JSON. What is made is noted in the log.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # worker processes find the units by name

from shared_units import Count, Sum

from trimix.core.errors import EXIT_STATUS, TrimixError
from trimix.experiment.executor import executor_of, make_units
from trimix.experiment.store import Store

PAUSE_S = 0.02


def main(root: str, log: str, first: int, last: int, workers: int = 2) -> int:
    """Count in parallel, add up each; equal for equal arguments."""
    units = [Count(n=5 + i % 3, seed=i, pause_s=PAUSE_S, log=log) for i in range(first, last)]
    try:
        store, executor = Store(root), executor_of("local", workers)
        counted = make_units(store, units, executor)
        sums = make_units(store, [Sum(str(e.folder), e.digest) for e in counted], executor)
    except TrimixError as fault:
        print(f"trimix: {fault}", file=sys.stderr)
        return EXIT_STATUS
    found = [
        [e.kind, e.result, {p.name: p.read_text() for p in sorted(e.folder.iterdir())}]
        for e in [*counted, *sums]
    ]
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3], *map(int, sys.argv[3:])))
