"""What is simulation worth? Three mixes, three training seeds each: python examples/ablation.py"""

import trimix

if __name__ == "__main__":
    experiment = trimix.Experiment(
        sources={"real": trimix.StandIn(5, heldout=0.4), "sim": trimix.Sim(4, heldout_episodes=2)},
        arms={
            "real-only": trimix.Arm({"real": 1}),
            "sim-only": trimix.Arm({"sim": 1}),
            "real+sim": trimix.Arm({"real": 1, "sim": 1}),
        },
        seeds=3,
        image_hw=(32, 32),
        policy=trimix.PolicyTrainConfig(width=64, loop=trimix.LoopConfig(6, warmup_steps=1)),
        batch_size=8,
        scoring=trimix.Scoring(scenes=3, expert_scenes=2, rows=3, offline_windows=50),
    )
    # Of work as small as this, a process more costs more than it saves.
    result = trimix.run(experiment, out="runs/ablation", executor=trimix.Local(1))
    print(result.answer, result.page, sep="\n")
