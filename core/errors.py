"""What trimix says when something a user gave cannot be used.

An error is part of the product: it says what is wrong, where, and what to do about it.
The command line prints it as one line and exits with status 2.
"""

from __future__ import annotations

from collections.abc import Iterable

EXIT_STATUS = 2


class TrimixError(Exception):
    """A mistake or a fault outside trimix that a user can act on.

    Args:
        what: what is wrong, as one clause.
        where: file, episode, row, key: the place it was found. Empty if `what` names it.
        do: what the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        self.what, self.where, self.do = what, where, do
        line = f"{where}: {what}" if where else what
        super().__init__(f"{line}; {do}" if do else line)


class ConfigError(TrimixError):
    """A setting that does not exist, or a value that a setting cannot take."""


class DataError(TrimixError):
    """A data set, an episode or a file that cannot be trusted."""


class InterfaceError(TrimixError):
    """Two things that do not share cameras, channels, control mode or control period."""


class MissingError(TrimixError):
    """A file, a library or a device that is not there."""


def unknown(kind: str, name: str, known: Iterable[str], *, where: str = "") -> ConfigError:
    """The error for a name that is not in a registry, naming the ones that are."""
    listed = ", ".join(sorted(known)) or "none"
    return ConfigError(f"{kind} {name!r} is not known", where=where, do=f"available: {listed}")
