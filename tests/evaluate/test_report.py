import copy
import json
import re
from html.parser import HTMLParser

import av
import numpy as np
import pytest
from example import example_report, example_strip
from hypothesis import given
from hypothesis import strategies as st

from trimix.core.errors import ConfigError, DataError, MissingError, TrimixError
from trimix.evaluate import report as report_module
from trimix.evaluate.clips import Panel, Strip, filmstrip, mp4, side_by_side
from trimix.evaluate.report import load_report, render_html, write_report
from trimix.evaluate.schema import validate_report

ISSUE_KEYS = (
    "wall_s.total",
    "peak_rss_gb",
    "real.label",
    "real.episodes_train",
    "real.episodes_heldout",
    "experts",
    "experts.push_t.none.n",
    "experts.push_t.none.success",
    "worldmodel.params",
    "worldmodel.train_s",
    "worldmodel.frames_per_s",
    "worldmodel.heldout.sim.psnr",
    "worldmodel.heldout.sim.copy_last",
    "worldmodel.heldout.sim.n",
    "arms",
    *(f"arms.0.{k}" for k in ("name", "shares", "train_seeds", "closed_loop", "offline")),
    *(f"arms.0.closed_loop.{k}" for k in ("world", "suite", "n", "success", "wilson95")),
    *(f"arms.0.offline.{k}" for k in ("velocity_nmse", "gripper_f1", "baselines")),
    "comparisons",
    *(f"comparisons.0.{k}" for k in ("a", "b", "n", "delta", "ci95", "scope", "status", "verdict")),
)


def _at(raw, path):
    *parents, last = path.split(".")
    for key in parents:
        raw = raw[int(key)] if isinstance(raw, list) else raw[key]
    return raw, int(last) if isinstance(raw, list) else last


class _Page(HTMLParser):
    """Checks that tags close, and gathers ids, addresses, images and table heads."""

    VOID = frozenset({"meta", "img", "br", "path", "use", "rect", "input", "link", "hr"})

    def __init__(self):
        super().__init__()
        self.stack, self.ids, self.addresses, self.unlabelled, self.bare_heads = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.addresses += [attrs[k] for k in ("src", "href", "poster", "data") if k in attrs]
        if tag == "img" and not attrs.get("alt"):
            self.unlabelled.append(attrs)
        if (tag == "video" or attrs.get("role") == "img") and not attrs.get("aria-label"):
            self.unlabelled.append(attrs)
        if tag == "th" and "scope" not in attrs:
            self.bare_heads.append(attrs)
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag


@pytest.fixture(scope="module")
def html():
    return render_html(example_report(), [example_strip(12)])


def test_the_page_needs_no_other_file(html):
    page = _Page()
    page.feed(html)
    assert page.stack == []
    assert all(a.startswith(("#", "data:")) for a in page.addresses), page.addresses
    visible = re.sub(r"data:[\w/]+;base64,[A-Za-z0-9+/=]+", "", html)
    assert not re.search(r"https?:|//\w+\.\w|@import|url\((?!#)", visible)
    assert "<script" not in html


def test_the_page_is_accessible(html):
    page = _Page()
    page.feed(html)
    assert page.unlabelled == []
    assert page.bare_heads == []
    assert len(set(page.ids)) == len(page.ids)
    inner = {a[1:] for a in page.addresses if a.startswith("#")}
    assert inner <= set(page.ids)
    assert html.count("<caption") == html.count("<table")


def test_the_page_says_what_it_rests_on(html):
    assert "stand-in (simulated)" in html
    assert "No physical robot" in html
    assert "the time budget of 3 h was used up" in html
    assert "the world model was trained on simulated episodes alone" in html


def test_equal_reports_give_equal_pages(html):
    assert render_html(example_report(), [example_strip(12)]) == html


def test_names_are_drawn_as_they_are():
    report = example_report()
    for old, new in (("sim-only", "_costs $5 or $x_{"), ("real+sim", "a$b$")):
        text = json.dumps(report).replace(f'"{old}"', json.dumps(new))
        report = json.loads(text)
    page = render_html(report)
    drawn = "".join(re.findall(r"<text.*?</text>", page, flags=re.DOTALL))
    assert "_costs $5 or $x_{" in drawn
    assert "a$b$" in drawn


def test_what_a_user_named_is_escaped():
    report = example_report()
    report["title"] = report["arms"][0]["name"] = report["comparisons"][0]["b"] = "<b>&x</b>"
    for other in report["comparisons"][1:]:
        other["b"] = "<b>&x</b>" if other["b"] == "real-only" else other["b"]
    report["mix"][0]["arm"] = "<b>&x</b>"
    assert "<b>&x" not in render_html(report)


def test_a_stand_in_is_never_shown_as_real(html):
    assert "real: stand-in (simulated)" in html
    report = example_report()
    report["real"]["label"] = "real"
    assert "stand-in" not in render_html(report)


def test_a_world_model_that_was_not_measured_is_said_so():
    report = example_report()
    report["worldmodel"]["heldout"] = {}
    assert "not measured on held-out" in render_html(report)


