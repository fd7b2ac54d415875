"""Laws of work on a Ray cluster: the bytes of local processes, and a lost worker costs its task."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from trimix.core.errors import ConfigError, MissingError, TrimixError
from trimix.experiment import executor_ray
from trimix.experiment.executor import executor_of

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray (an extra) is not installed"),
    pytest.mark.timeout(900),
]

# One cluster for all that needs one, in a process of its own: Ray keeps state in its driver.
PROGRAM = """
import json, os, signal, sys
from functools import partial
signal.signal(signal.SIGTERM, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from shared_units import Count, DieOnce, Fill, Refuse, environment, share
from trimix.core.errors import ConfigError, TrimixError
from trimix.core.workers import Local
from trimix.experiment.executor import executor_of, make_units
from trimix.experiment.run import run
from trimix.experiment.store import Store
from tiny import tiny

folder, log = sys.argv[2], sys.argv[2] + "/log"
ray = executor_of("ray", 2)
found = {}

units = [Count(seed=0, log=log), DieOnce(seed=1, log=log), Count(seed=2, n=9, log=log)]
for name, executor in (("ray", ray), ("local", Local(2))):
    ticks = []
    made = make_units(Store(folder + "/" + name), units, executor, lambda: ticks.append(1))
    found[name] = [[e.digest, e.result] for e in made] + [len(ticks)]
found["begun"] = sum(" begin " in line for line in open(log))

try:
    make_units(Store(folder + "/ray"), [Count(seed=7), Refuse(seed=8), Count(seed=9)], ray)
except ConfigError as fault:
    found["fault"] = str(fault)
found["kept"] = sorted(e.label for e in Store(folder + "/ray").entries())

for name, executor in (("ray", ray), ("local", Local(1))):
    place = folder + "/comparison-" + name
    result = run(tiny(), place + "/run", store=place + "/store", executor=executor)
    found["comparison " + name] = sorted(
        [r.kind, r.key, r.label, {n: d for n, d in r.contents.files.items() if n != "log.jsonl"}]
        for r in Store(place + "/store").records()
    )  # the log of a training says how long its steps took
    scores = [[arm["closed_loop"], arm["offline"]] for arm in result.report["arms"]]
    found["scores " + name] = [scores, result.report["comparisons"]]

died = TrimixError("a worker died")
found["environment"] = list(ray.run(environment, [0, 1], setup=partial(share, 5), died=died))
import subprocess
found["listening"] = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True).stdout
found["stops as before"] = signal.getsignal(signal.SIGTERM) is signal.default_int_handler
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(folder)],
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_results_are_those_of_local_processes(found) -> None:
    assert found["ray"] == found["local"]
    assert found["ray"][-1] == 3 + 3 + 9, "every unit of work is counted once"


def test_data_sets_policies_and_scores_are_those_of_local_processes_to_the_byte(found) -> None:
    assert found["comparison ray"] == found["comparison local"]
    assert found["scores ray"] == found["scores local"]
    kinds = {kind for kind, *_ in found["comparison ray"]}
    assert {"dataset", "policy", "rollouts", "predictions"} <= kinds


def test_a_worker_that_dies_costs_its_own_task_one_more_try(found) -> None:
    assert found["begun"] == 2 * 3  # DieOnce notes its beginning in the second try alone


def test_a_mistake_comes_back_as_itself_and_costs_no_other_unit(found) -> None:
    assert found["fault"] == "count to 3 seed 8 is refused"
    assert {"count to 3 seed 7", "count to 3 seed 9"} <= set(found["kept"])


def test_processes_have_one_thread_and_share_what_setup_made(found) -> None:
    for _, (shared, threads) in found["environment"]:
        assert (shared, threads) == (5, "1")


def test_what_a_scheduler_sends_still_ends_a_run_as_an_interrupt_does(found) -> None:
    assert found["stops as before"], "Ray's own handler would end the process on the spot"


def test_a_cluster_of_ones_own_listens_to_nobody_else(found) -> None:
    servers = [x for x in found["listening"].splitlines() if "raylet" in x or "gcs_server" in x]
    if not servers:
        pytest.skip("ss does not say whose sockets there are")
    for line in servers:
        assert "127.0.0.1" in line or "[::1]" in line, line


def run(address: str) -> None:
    died = TrimixError("a worker died")
    executor = executor_of(address, 2)
    list(executor.run(_nothing, [1], setup=partial(nullcontext, 0), died=died))


def _nothing(state: int, argument: int, tick) -> None:
    raise AssertionError("it was run")


@pytest.fixture
def silent():
    """A port that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["ray://", ""])
def test_an_address_that_does_not_answer_is_one_line_soon(monkeypatch, silent, scheme) -> None:
    monkeypatch.setattr(executor_ray, "ANSWER_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused = server.getsockname()[1]
    for port in (refused, silent):
        began = time.monotonic()
        with pytest.raises(MissingError, match=r"no Ray cluster answers \(.*ray start") as caught:
            run(f"{scheme}127.0.0.1:{port}")
        assert "\n" not in str(caught.value)
        assert time.monotonic() - began < 60


@pytest.mark.parametrize("address", ["ray://nowhere", "ray://:1", "a/b:1", "host:port"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        executor_of(address, 2)


def test_without_ray_it_is_said_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setattr(executor_ray, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install 'trimix\[ray\]'"):
        executor_of("ray", 2)
