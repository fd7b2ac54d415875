"""What is timed or simulated, each figure beside its ceiling or baseline in the same run."""

from trimix.core.registry import Registry

BENCHES = Registry(
    "bench",
    {
        "beyond": "trimix.bench.beyond:run",
        "cheats": "trimix.bench.cheats:cheats",
        "collecting": "trimix.bench.collecting:run",
        "depths": "trimix.bench.experts:depths",
        "demo": "trimix.bench.pipelines:demo",
        "effects": "trimix.bench.effects:run",
        "experts": "trimix.bench.experts:run",
        "exploits": "trimix.bench.cheats:exploits",
        "import": "trimix.bench.importing:run",
        "leak": "trimix.bench.leak:run",
        "looks": "trimix.bench.looks:run",
        "memory": "trimix.bench.starting:memory",
        "plan": "trimix.bench.plan:run",
        "restore": "trimix.bench.restore:run",
        "sim": "trimix.bench.sim:run",
        "start": "trimix.bench.starting:start",
        "statistics": "trimix.bench.statistics:run",
        "tiny": "trimix.bench.pipelines:tiny",
        "windows": "trimix.bench.windows:run",
    },
)
"""name -> function (quick: bool) that yields figure.Figure; quick ones prove that it runs."""
