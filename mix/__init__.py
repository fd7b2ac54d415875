"""Mixing sources at chosen shares: recipe -> lock -> batches, each from its number alone."""

from trimix.mix.batch import MixBatch
from trimix.mix.compile import compile_recipe
from trimix.mix.ledger import Exposure, Ledger
from trimix.mix.loader import MixLoader
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.prefetch import Prefetcher
from trimix.mix.recipe import Filter, Phase, Recipe, Source
from trimix.mix.recipe_file import load_recipe, recipe_from_mapping
from trimix.mix.runs import Runs
from trimix.mix.sampler import MixBatchPlan, MixSampler
from trimix.mix.source import DiskStore, SourceData, Store, View

__all__ = [
    "DiskStore",
    "Exposure",
    "Filter",
    "Ledger",
    "Lock",
    "LockedSource",
    "MixBatch",
    "MixBatchPlan",
    "MixLoader",
    "MixSampler",
    "Phase",
    "Prefetcher",
    "Recipe",
    "Runs",
    "Source",
    "SourceData",
    "Store",
    "View",
    "compile_recipe",
    "load_recipe",
    "recipe_from_mapping",
]
