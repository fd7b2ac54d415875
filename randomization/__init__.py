"""What an episode's physics and looks are drawn from: distributions, axes, presets."""
