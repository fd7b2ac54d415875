"""A whole report with invented numbers, and a strip, for testing what is made of them."""

import numpy as np

from trimix.core.seeds import stream
from trimix.evaluate.clips import Panel, Strip
from trimix.evaluate.schema import FORMAT, Report

SIZE = "200 scenes \N{MULTIPLICATION SIGN} 3 seeds"


def _arm(name, shares, success, nmse, *, low, high):
    baselines = {
        "predict_mean": {
            "velocity_nmse": 1.0,
            "gripper_f1": 0.0,
            "margin_ci95": (nmse - 1.1, nmse - 0.9),
        },
        "repeat_last": {
            "velocity_nmse": 0.52,
            "gripper_f1": 0.93,
            "margin_ci95": (nmse - 0.6, nmse - 0.45),
        },
    }
    return {
        "name": name,
        "shares": shares,
        "train_seeds": [0, 1, 2],
        "closed_loop": {
            "world": "mujoco:target",
            "suite": "push_t/mujoco:target/confirm",
            "n": 600,
            "success": success,
            "wilson95": (low, high),
            "scope": "these policies",
            "ci95": (low - 0.04, high + 0.04),
            "ci95_scope": "mixes",
            "per_seed": [success - 0.02, success, success + 0.02],
            "abstained": 0,
        },
        "offline": {
            "velocity_nmse": nmse,
            "velocity_nmse_ci95": (nmse - 0.05, nmse + 0.06),
            "gripper_f1": 0.91,
            "baselines": baselines,
            "channels_left_out": ["joint_6"],
        },
    }


