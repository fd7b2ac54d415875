"""Where and how precisely torch computes: device, mixed precision, threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch

from trimix.core.errors import ConfigError, MissingError, unknown

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "bf16")


def pick_device(name: str = "auto") -> torch.device:
    """The device with this name; "auto" takes cuda, else mps, else cpu.

    Args:
        name: one of DEVICES, or "cuda:<index>".

    Raises:
        ConfigError: no such name.
        MissingError: this machine has no such device.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind, _, index = name.partition(":")
    if kind not in available or (index and not (kind == "cuda" and index.isdigit())):
        raise unknown("device", name, DEVICES)
    if not available[kind] or (index and int(index) >= torch.cuda.device_count()):
        raise MissingError(f"device {name!r} is not there", do="use device=auto or device=cpu")
    return torch.device(name)


def autocast(device: torch.device, precision: str = "auto") -> AbstractContextManager[object]:
    """The context in which a loss is computed.

    "auto" is bfloat16 on GPUs that have it and float32 elsewhere. A CPU stays at float32: without
    matrix hardware for it, bfloat16 is slower there.

    Raises:
        ConfigError: no such precision, or one that the device does not do well.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" and not has_bf16:
        raise ConfigError(
            f"precision 'bf16' is not supported on {device}", do="use precision=auto or fp32"
        )
    if precision == "fp32" or not has_bf16:
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def set_threads(threads: int | None) -> int:
    """Set torch's CPU threads for this process; None leaves them. Gives the number in force.

    Two threads next to another busy process are slower than one: use as many as are idle.

    Raises:
        ConfigError: fewer than one.
    """
    if threads is not None:
        if threads < 1:
            raise ConfigError(f"threads is {threads}", do="give 1 or more, or null")
        torch.set_num_threads(threads)
    return torch.get_num_threads()


@contextlib.contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """So many torch threads for a while; None leaves them."""
    before = torch.get_num_threads()
    set_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
