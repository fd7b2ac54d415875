"""Bringing in recordings of any robot: planned, checked, resampled, converted."""
