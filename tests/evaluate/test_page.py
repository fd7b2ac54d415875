"""What the report's page shows first, and what its colours, figures and words may mean."""

import copy
import re
from dataclasses import replace
from html import unescape

import pytest
from example import example_report, example_strip
from test_report import _Page

from trimix.evaluate import report as report_module
from trimix.evaluate.dotplot import fit_axis
from trimix.evaluate.page import answers, made_of, ranked
from trimix.evaluate.report import TEMPLATES, render_html
from trimix.evaluate.verdict import heldout_headline

ORIGINS = ("real", "sim", "dream")
CLAIMS = re.compile(r"\b(beats?|best|outperforms?|winner)\b")


def _bare():
    """The example without the figures that take longest to draw."""
    return {**example_report(), "curves": [], "worldmodel": None}


def _real(closed=True):
    report = _bare()
    report["real"]["label"] = "real"
    report["warnings"] = []
    if not closed:
        for arm in report["arms"]:
            arm["closed_loop"] = None
        report["comparisons"] = []
        del report["inference"], report["fidelity"]
    return report


def _text(html):
    """What a reader sees."""
    html = re.sub(r"<style>.*?</style>|<!--.*?-->", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _first_screen(html):
    return html[html.index('<section class="first"') : html.index("</nav>")]


def _plots(html):
    """id -> markup of every dot plot, in order."""
    found = re.findall(r'<figure class="dots[^"]*" id="plot-(\w+)".*?</figure>', html, re.DOTALL)
    whole = re.finditer(r'<figure class="dots[^"]*" id="plot-\w+".*?</figure>', html, re.DOTALL)
    return dict(zip(found, (m.group() for m in whole), strict=True))


def _ticks(plot):
    axis = re.search(r'<svg class="axis".*?</svg>', plot, re.DOTALL).group()
    return [float(t.replace("\N{MINUS SIGN}", "-")) for t in re.findall(r">([^<>]+)</text>", axis)]


@pytest.fixture(scope="module")
def html():
    return render_html(example_report(), [example_strip(6)])


def test_the_first_screen_is_one_sentence_one_plot_and_what_is_open(html):
    report, first = example_report(), _first_screen(html)
    heads = re.findall(r"<h[1-6][^>]*>(.*?)</h", first, re.DOTALL)
    assert [_text(h).strip() for h in heads] == [report["inference"]["headline"]]
    assert list(_plots(first)) == ["success"]
    assert "<table" not in first
    for item in report["inference"]["open"]:
        assert item["sentence"] in _text(first)


def test_a_robots_held_out_scores_come_before_its_cousins_closed_loop():
    report = _real()
    html = render_html(report)
    first, said = _first_screen(html), heldout_headline(report["arms"])
    assert re.search(r"<h1[^>]*>(.*?)</h1>", first, re.DOTALL).group(1) == said.replace(
        "'", "&#39;"
    )
    assert list(_plots(first)) == ["error"]
    assert report["inference"]["headline"] not in _text(first)
    assert "cousin" not in _text(first)
    assert html.index('id="held-out"') < html.index('id="closed-loop"')
    assert "Closed loop in the simulated cousin" in html
    assert [a.kind for a in answers(report)] == ["held out", "closed loop"]
    assert [a.kind for a in answers(example_report())] == ["closed loop", "held out"]


def test_without_closed_loop_scores_none_are_spoken_of():
    text = _text(render_html(_real(closed=False)))
    assert "predict held-out actions better" in text
    for word in ("closed loop", "Closed loop", "cousin", "Every comparison"):
        assert word not in text


def test_few_seeds_speak_of_these_policies(html):
    assert "95% simultaneous interval, of the mixes" in html
    report = _bare()
    for arm in report["arms"]:
        arm["closed_loop"]["ci95_scope"] = "these policies"
    page = render_html(report)
    assert "95% simultaneous interval, of these policies" in page
    assert "of the mixes" not in _first_screen(page)
    for arm in report["arms"]:
        del arm["closed_loop"]["ci95"], arm["closed_loop"]["ci95_scope"]
    assert "95% Wilson interval, of these policies" in render_html(report)


def test_what_is_exploratory_is_marked():
    report = _bare()
    assert "exploratory" not in _text(render_html(report))
    report["inference"]["status"] = "exploratory"
    for c in report["comparisons"]:
        c.update(status="exploratory", verdict="open")
    html = render_html(report)
    assert "exploratory" in re.search(r"<h1.*?</h1>", html, re.DOTALL).group()
    assert _plots(html)["differences"].count('<span class="badge">exploratory') == 4
    assert "better</span>" not in html and "worse</span>" not in html


def test_the_page_claims_nothing_of_its_own():
    """Whatever it says of one arm against another, report.json says so word for word."""
    report = _bare()
    part = report["inference"]
    part["headline"], part["statements"] = "H.", ["S."] * 4
    for item in part["open"]:
        item["sentence"] = "O."
    text = _text(render_html(report))
    assert not CLAIMS.search(text)
    assert "told apart" not in text


def test_every_number_is_the_reports():
    """Intervals that no rate and no seed would give are shown as they are."""
    report = _bare()
    report["arms"][0]["closed_loop"]["ci95"] = (0.0123, 0.9876)
    report["comparisons"][0]["ci95"] = (0.0017, 0.7771)
    html = render_html(report)
    assert "1.2 to 98.8" in _plots(html)["success"]
    assert "0.2 to 77.7" in _plots(html)["differences"]


def test_the_axis_fits_the_values():
    report = _bare()
    for arm, rate in zip(report["arms"], (0.12, 0.17, 0.21, 0.26), strict=True):
        arm["closed_loop"].update(success=rate, ci95=(rate, rate), per_seed=[rate])
    ticks = _ticks(_plots(render_html(report))["success"])
    assert (ticks[0], ticks[-1]) == (12, 26)


def test_a_baseline_far_off_does_not_stretch_the_arms_axis(html):
    error = _plots(html)["error"]
    ticks = _ticks(error)
    assert ticks[-1] < 1.0
    assert "predict mean" in error and ">1.000<" in error


def test_rows_and_tables_keep_one_order(html):
    order = ["real+sim+dream", "real+sim", "real-only", "sim-only"]
    assert ranked(example_report()) == order
    for name in ("success", "error", "gripper"):
        shown = re.findall(r'<div class="name">([\w+-]+)', _plots(html)[name])
        assert shown == order
    rows = re.findall(r'<tr><th scope="row">([\w+-]+)</th><td class="n">600', html)
    assert rows == order
    curves = html[html.index('id="training"') :]
    assert re.findall(r'<tr><th scope="row">([\w+-]+)</th>', curves)[:4] == order


def test_no_arm_is_drawn_in_an_origins_colour(html):
    """One colour, one meaning: in figures only the origins' bars have a colour at all."""
    figures = re.findall(r"<figure class=\"(?:plot|dots)[^>]*>.*?</figure>", html, re.DOTALL)
    assert len(figures) >= 7
    for figure in figures:
        label = re.search(r'aria-label="([^"]*)', figure).group(1)
        drawn = re.sub(r"<text.*?</text>", "", figure, flags=re.DOTALL)
        colours = set(re.findall(r"var\(--(\w+)\)|(#[0-9a-f]{3,6})\b(?=[;\"])", drawn))
        names = {a or b for a, b in colours}
        if label.startswith("Windows drawn"):
            assert names == {"page", *ORIGINS}
        else:
            assert names <= {"page"}, (label, names)


def test_each_colour_has_one_meaning_in_the_style():
    style = (TEMPLATES / "report_style.css.jinja").read_text()
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style):
        used = set(re.findall(r"var\(--(\w+)\)", body))
        for origin in ORIGINS:
            assert origin not in used or re.fullmatch(rf"\s*\.{origin}\s*", selector), selector
        if used & {"good", "bad"}:
            assert selector.strip().startswith(".verdict."), selector


