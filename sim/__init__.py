"""MuJoCo as a world: scenes, batched physics, control, cameras, adapters, replay."""