def test_an_empty_run_still_makes_a_page(tmp_path):
    report = example_report()
    report.update(worldmodel=None, arms=[], comparisons=[], mix=[], curves=[], experts={})
    del report["fidelity"], report["inference"]
    for arm in example_report()["arms"][:1]:
        report["arms"].append({**arm, "closed_loop": None, "offline": None})
    page = write_report(tmp_path / "run", report).read_text()
    assert "Nothing was compared: no arm has a score." in page


def test_a_written_report_comes_back(tmp_path):
    report = json.loads(json.dumps(example_report()))
    page = write_report(tmp_path, report, [example_strip(5)])
    assert page.stat().st_size < report_module.MAX_BYTES
    assert load_report(tmp_path) == report
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "report.json"]


@pytest.mark.parametrize("path", ISSUE_KEYS)
def test_a_missing_key_is_named(path):
    raw = example_report()
    holder, key = _at(raw, path)
    del holder[key]
    with pytest.raises(DataError, match=rf"{path.split('.')[-1]} is missing"):
        validate_report(raw)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("peak_rss_gb", float("nan"), "JSON cannot hold"),
        ("peak_rss_gb", "3", "not a number"),
        ("peak_rss_gb", True, "not a number"),
        ("real.label", "simulated", "not one of"),
        ("real.episodes_train", 1.5, "not int"),
        ("arms", {}, "not a list"),
        ("arms.1.closed_loop.wilson95", [0.1], "not 2 values"),
        ("arms.1.closed_loop.success", 53.0, "outside 0 to 1"),
        ("arms.1.shares", {"sim": -0.1}, "outside 0 to 1"),
        ("arms.1.name", "real-only", "one name"),
        ("comparisons.0.a", "nobody", "names arm 'nobody'"),
        ("comparisons.2.verdict", "better", "its interval does not say"),
        ("comparisons.0.status", "exploratory", "its interval does not say"),
        ("inference.statements", [], "0 statements of 4 comparisons"),
        ("curves.0.steps", [1], "unequal steps"),
        ("worldmodel.heldout", [], "not an object"),
        ("surprise", 1, "not known"),
    ],
)
def test_a_wrong_value_is_named(path, value, says):
    raw = example_report()
    holder, key = _at(raw, path)
    holder[key] = value
    with pytest.raises(DataError, match=says):
        validate_report(raw)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    )
)
def test_anything_else_is_refused_in_one_line(raw):
    with pytest.raises(DataError) as caught:
        validate_report(raw)
    assert "\n" not in str(caught.value).replace(repr(raw), "")


def test_validation_changes_nothing():
    raw = example_report()
    before = copy.deepcopy(raw)
    assert validate_report(raw) is raw
    assert raw == before


def test_a_bad_report_writes_nothing(tmp_path, monkeypatch):
    report = example_report()
    del report["arms"]
    with pytest.raises(DataError):
        write_report(tmp_path, report)
    assert list(tmp_path.iterdir()) == []


def test_clips_that_are_too_large_cost_the_page_and_not_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "MAX_BYTES", 1000)
    with pytest.raises(TrimixError, match="fewer or shorter clips"):
        write_report(tmp_path, example_report())
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
    assert load_report(tmp_path)["wall_s"] == example_report()["wall_s"]


def test_a_folder_without_a_report_is_named(tmp_path):
    with pytest.raises(MissingError, match=r"report\.json"):
        load_report(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(DataError, match="JSON"):
        load_report(tmp_path)


def test_panels_play_in_step_by_the_clock():
    grey = np.zeros((10, 8, 8, 3), np.uint8) + np.arange(10, dtype=np.uint8)[:, None, None, None]
    strip = Strip("s", (Panel("real", "r", grey, 10.0), Panel("sim", "s", grey[:5], 5.0)))
    frames, fps = side_by_side(strip, 8)
    assert (frames.shape, fps) == ((10, 8, 24, 3), 10.0)
    np.testing.assert_array_equal(frames[:, 0, 0, 0], np.arange(10))
    np.testing.assert_array_equal(frames[:, 0, -1, 0], np.arange(10) // 2)


def test_a_short_clip_holds_its_last_frame():
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    long = np.zeros((6, 8, 8, 3), np.uint8)
    strip = Strip("s", (Panel("sim", "a", images, 10.0), Panel("sim", "b", long, 10.0)))
    frames, _ = side_by_side(strip, 8)
    assert frames[:, 0, 0, 0].tolist() == [0, 1, 2, 2, 2, 2]
    assert filmstrip(Panel("sim", "a", images, 10.0), 2, 8).shape == (8, 20, 3)
    assert filmstrip(Panel("sim", "a", images, 10.0), 9, 8).shape == (8, 32, 3)


def test_the_video_decodes_to_what_went_in(tmp_path):
    frames, fps = side_by_side(example_strip(12), 96)
    path = tmp_path / "strip.mp4"
    path.write_bytes(mp4(frames, fps))
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.average_rate) == fps
        seen = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(stream)])
    assert seen.shape == frames.shape
    assert np.abs(seen.astype(int) - frames).mean() < 8


def test_bad_clips_are_named():
    with pytest.raises(ConfigError, match="no panels"):
        Strip("s", ())
    with pytest.raises(ConfigError, match="expected"):
        Strip("s", (Panel("sim", "a", np.zeros((0, 4, 4, 3), np.uint8), 10.0),))
