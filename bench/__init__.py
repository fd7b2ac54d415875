"""What is timed or simulated, each figure beside its ceiling or baseline in the same run."""

from trimix.core.registry import Registry

BENCHES = Registry(
    "bench",
    {
<<<<<<< HEAD
        "plan": "trimix.bench.plan:run",
=======
        "import": "trimix.bench.importing:run",
>>>>>>> e875dda (Audit leaks by names that nothing else reads; time imports beside decoding alone; say what is known of data)
        "tiny": "trimix.bench.tiny:run",
    },
)
"""name -> function (quick: bool) that yields figure.Figure; quick ones prove that it runs."""
