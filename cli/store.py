"""trimix store: what is kept of results, why it is what it is, and what can go."""

from __future__ import annotations

from dataclasses import dataclass

from trimix.cli.verb import Verb
from trimix.core.errors import unknown
from trimix.experiment.store import Store
from trimix.experiment.store_explain import explain_prefix
from trimix.experiment.store_prune import Choice, listing, prunable, rest

_ACTS = ("list", "prune")


@dataclass(frozen=True)
class StoreSettings:
    """What to do with the store of results.

    Args:
        act: list, or prune: say what can go, and with yes=true let it go.
        store: its folder; empty: $TRIMIX_STORE, else runs/store.
        why: the first digits of an entry's key: say what became of its code since it was made,
            and how it differs from the entry that is most like it.
        kinds, days, runs: what may go: of these kinds (empty: all), not used for so many days, and
            without a link to it in these folders of runs.
        yes: delete.
    """

    act: str = "list"
    store: str = ""
    why: str = ""
    kinds: tuple[str, ...] = ()
    days: float = 0.0
    runs: tuple[str, ...] = ("runs",)
    yes: bool = False

    def __post_init__(self) -> None:
        if self.act not in _ACTS:
            raise unknown("act", self.act, _ACTS)


def _command(settings: StoreSettings) -> None:
    store = Store(settings.store or None)
    if settings.why:
        print("\n".join(explain_prefix(store, settings.why)))
    elif settings.act == "list":
        print("\n".join(listing(store)))
    else:
        _prune(store, settings)


def _prune(store: Store, settings: StoreSettings) -> None:
    chosen = prunable(store, Choice(settings.kinds, settings.days, settings.runs))
    if not settings.yes:
        lines = [f"{entry.kind:<12}{entry.key[:8]}  {entry.label}" for entry in chosen]
        print("\n".join([*lines, f"{len(chosen)} entries could go, and {rest(store)}"]))
        print("nothing was deleted; yes=true does it")
        return
    removed = store.remove(chosen)
    store.clean()
    print(
        f"{len(removed)} entries deleted, {len(chosen) - len(removed)} in use; left: {rest(store)}"
    )


VERB = Verb("store", StoreSettings, _command, bare="act")
