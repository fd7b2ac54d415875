"""Policies: what maps observations to actions. POLICIES names them all."""

from trimix.core.registry import Registry

POLICIES = Registry(
    "policy",
    {
        "random": "trimix.policy.make:random",
        "replay": "trimix.policy.make:replay",
        "mean": "trimix.policy.make:mean",
        "flow": "trimix.policy.make:flow",
        "bc": "trimix.policy.make:bc",
    },
    needs=(),
)
"""name -> function of (PolicyInterface, PolicyParts) that gives a Policy; a user's own is
"module:attribute"."""
