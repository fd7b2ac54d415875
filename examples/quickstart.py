"""The parts of trimix one by one, in about a minute: collect, mix, train, compare.

python examples/quickstart.py

Made for looking around: policies that do something take more episodes and steps, and more than one
training seed (ablation.py).
"""

from pathlib import Path

import trimix

OUT = Path("runs/quickstart")


def main() -> None:
    """Simulated episodes, clean and randomized, into a mix, a policy, and its score."""
    expert = trimix.policy_of("expert")
    for preset in ("none", "strong"):
        world = trimix.MujocoSpec("push_t", randomization=preset, image_hw=(32, 32))
        data = trimix.collect(world, expert, OUT / preset, episodes=8, seed=1)
        print(f"{preset}: {len(data.episodes)} episodes, {data.n_frames} frames")

    recipe = trimix.Recipe(
        sources={name: trimix.Source(str(OUT / name)) for name in ("none", "strong")},
        shares={"none": 1, "strong": 3},
        batch_size=32,
        steps=40,
    )
    lock = trimix.compile_mix(recipe)  # fixes every batch of the training
    print({"+".join(s.names): f"{s.draws} windows drawn, share {s.share}" for s in lock.sources})

    loop = trimix.LoopConfig(steps=recipe.steps, warmup_steps=5)
    config = trimix.PolicyTrainConfig(width=64, loop=loop)
    trained = trimix.train_policy(lock, config, OUT / "trained")
    first, *_, last = (step["loss"] for step in trained.result.history)
    print(f"loss {first:.3f} to {last:.3f}")

    world = trimix.MujocoSpec("push_t", randomization="mild", image_hw=(32, 32))
    policies = {"mine": str(OUT / "trained/policy"), "chance": "random", "ceiling": "expert"}
    for scored in trimix.evaluate(policies, world, scenes=4):  # the same scenes for all
        print(f"{scored.arm}: {int(scored.success.sum())} of {len(scored.outcomes)} succeeded")


if __name__ == "__main__":  # worker processes import this file
    main()
