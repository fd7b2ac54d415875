"""A recipe and the data that it names -> a lock.

Axes: P phases, m sources after merging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from trimix.core.errors import ConfigError, DataError, MissingError
from trimix.mix.caps import cap_shares
from trimix.mix.heldout import UNKNOWN, HeldOut
from trimix.mix.lock import Lock, LockedSource
from trimix.mix.recipe import Phase, Recipe, Source
from trimix.mix.schedule import Schedule, Segment, to_parts
from trimix.mix.selection import Selection, drawn_twice, select
from trimix.mix.source import DiskStore, SourceData, Store, View, joint_interface


@dataclass(frozen=True)
class _Content:
    """One content in the mix, and all the names under which the recipe lists it."""

    identity: str
    names: tuple[str, ...]
    source: Source
    data: SourceData
    selection: Selection

    @property
    def limit(self) -> int | None:
        """The most windows that the cap allows over the training."""
        cap = self.source.max_repeats
        return None if cap is None else int(Fraction(str(cap)) * self.selection.windows)


def compile_recipe(recipe: Recipe, store: Store | None = None, where: str = "recipe") -> Lock:
    """Open the sources, and plan the whole training on those that have a share.

    Sources whose chosen windows are the same bytes are one source with the sum of their shares;
    sources that share some of their windows are refused, since what is in two sources would be
    drawn twice before the rest is drawn once. Sources are ordered by content, so that names, paths
    and their order change nothing.

    Args:
        recipe: what is asked for.
        store: where data comes from; None is the disk.
        where: what errors call the recipe.

    Raises:
        ConfigError: the recipe contradicts itself, a cap cannot be kept, or two sources share a
            part of their windows.
        DataError: a source has no window left to draw, or too few episodes to sample from.
        InterfaceError: two sources cannot be mixed, naming the difference.
        TrimixError: a source cannot be opened.
    """
    recipe.validate(where)
    store = store or DiskStore()
    opened = {name: store.open(recipe.sources[name].path) for name in recipe.active()}
    view = View(recipe.window, recipe.cameras, recipe.image_hw)
    _require_one_interface(opened, view, where)
    drawn = {recipe.sources[name].path for name in opened}
    traced = [store.open(path) for path in recipe.lineage if path not in drawn]
    traced += _without_share(recipe, opened, store)
    contents = _contents(recipe, opened, HeldOut([*opened.values(), *traced]), where)
    phases = _phases(recipe)
    wanted = _weights(recipe, phases, contents)

    def schedule(weights: Sequence[Sequence[Fraction]]) -> Schedule:
        segments = tuple(
            Segment(end, to_parts(_normal(row)))
            for (end, _), row in zip(phases, weights, strict=True)
        )
        return Schedule(recipe.batch_size, segments, recipe.ramp == "linear")

    asked = schedule(wanted)
    planned = cap_shares(
        schedule,
        wanted,
        [c.limit for c in contents],
        names=["+".join(c.names) for c in contents],
        redistribute=recipe.when_capped == "redistribute",
        where=where,
    )
    draws = planned.before(planned.steps)
    interfaces = [view.interface(c.data.interface) for c in contents]
    return Lock(
        sources=tuple(
            _locked(content, float(asked_share), float(share), int(drawn))
            for content, asked_share, share, drawn in zip(
                contents, asked.mean_shares(), planned.mean_shares(), draws, strict=True
            )
        ),
        segments=planned.segments,
        linear=planned.linear,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        view=view,
        interface=joint_interface(interfaces),
        unused=tuple(sorted(set(recipe.sources) - set(opened))),
    )


def _without_share(
    recipe: Recipe, opened: Mapping[str, SourceData], store: Store
) -> Iterator[SourceData]:
    """What these hold out stays so: arms of one sweep over shares are compared on it.

    One that is not there, such as dreams that no arm has asked for yet, holds nothing out.
    """
    for name, source in recipe.sources.items():
        if name not in opened:
            with suppress(MissingError):
                yield store.open(source.path)


def _require_one_interface(opened: Mapping[str, SourceData], view: View, where: str) -> None:
    first, *others = opened
    seen = view.interface(opened[first].interface)
    for other in others:
        seen.require_same(
            view.interface(opened[other].interface),
            where=f"{where}: source {first!r} against source {other!r}",
            do="import them alike, or let the recipe name `cameras` and `image_hw` they can share",
        )


def _contents(
    recipe: Recipe, opened: Mapping[str, SourceData], held: HeldOut, where: str
) -> list[_Content]:
    """The recipe's sources, filtered, merged and in the order of their identity."""
    merged: dict[str, _Content] = {}
    for name, data in opened.items():
        source = recipe.sources[name]
        at = f"{where}: source {name!r} ({source.path})"
        selection = select(data, source.filter, recipe.window, held, recipe.seed, at)
        if selection.windows == 0:
            left_out = ", ".join(f"{n} {why}" for why, n in selection.excluded.items())
            raise DataError(
                f"no window is left to draw (left out: {left_out or 'nothing, it is empty'})",
                where=at,
                do="name the data sets that its dreams go back to under `lineage`"
                if UNKNOWN in selection.excluded
                else "loosen its filter or give it no share",
            )
        identity = selection.identity(data.content_hash)
        same = merged.get(identity)
        if same is not None:
            _require_alike(source, name, same, where)
        names = (*same.names, name) if same else (name,)
        merged[identity] = _Content(identity, names, source, data, selection)
    contents = sorted(merged.values(), key=lambda c: (c.data.content_hash, c.identity))
    for _, same_data in groupby(contents, key=lambda c: c.data.content_hash):
        _require_apart(list(same_data), where)
    return contents


