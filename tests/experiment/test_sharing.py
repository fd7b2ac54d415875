"""Laws of a store that several processes share: one makes, the others wait and use it."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from kill_store import PROGRAM, begin, half_written, main, twice_at_once
from shared_units import Count, DieOnce, Fill, Refuse

from trimix.core.errors import EXIT_STATUS, ConfigError, TrimixError
from trimix.core.workers import Local
from trimix.experiment.executor import executor_of, make_units
from trimix.experiment.store import Store
from trimix.experiment.store_lease import Leases

ASK = """
import sys, time
sys.path.insert(0, sys.argv[1])
from shared_units import Count
from trimix.core.workers import Local
from trimix.experiment.executor import make_units
from trimix.experiment.store import Store
units = [Count(seed=0), Count(seed=1, n=600, pause_s=0.1)]
make_units(Store(sys.argv[2]), units, Local(1), lambda: print("begun", flush=True))
"""

HOLD = """
import sys, time
from pathlib import Path
from trimix.experiment.store_lease import Leases
with Leases(Path(sys.argv[1])).hold(sys.argv[2], "dinner") as is_ours:
    print(is_ours, flush=True)
    time.sleep(60)
"""

USE = """
import sys, time
sys.path.insert(0, sys.argv[1])
from shared_units import Count
from trimix.experiment.store import Store
store = Store(sys.argv[2])
print(store.find(Count()) is not None, flush=True)
time.sleep(60)
"""


def script(text: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_two_runs_of_overlapping_work_make_each_entry_once(tmp_path: Path) -> None:
    root, log = tmp_path / "store", tmp_path / "log"
    runs = [begin(root, log, span) for span in ((0, 6), (3, 9))]
    outs = [json.loads(run.communicate(timeout=120)[0]) for run in runs]
    noted = log.read_text().splitlines()
    assert sorted(line.split(" ", 1)[1] for line in noted if " end " in line) == sorted(
        f"end count to {5 + i % 3} seed {i}" for i in range(9)
    )
    assert not twice_at_once(noted)
    shared = [entry for entry in outs[0] if entry in outs[1]]
    assert len(shared) >= 6  # three counts and their sums


def test_the_check_for_twice_at_once_can_fail() -> None:
    assert twice_at_once(["1 begin a", "2 begin a"]) == ["a"]
    assert twice_at_once(["1 begin a", "1 end a", "2 begin a"]) == []
    assert twice_at_once(["1 begin a", "1 killed -", "2 begin a"]) == []
    assert twice_at_once(["1 begin a", "3 killed -", "2 begin a"]) == ["a"]


def test_the_check_for_half_written_entries_can_fail(store: Store) -> None:
    entry = store.make(Count())
    assert half_written(store.root) == []
    (entry.folder / "0.txt").write_text("")
    assert half_written(store.root) == ["count to 3 seed 0"]


def test_kills_at_any_moment_leave_nothing_half_done() -> None:
    assert main(kills=3) == 0


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    leases = Leases(tmp_path)
    process = script(HOLD, tmp_path, "k")
    assert first_line(process) == "True"
    with leases.hold("k", "mine") as is_ours:
        assert not is_ours
    assert leases.held("k").startswith(f"dinner, which process {process.pid} on ")
    process.send_signal(signal.SIGKILL)
    process.wait()
    began = time.monotonic()
    leases.wait(["k"], lambda key: False)
    with leases.hold("k", "mine") as is_ours:
        assert is_ours
        assert "mine" in leases.held("k"), "the dead one's note is written over"
    assert time.monotonic() - began < 5


def test_threads_of_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    leases = Leases(tmp_path)
    seen: list[bool] = []

    def other() -> None:
        with Leases(tmp_path).hold("k", "theirs") as is_ours:
            seen.append(is_ours)

    with leases.hold("k", "mine") as is_ours:
        assert is_ours
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert seen == [False, True]


def test_who_waits_says_for_what_and_for_whom(store: Store, caplog) -> None:
    unit = Count()
    store.make(Count(seed=1))
    process = script(HOLD, store.root / "leases", store.key(unit))
    assert first_line(process) == "True"
    threading.Timer(1.0, process.kill).start()
    with caplog.at_level(logging.WARNING):
        entry = store.make(unit)
    process.wait()
    assert not entry.reused
    (said,) = [r.getMessage() for r in caplog.records]
    assert said.startswith(f"waiting for dinner, which process {process.pid} on ")


def test_other_work_is_done_before_anything_is_waited_for(store: Store, tmp_path: Path) -> None:
    store.make(Count(seed=99))
    process = script(HOLD, store.root / "leases", store.key(Count(seed=0)))
    assert first_line(process) == "True"
    log = tmp_path / "log"
    threading.Timer(3.0, process.kill).start()
    units = [Count(seed=i, log=str(log)) for i in range(3)]
    entries = make_units(store, units, Local(1))
    process.wait()
    assert [e.label for e in entries] == [u.label for u in units]
    ends = [line.split(" ", 2)[2] for line in log.read_text().splitlines() if " end " in line]
    assert ends == [units[i].label for i in (1, 2, 0)]


def test_what_another_process_uses_is_not_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = store.make(Count())
    admin = Store(store.root)
    assert admin.remove([entry]) == [], "this very process uses it, through another Store"
    del store
    process = script(USE, Path(__file__).parent, admin.root)
    assert first_line(process) == "True"
    assert admin.remove([entry]) == []
    assert (entry.folder / "0.txt").is_file()
    process.kill()
    process.wait()
    assert admin.remove([entry]) == [entry]
    assert list((admin.root / "users").glob("*")) == [], "what the dead left is cleaned up"


def test_what_a_live_run_made_but_has_not_given_out_is_not_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    process = script(ASK, Path(__file__).parent, store.root)
    for _ in range(3 + 1):  # the first unit is done, the second under way
        assert first_line(process) == "begun"
    (made,) = store.entries()
    assert made.label == Count().label
    assert store.remove([made]) == []
    process.kill()
    process.wait()
    assert store.remove([made]) == [made]


def test_what_is_being_made_is_not_removed(store: Store) -> None:
    entry = store.make(Count())
    process = script(HOLD, store.root / "leases", entry.key)
    assert first_line(process) == "True"
    assert store.remove([entry]) == []
    process.kill()
    process.wait()
    assert store.remove([entry]) == [entry]


@pytest.mark.parametrize("workers", [1, 2])
def test_units_are_made_in_order_of_asking_and_once(
    store: Store, tmp_path: Path, workers: int
) -> None:
    log = tmp_path / "log"
    units = [Count(seed=s, log=str(log)) for s in (3, 1, 3, 2)]
    store.make(Count(seed=1, log=str(log)))
    ticks: list[None] = []
    entries = make_units(store, units, executor_of("local", workers), lambda: ticks.append(None))
    assert [e.label for e in entries] == [u.label for u in units]
    assert [e.reused for e in entries] == [False, True, False, False]
    assert len(log.read_text().splitlines()) == 2 * 3
    assert len(ticks) == 2 * 3
    assert all(e.reused for e in make_units(store, units, Local(workers)))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unit_that_fails_costs_no_other(store: Store, workers: int) -> None:
    units = [Count(seed=0), Refuse(seed=1), Count(seed=2), Refuse(seed=3), Count(seed=4)]
    with pytest.raises(ConfigError, match="seed 1 is refused"):
        make_units(store, units, Local(workers))
    assert {e.label for e in store.entries()} == {units[i].label for i in (0, 2, 4)}


def test_a_worker_that_dies_costs_its_own_unit_one_more_try(store: Store, tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    units = [Count(seed=0, log=log), DieOnce(seed=1, log=log), Count(seed=2, log=log)]
    entries = make_units(store, units, Local(2))
    whole = Store(tmp_path / "other").make(Count(seed=1))
    assert [e.digest for e in entries][1] == whole.digest
    assert len([x for x in Path(log).read_text().splitlines() if " begin " in x]) == 3


def test_an_unknown_executor_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"local, ray, or a Ray cluster's address"):
        executor_of("slurm", 2)
    with pytest.raises(ConfigError, match="at least 1"):
        executor_of("local", 0)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 8 MB."""
    at = tmp_path / "small"
    at.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(at)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only root can mount a small disk to fill")
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_in_a_worker_is_one_line_and_loses_nothing(
    small_disk: Path, workers: int
) -> None:
    store = Store(small_disk / "store")
    units = [Count(seed=0), Fill(seed=1), Count(seed=2)]
    make_units(store, units[:1], Local(workers))
    with pytest.raises(TrimixError, match=r"the disk is full; make room") as caught:
        make_units(store, units, Local(workers))
    assert "\n" not in str(caught.value)
    store.clean()
    assert not store.partials()
    entries = make_units(store, [units[0], units[2]], Local(workers))
    assert entries[0].reused, "what was made before is there"
    assert not half_written(store.root)


def test_a_root_that_cannot_be_written_is_one_line_but_can_be_read(
    small_disk: Path, tmp_path: Path
) -> None:
    """Root may write wherever the modes say no, so the disk itself says it."""
    store = Store(small_disk / "store")
    made = store.make(Count())
    del store
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = Store(small_disk / "store")
    again = store.make(Count())
    assert again.digest == made.digest
    for work in (
        lambda: store.make(Count(seed=1)),
        lambda: Store(small_disk / "new").make(Count()),
        lambda: make_units(store, [Count(seed=1), Count(seed=2)], Local(2)),
    ):
        with pytest.raises(TrimixError, match="the file system is read-only"):
            work()


def test_the_program_says_one_line_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"format": 7}')
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), "", "0", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "format 7" in done.stderr
    assert done.returncode == EXIT_STATUS
    assert [p.name for p in tmp_path.iterdir()] == ["store.json"]
