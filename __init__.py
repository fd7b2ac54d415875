"""trimix: make robot-learning data from real, simulated and dreamed episodes, and mix them.

Importing trimix does nothing: no flags, downloads, OpenGL contexts, threads or seeds. What it
offers is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimix.core.workers import Local
    from trimix.data.dataset import Dataset
    from trimix.data.importing.importer import import_dataset
    from trimix.data.importing.plan import ImportConfig
    from trimix.evaluate.closed_loop import evaluate_policies as evaluate
    from trimix.experiment.config import Arm, Choose, Experiment, Scoring
    from trimix.experiment.executor import executor_of
    from trimix.experiment.run import Result, run
    from trimix.experiment.source_kinds import Dream, Real, Sim, StandIn
    from trimix.experiment.store import Store
    from trimix.experiment.view import view
    from trimix.mix.compile import compile_recipe as compile_mix
    from trimix.mix.recipe import Filter, Phase, Recipe, Source
    from trimix.policy import POLICIES
    from trimix.rollout.collect import collect
    from trimix.rollout.dream import DreamSpec
    from trimix.rollout.mujoco import MujocoSpec
    from trimix.rollout.policies import policy_of
    from trimix.rollout.worlds import WORLDS
    from trimix.sim.robots import ROBOTS
    from trimix.tasks import TASKS
    from trimix.train.loop import LoopConfig
    from trimix.train.policy import PolicyTrainConfig
    from trimix.train.policy import train_from_lock as train_policy
    from trimix.train.worldmodel import WorldModelConfig, train_worldmodel

    __version__: str

__all__ = [
    "POLICIES",
    "ROBOTS",
    "TASKS",
    "WORLDS",
    "Arm",
    "Choose",
    "Dataset",
    "Dream",
    "DreamSpec",
    "Experiment",
    "Filter",
    "ImportConfig",
    "Local",
    "LoopConfig",
    "MujocoSpec",
    "Phase",
    "PolicyTrainConfig",
    "Real",
    "Recipe",
    "Result",
    "Scoring",
    "Sim",
    "Source",
    "StandIn",
    "Store",
    "WorldModelConfig",
    "__version__",
    "collect",
    "compile_mix",
    "evaluate",
    "executor_of",
    "import_dataset",
    "policy_of",
    "run",
    "train_policy",
    "train_worldmodel",
    "view",
]

_WHERE = {
    "Arm": "experiment.config",
    "Choose": "experiment.config",
    "Dataset": "data.dataset",
    "Dream": "experiment.source_kinds",
    "DreamSpec": "rollout.dream",
    "Experiment": "experiment.config",
    "Filter": "mix.recipe",
    "ImportConfig": "data.importing.plan",
    "Local": "core.workers",
    "LoopConfig": "train.loop",
    "MujocoSpec": "rollout.mujoco",
    "POLICIES": "policy",
    "Phase": "mix.recipe",
    "PolicyTrainConfig": "train.policy",
    "ROBOTS": "sim.robots",
    "Real": "experiment.source_kinds",
    "Recipe": "mix.recipe",
    "Result": "experiment.run",
    "Scoring": "experiment.config",
    "Sim": "experiment.source_kinds",
    "Source": "mix.recipe",
    "StandIn": "experiment.source_kinds",
    "Store": "experiment.store",
    "TASKS": "tasks",
    "WORLDS": "rollout.worlds",
    "WorldModelConfig": "train.worldmodel",
    "collect": "rollout.collect",
    "compile_mix": "mix.compile:compile_recipe",
    "executor_of": "experiment.executor",
    "import_dataset": "data.importing.importer",
    "policy_of": "rollout.policies",
    "run": "experiment.run",
    "train_policy": "train.policy:train_from_lock",
    "train_worldmodel": "train.worldmodel",
    "view": "experiment.view",
}
"""name -> the module below trimix that holds it, and its name there where that is another."""


if not TYPE_CHECKING:  # type checkers see the imports above, and that there is nothing else

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name == "__version__":
            return import_module("trimix.core.version").version()
        if name == "evaluate":  # the room, which can be called
            return import_module("trimix.evaluate")
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _WHERE[name].partition(":")
        return getattr(import_module(f"trimix.{module}"), attribute or name)


def __dir__() -> list[str]:
    return __all__