def _require_apart(contents: Sequence[_Content], where: str) -> None:
    """Sources of one data set have no window in common."""
    met = drawn_twice([c.selection for c in contents])
    if met is None:
        return
    one, other, episode = met
    names = sorted("+".join(contents[i].names) for i in (one, other))
    raise ConfigError(
        f"{names[0]!r} and {names[1]!r} both draw windows of episode {episode} of one data set",
        where=where,
        do="make their filters disjoint (by success, origin or episodes), or list it once",
    )


def _require_alike(source: Source, name: str, same: _Content, where: str) -> None:
    for field in ("max_repeats", "domain"):
        ours, theirs = getattr(source, field), getattr(same.source, field)
        if ours != theirs:
            raise ConfigError(
                f"the same content with {field} {ours} and {theirs}",
                where=f"{where}: sources {name!r} and {same.names[0]!r}",
                do="make them agree, or list the content once",
            )


def _weights(
    recipe: Recipe, phases: Sequence[tuple[int, Phase]], contents: Sequence[_Content]
) -> list[list[Fraction]]:
    """(P, m) weights by windows; exact, so that no share depends on the order of sums."""
    factors = []
    for content in contents:
        factor = Fraction(1)
        if recipe.unit == "episodes":
            factor = Fraction(content.selection.windows, len(content.selection.episode))
        factors.append(factor)
    return [
        [
            factor * sum((_exact(phase.shares.get(n, 0.0)) for n in content.names), Fraction(0))
            for content, factor in zip(contents, factors, strict=True)
        ]
        for _, phase in phases
    ]


def _exact(share: float) -> Fraction:
    """The decimal that was written: 0.7 is 7/10, not the nearest binary fraction."""
    return Fraction(str(share))


def _normal(weights: Sequence[Fraction]) -> list[Fraction]:
    total = sum(weights, Fraction(0))
    return [w / total for w in weights]


def _phases(recipe: Recipe) -> list[tuple[int, Phase]]:
    """The phases with the first step after each; those too short for one step are left out."""
    out: list[tuple[int, Phase]] = []
    for phase in recipe.all_phases():
        end = round(_exact(phase.until) * recipe.steps)
        if end > (out[-1][0] if out else 0):
            out.append((end, phase))
    return out


def _locked(content: _Content, asked_share: float, share: float, draws: int) -> LockedSource:
    chosen = content.selection
    return LockedSource(
        identity=content.identity,
        names=content.names,
        path=content.source.path,
        content_hash=content.data.content_hash,
        episodes=chosen.episodes,
        sample=content.source.filter.sample,
        min_trust=content.source.filter.min_trust if chosen.cut else 0.0,
        windows=chosen.windows,
        origins=chosen.origins(),
        excluded=chosen.excluded,
        domain=content.source.domain,
        max_repeats=content.source.max_repeats,
        asked_share=asked_share,
        share=share,
        draws=draws,
        repeats=draws / chosen.windows,
    )
