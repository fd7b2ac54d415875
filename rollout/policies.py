"""Which policies act, as frozen dataclasses that can be sent to any process: the one registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from trimix.core.contracts import Json, Policy, World
from trimix.core.errors import MissingError
from trimix.core.registry import Registry
from trimix.policy import POLICIES


class PolicySpec(Protocol):
    """A policy that is not loaded yet: a frozen, picklable dataclass."""

    @property
    def name(self) -> str:
        """What data sets call it: not where on this machine its files are."""

    def load(self, world: World) -> Policy:
        """The policy for this world.

        Raises:
            TrimixError: it is not there, or cannot act in this world.
        """

    def reads(self) -> Json:
        """What decides the policy besides code: settings, content digests of what it opens."""

    def code(self) -> tuple[str, ...]:
        """The modules from which the code of the policy is reached."""


PRIVILEGED = Registry(
    "policy",
    {
        "expert": "trimix.rollout.mujoco:ExpertSpec",
        "perturbed": "trimix.rollout.dream:PerturbedSpec",
    },
)
"""Policies that look inside the world that they act in: name -> PolicySpec class."""

UNTRAINED = ("random", "mean", "replay")
"""The registered policies that nothing was trained for."""

RESERVED = (*PRIVILEGED, *UNTRAINED)
"""Names of policies that no folder can have."""


def policy_of(text: str, *, device: str = "cpu", **privileged: Any) -> PolicySpec:
    """The policy that a name stands for.

    Args:
        text: expert, the task's own (MuJoCo); perturbed, the actions recorded after each dream's
            start with noise (dream); random; mean:<data set>, its mean action;
            replay:<data set>, its recorded actions; the folder of a trained policy; or
            module:function[:<data set>], a policy of your own as in POLICIES.
        device: where a trained policy computes.
        privileged: settings of expert or perturbed.

    Raises:
        MissingError: there is no such policy.
    """
    from trimix.rollout.baselines import BaselineSpec
    from trimix.rollout.learned import LearnedSpec

    kind, _, rest = text.partition(":")
    if text in PRIVILEGED:
        spec: PolicySpec = PRIVILEGED[text](**privileged)
        return spec
    if kind in UNTRAINED:
        return BaselineSpec(kind, rest)
    if Path(text).is_dir():
        return LearnedSpec(text, device=device)
    function, _, data = rest.partition(":")
    if POLICIES.is_own(own := f"{kind}:{function}"):
        POLICIES[own]  # fail here, not in a worker
        return BaselineSpec(own, data)
    raise MissingError(
        "there is no such policy",
        where=text,
        do=f"name a trained policy's folder, or one of {', '.join(RESERVED)}",
    )
