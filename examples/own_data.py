"""A data set of your own: can it be trusted, what is in it, and what does mixing do for it?

    python examples/own_data.py /path/to/dataset

Any LeRobot directory (v2.0, v2.1, v3.0). If its robot is not the task's, simulated episodes cannot
be mixed in; the report says what differs, and scores policies on held-out episodes.
"""

import argparse

import trimix


def main() -> None:
    """Import, look, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--control-mode", default="joint_velocity", help="what actions mean")
    parser.add_argument("--out", default="runs/own_data")
    parser.add_argument("--steps", type=int, default=2000)
    given = parser.parse_args()

    # What cannot be trusted is refused by file, episode and row; skip_bad=True leaves it out.
    mine = trimix.Real(given.path, heldout=0.2, control_mode=given.control_mode)
    loop = trimix.LoopConfig(given.steps, warmup_steps=given.steps // 20)
    experiment = trimix.Experiment(
        sources={"mine": mine, "sim": trimix.Sim(episodes=100)},
        arms={
            "mine": trimix.Arm({"mine": 1}),
            "mine, recoloured": trimix.Arm({"mine": 1}, augment="shift+colour"),
            "mine+sim": trimix.Arm({"mine": 1, "sim": 1}),
        },
        seeds=3,
        policy=trimix.PolicyTrainConfig(loop=loop),
    )
    result = trimix.run(experiment, given.out)
    data = trimix.Dataset.open(result.data["mine"])
    print(f"{len(data.episodes)} episodes, {data.n_frames} frames, {data.interface}")
    for skipped in result.report["skipped"]:
        print(f"left out: {skipped['name']}: {skipped['reason']}")
    print(result.answer, result.page, sep="\n")


if __name__ == "__main__":
    main()