def example_report() -> Report:
    steps = list(range(0, 3001, 100))
    return {
        "format": FORMAT,
        "title": "push_t: which mix is worth it",
        "wall_s": {
            "collect": 92.4,
            "train worldmodel": 401.0,
            "train policies": 1203.5,
            "evaluate": 311.2,
            "total": 2008.1,
        },
        "peak_rss_gb": 3.42,
        "real": {
            "label": "stand-in (simulated)",
            "episodes_train": 30,
            "episodes_heldout": 6,
            "name": "target",
        },
        "experts": {
            "push_t": {
                "none": {"n": 200, "success": 0.985, "wilson95": (0.957, 0.995)},
                "mild": {"n": 200, "success": 0.94},
            }
        },
        "worldmodel": {
            "params": 2_312_456,
            "train_s": 401.0,
            "frames_per_s": 412.0,
            "heldout": {
                "real": {
                    "psnr": {"1": 33.1, "5": 23.2, "10": 19.0},
                    "copy_last": {"1": 28.9, "5": 19.6, "10": 15.5},
                    "n": 128,
                },
                "sim": {
                    "psnr": {"1": 35.0, "5": 27.1, "10": 22.9},
                    "copy_last": {"1": 30.2, "5": 22.0, "10": 18.9},
                    "n": 256,
                },
            },
        },
        "arms": [
            _arm("real-only", {"real": 1.0}, 0.41, 0.44, low=0.371, high=0.45),
            _arm("sim-only", {"sim": 1.0}, 0.33, 0.61, low=0.294, high=0.369),
            _arm("real+sim", {"real": 0.3, "sim": 0.7}, 0.53, 0.38, low=0.49, high=0.57),
            _arm(
                "real+sim+dream",
                {"real": 0.3, "sim": 0.5, "dream": 0.2},
                0.55,
                0.37,
                low=0.51,
                high=0.59,
            ),
        ],
        "comparisons": [
            {
                "a": "real+sim",
                "b": "real-only",
                "n": 600,
                "delta": 0.12,
                "ci95": (0.04, 0.2),
                "scope": "mixes",
                "status": "planned",
                "verdict": "better",
                "scenes": 200,
                "seeds": 3,
            },
            {
                "a": "real+sim",
                "b": "sim-only",
                "n": 600,
                "delta": 0.2,
                "ci95": (0.12, 0.28),
                "scope": "mixes",
                "status": "planned",
                "verdict": "better",
                "scenes": 200,
                "seeds": 3,
            },
            {
                "a": "real+sim+dream",
                "b": "real+sim",
                "n": 600,
                "delta": 0.02,
                "ci95": (-0.05, 0.08),
                "scope": "mixes",
                "status": "planned",
                "verdict": "open",
                "scenes": 200,
                "seeds": 3,
            },
            {
                "a": "sim-only",
                "b": "real-only",
                "n": 600,
                "delta": -0.08,
                "ci95": (-0.15, -0.01),
                "scope": "mixes",
                "status": "planned",
                "verdict": "worse",
                "scenes": 200,
                "seeds": 3,
            },
        ],
        "inference": {
            "scope": "mixes",
            "method": "crossed seeds and scenes",
            "level": 0.95,
            "plan": {
                "contrasts": [
                    ("real+sim", "real-only"),
                    ("real+sim", "sim-only"),
                    ("real+sim+dream", "real+sim"),
                    ("sim-only", "real-only"),
                ],
                "looks": [3],
                "level": 0.95,
                "scenes": 200,
                "hash": "5e" * 32,
            },
            "status": "planned",
            "look": 3,
            "spent": 0.05,
            "headline": "real+sim beats real-only by 4.0 to 20.0 and sim-only by 12.0 to 28.0 "
            "points; real-only beats sim-only by 1.0 to 15.0 points; no other planned difference "
            "can be shown.",
            "statements": [
                f"real+sim beats real-only by 12.0 points (95% CI +4.0 to +20.0; {SIZE}).",
                f"real+sim beats sim-only by 20.0 points (95% CI +12.0 to +28.0; {SIZE}).",
                "real+sim+dream and real+sim can't be told apart: real+sim+dream minus real+sim "
                f"is +2.0 points (95% CI \N{MINUS SIGN}5.0 to +8.0; {SIZE}).",
                f"real-only beats sim-only by 8.0 points (95% CI +1.0 to +15.0; {SIZE}).",
            ],
            "open": [
                {
                    "a": "real+sim+dream",
                    "b": "real+sim",
                    "sentence": "Telling real+sim+dream and real+sim apart takes a new run, "
                    "planned with about 40 training seeds an arm, if the difference is the +2.0 "
                    "points seen here.",
                    "seeds_needed": 40,
                }
            ],
        },
        "mix": [
            {
                "arm": "real-only",
                "source": "real",
                "origin": "real",
                "share": 1.0,
                "windows": 6_100,
                "drawn": 96_000,
                "repeats": 15.74,
            },
            {
                "arm": "sim-only",
                "source": "sim",
                "origin": "sim",
                "share": 1.0,
                "windows": 48_000,
                "drawn": 96_000,
                "repeats": 2.0,
            },
            {
                "arm": "real+sim",
                "source": "real",
                "origin": "real",
                "share": 0.3,
                "windows": 6_100,
                "drawn": 28_800,
                "repeats": 4.72,
            },
            {
                "arm": "real+sim",
                "source": "sim",
                "origin": "sim",
                "share": 0.7,
                "windows": 48_000,
                "drawn": 67_200,
                "repeats": 1.4,
            },
            {
                "arm": "real+sim+dream",
                "source": "real",
                "origin": "real",
                "share": 0.3,
                "windows": 6_100,
                "drawn": 28_800,
                "repeats": 4.72,
            },
            {
                "arm": "real+sim+dream",
                "source": "sim",
                "origin": "sim",
                "share": 0.5,
                "windows": 48_000,
                "drawn": 48_000,
                "repeats": 1.0,
            },
            {
                "arm": "real+sim+dream",
                "source": "dream",
                "origin": "dream",
                "share": 0.2,
                "windows": 12_000,
                "drawn": 19_200,
                "repeats": 1.6,
            },
        ],
        "curves": [
            *(
                {
                    "name": arm,
                    "metric": "loss",
                    "group": "Policy loss",
                    "steps": steps,
                    "values": [0.06 + 0.9 * 0.998 ** (s * (1 + 0.2 * seed)) for s in steps],
                }
                for arm in ("real-only", "sim-only", "real+sim", "real+sim+dream")
                for seed in (0, 1, 2)
            ),
            {
                "name": "real+sim",
                "metric": "success",
                "group": "Success while training",
                "steps": [1000, 2000, 3000],
                "values": [0.2, 0.45, 0.53],
                "ci95": [(0.14, 0.27), (0.38, 0.52), (0.46, 0.6)],
            },
        ],
        "fidelity": [
            {
                "world": "dream",
                "reference": "mujoco",
                "policies": ["a", "b", "c"],
                "success": [0.1, 0.4, 0.5],
                "reference_success": [0.2, 0.3, 0.6],
                "pearson": 0.93,
                "mmrv": 0.0,
            }
        ],
        "skipped": [
            {"name": "real-only + augmentation", "reason": "the time budget of 3 h was used up"}
        ],
        "warnings": ["the world model was trained on simulated episodes alone"],
        "command": "trimix pipeline task=push_t",
        "created": "2026-01-02 03:04",
        "machine": {"CPU cores": "2", "torch": "2.13.0"},
    }


def example_strip(t: int = 30) -> Strip:
    """Three clips of a moving square, of unequal length, size and rate."""
    panels = []
    for origin, label, hw, fps, length in (
        ("real", "stand-in (simulated)", (64, 64), 10.0, t),
        ("sim", "sim", (64, 64), 10.0, t * 3 // 4),
        ("dream", "dream", (48, 64), 5.0, t // 2),
    ):
        images = stream(0, 0, origin).integers(90, 110, (length, *hw, 3)).astype(np.uint8)
        for i in range(length):
            x = 4 + round(40 * i / length)
            images[i, 20:30, x : x + 10] = (220, 180, 40)
        panels.append(Panel(origin, label, images, fps, f"success in {length} steps"))
    return Strip("push_t: one scene in three worlds", tuple(panels))
