"""Laws of the command line: every verb builds, every mistake is one line and status 2."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore

from trimix.cli.bench import BenchSettings, _write_json
from trimix.cli.main import VERBS, main
from trimix.cli.verb import CONF, Verb, call
from trimix.core import settings
from trimix.core.errors import ConfigError

PRESETS = sorted(p.stem for p in (CONF / "preset").glob("*.yaml"))


def only_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_its_own_name_and_a_config_that_composes(name: str) -> None:
    verb: Verb = VERBS[name]
    assert verb.name == name
    ConfigStore.instance().store(name=f"{name}_defaults", node=settings.schema(verb.config))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        compose(config_name=name)
    assert (CONF / f"{name}.yaml").is_file()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_builds_the_pipeline_s_settings(preset: str) -> None:
    verb: Verb = VERBS["pipeline"]
    ConfigStore.instance().store(name="pipeline_defaults", node=settings.schema(verb.config))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(config_name="pipeline", overrides=[f"preset={preset}", "real.path=x"])
    built = settings.to_object(
        settings.OmegaConf.merge(settings.schema(verb.config), config), verb.config
    )
    assert built.real.path == "x"


def test_without_a_verb_it_lists_exactly_the_verbs_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:2] == "  "]
    assert listed == list(VERBS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["colect"], "'colect' is not known; available: "),
        (
            ["collect", "ouut=x"],
            "'ouut' is not known; available: world, task, robot, ",
        ),
        (
            ["collect", "+ouut=x"],
            "'ouut' is not known; available: world, task, robot, ",
        ),
        (["collect", "dream.secs=1"], "'secs' is not known; available: worldmodel, datasets"),
        (["collect", "episodes=many"], "episodes"),
        (["collect", "episodes=0"], "episodes is 0; at least 1"),
        (
            ["collect", "out={tmp}/x", "task=bananas"],
            "'bananas' is not known; available: ban",
        ),
        (["collect", "out={tmp}/x", "randomization=wild"], "available: mild, none, strong, target"),
        (["collect", "out={tmp}/x", "cameras=[wirst]"], "camera 'wirst'"),
        (["collect", "out={tmp}/x", "control_mode=ee"], "control mode 'ee'"),
        (
            ["collect", "out={tmp}/x", "policy=nobody"],
            "nobody: there is no such policy; name a trained",
        ),
        (["collect", "out={tmp}/x", "world=dream"], "dream.worldmodel"),
        (["import", "out={tmp}/x"], "path"),
        (["import", "path={tmp}/none", "out={tmp}/x"], "check the path"),
        (["mix", "recipe={tmp}/none.yaml"], "there is no such recipe"),
        (["train", "lock={tmp}/none.lock"], "there is no such lock"),
        (["train", "what=nothing"], "available: policy, worldmodel"),
        (["view"], "nothing to view"),
        (["view", "{tmp}/none"], "check the path"),
        (["evaluate", "world=moon"], "'moon' is not known; available: dm_control, dream"),
        (["evaluate"], "there is no policy to evaluate"),
        (["evaluate", "policies.a={tmp}/none"], "there is no such policy"),
        (["verify", "data={tmp}/none"], "no data set is there"),
        (["report", "run={tmp}"], "no report.json"),
        (["doctor", "data={tmp}/none"], "no such directory"),
        (["pipeline", "preset=huge"], "huge"),
        (["pipeline", "preset=tiny", "out={tmp}/x", "real.path={tmp}/none"], "check the path"),
        (["pipeline", "arms.odd={synthetic: 1}"], "source 'synthetic' is not known; available"),
        (["collect", "a b"], "trimix"),
        (["collect", "out={tmp}/x", "image_hw=[0,0]"], "image_hw is [0, 0]; give height"),
        (["pipeline", "image_hw=[100000,100000]"], "image_hw is [100000, 100000]"),
        (["pipeline", "image_hw=[16]"], "image_hw is [16]"),
        (["pipeline", "control_dt_s=0"], "control_dt_s is 0; above 0"),
        (["pipeline", "control_dt_s=nan"], "control_dt_s is nan"),
        (["pipeline", "real.heldout=nan"], "real.heldout is nan"),
        (["pipeline", "seed=99999999999999999999999"], "seed"),
        (["pipeline", "seed=-1"], "seed is -1"),
        (["pipeline", "policy.width=-5"], "policy.width is -5; at least 1"),
        (["pipeline", "evaluate.offline_windows=-1"], "evaluate.offline_windows is -1"),
        (["pipeline", "out={tmp}/x", "evaluate.device=foo"], "device 'foo' is not known"),
    ],
)
def test_a_mistake_is_one_line_status_2_and_leaves_nothing(
    arguments: list[str], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [a.replace("{tmp}", str(tmp_path)) for a in arguments]
    assert main(given) == 2
    error = capfd.readouterr().err
    assert "Traceback" not in error
    line = only_line(error) if arguments[0] != "doctor" else error
    assert said in line
    left = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert left == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["pipeline", "preset=tiny", "out={tmp}"],
        ["evaluate", "policies.a=expert", "out={tmp}"],
    ],
)
def test_what_is_somebody_elses_is_not_written_over(
    arguments: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"config.yaml": "a: 1", "suite.json": "{}"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert main([a.replace("{tmp}", str(tmp_path)) for a in arguments]) == 2
    assert "choose a" in only_line(capfd.readouterr().err)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == files


def test_a_fault_of_the_system_is_one_line_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "gone"
    verb = replace(VERBS["doctor"], run=lambda _: missing.read_text())
    assert call(verb, []) == 2
    assert only_line(capfd.readouterr().err) == f"trimix: {missing}: No such file or directory"


INTERRUPTED = """
import sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from trimix.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("moment", ["trimix.cli.verb", "trimix.experiment.run"])
def test_an_interrupt_while_libraries_are_imported_is_one_line_too(
    moment: str, tmp_path: Path
) -> None:
    command = [moment, "pipeline", "preset=tiny", f"out={tmp_path / 'run'}"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert only_line(done.stderr).startswith("interrupted; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_output_that_is_closed_is_no_fault(closed: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m trimix.cli.main --help {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["all", "plan"])
def test_speed_as_json_is_of_the_speed_benchmark_alone(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name=sim alone"):
        BenchSettings(name=name, json=str(tmp_path / "x.json"))
    assert not list(tmp_path.iterdir())


def test_speed_as_json_has_a_folder_before_anything_is_timed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no place for a file"):
        _write_json(tmp_path / "none" / "x.json", quick=True)