def _palettes():
    """light and dark: name -> (r, g, b)."""
    style = (TEMPLATES / "report_style.css.jinja").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]

    def read(text):
        found = re.findall(r"--(\w+): #([0-9a-f]{6}|[0-9a-f]{3})\b", text)
        full = {k: v if len(v) == 6 else "".join(c * 2 for c in v) for k, v in found}
        return {k: tuple(int(v[i : i + 2], 16) / 255 for i in (0, 2, 4)) for k, v in full.items()}

    first = read(light)
    return {"light": first, "dark": first | read(dark)}


def _contrast(a, b):
    """WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_contrast_suffices(mode):
    palette = _palettes()[mode]
    for ground in ("page", "card"):
        for text in ("ink", "soft", "good", "bad"):
            assert _contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
        for mark in ORIGINS:
            assert _contrast(palette[mark], palette[ground]) >= 3, (mark, ground)


def test_verdicts_and_outcomes_are_words_and_signs_too(html):
    assert "\N{CHECK MARK} better" in html and "\N{BALLOT X} worse" in html and "? open" in html


def test_every_figure_has_words_and_numbers(html):
    """Each is an image with a text for it, and a table after it before the next heading."""
    report = example_report()
    for name, plot in _plots(html).items():
        label = re.search(r'aria-label="([^"]*)"', plot).group(1)
        rows = re.findall(r'<div class="value"><b>([^<]+)</b>', plot)
        assert rows and all(value in label for value in rows), name
    for figure in re.finditer(r'<figure class="plot" role="img" aria-label="([^"]+)"', html):
        after = html[figure.end() :]
        assert re.search(r"<table|<h[23]", after).group() == "<table", figure.group(1)
    tables = "".join(re.findall(r"<table.*?</table>", html, re.DOTALL))
    for arm in report["arms"]:
        assert f"{100 * arm['closed_loop']['success']:.1f}%" in tables
        assert f"{arm['offline']['velocity_nmse']:.3f}" in tables
    for curve in report["curves"]:
        assert f"{curve['values'][-1]:.3f}" in tables


def test_what_scrolls_can_be_reached_by_keyboard(html):
    for tag in re.findall(r'<div class="(?:scroll|wide)"[^>]*>', html):
        assert 'tabindex="0"' in tag and "aria-label=" in tag


def test_the_mix_shows_the_draws_beside_the_plan():
    report = _bare()
    assert "not counted" in render_html(report)
    report["mix"][0] |= {"planned": 96_000, "drawn": 95_123, "counted": True}
    row = re.search(r"<tr><th scope=\"row\">real-only.*?95,123.*?</tr>", render_html(report))
    assert "96,000" in row.group()


def test_an_arm_s_composition_is_its_mix():
    assert made_of(example_report())["real+sim+dream"] == [
        ("real", 0.3),
        ("sim", 0.5),
        ("dream", 0.2),
    ]


def _rollouts(arm, *outcomes):
    base = example_strip(6)
    panels = tuple(replace(base.panels[1], origin=None, label=o, note="9 steps") for o in outcomes)
    return replace(base, title=arm, panels=panels, section="rollouts")


def test_rollouts_stand_by_arm_in_the_same_order():
    strips = [_rollouts("sim-only", "failure"), _rollouts("real+sim", "success", "failure")]
    html = render_html(_bare(), strips)
    part = html[html.index('id="rollouts"') : html.index('id="mix"')]
    assert re.findall(r"<h3>([\w+-]+)</h3>", part) == ["real+sim", "sim-only"]
    assert part.count("<video") == 3
    assert part.count("No success in the scenes that were filmed.") == 1
    assert "No failure" not in part
    assert 'class="chip' not in part


def test_films_that_would_be_too_large_leave_their_stills(monkeypatch):
    """A page with many arms loses films, and says so; it is never refused for them."""
    strips = [_rollouts("real+sim", "success", "failure"), example_strip(6)]
    whole = render_html(_bare(), strips)
    monkeypatch.setattr(report_module, "FILM_BYTES", 0)
    bare = render_html(_bare(), strips)
    assert whole.count("<video") == 3 and bare.count("<video") == 0
    assert bare.count("the film was left out") == 3
    assert bare.count('alt="real+sim') == whole.count('alt="real+sim') + 2


@pytest.mark.parametrize("arms", [1, 12])
def test_one_arm_or_many_make_a_page(arms):
    report = _bare()
    (arm, *_), mix = report["arms"], report["mix"][0]
    names = [f"a rather long name of an arm, number {i}" for i in range(arms)]
    report["arms"] = [{**copy.deepcopy(arm), "name": name} for name in names]
    report["mix"] = [{**mix, "arm": name} for name in names]
    report["comparisons"] = []
    del report["inference"]
    page, html = _Page(), render_html(report)
    page.feed(html)
    assert page.unlabelled == []
    assert _plots(html)["success"].count('<div class="row">') == arms
    assert "Nothing was compared" in _first_screen(html)


def test_the_axis_of_nothing_but_zeros_is_drawn():
    report = _bare()
    for arm in report["arms"]:
        arm["closed_loop"].update(success=0.0, ci95=(0.0, 0.0), per_seed=[0.0, 0.0, 0.0])
    axis = fit_axis([0.0], least=5.0, bounds=(0, 100))
    assert _ticks(_plots(render_html(report))["success"])[-1] == axis.high == 5
