"""`flnft sweep` and `flnft plot` as a user types them."""

import pytest
import typer
from PIL import Image
from sweep_toys import Toy
from typer.testing import CliRunner

from flnft_sim.cli.plot import plot_command
from flnft_sim.cli.sweep import sweep_command
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.sweeps import LogReporter, Progress, SweepOptions, forecast, run_sweep, sweep
from flnft_sim.sweeps import plot as plots
from flnft_sim.sweeps.plot import NOTHING, label, plot_sweep
from flnft_sim.sweeps.progress import duration
from flnft_sim.sweeps.tables import read_csv


@pytest.fixture
def flnft():
    """Runs a command line; errors propagate."""
    app = typer.Typer()
    app.command("sweep")(sweep_command)
    app.command("plot")(plot_command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def plan_file(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("scenario: tiny\nset: {learning.learner: surrogate}\ngrid: {game.sigma: [0.45, 0.5]}\nseeds: 2\n")
    return file


def test_a_dry_run_shows_the_plan_and_an_estimate_and_writes_nothing(flnft, plan_file, tmp_path):
    shown = flnft("sweep", plan_file, "--dry-run", "--workers", 2, "--out", tmp_path / "out").output
    assert "2 points × 2 seeds = 4 runs" in shown
    assert "one run took" in shown and "on 2 worker processes" in shown
    assert not (tmp_path / "out").exists()


def test_the_estimate_is_the_probe_times_the_longest_queue():
    plan = {"scenario": "toy", "grid": {"x": [1, 2, 3]}, "seeds": 3, "metrics": ["z", "zz"]}
    found = forecast(plan, workers=2, simulator=Toy(pause_s=0.05))
    assert found.runs == 9 and 0.05 <= found.probe_s < 0.5
    assert found.estimate_s == pytest.approx(5 * found.probe_s)  # nine runs on two workers: five one after another
    assert found.unknown_metrics == ("zz",)


def test_a_sweep_from_the_command_line_leaves_its_tables_and_says_where(flnft, plan_file, tmp_path):
    out = tmp_path / "out"
    chosen = ["--seeds", 1, "--set", "learning.rounds=2", "--baseline", "game.sigma=0.5"]
    shown = flnft("sweep", plan_file, "--serial", "--parquet", *chosen, "--out", out)
    assert f"2 runs; tables in {out}" in shown.output
    written = {"journal.jsonl", "runs.csv", "summary.csv", "differences.csv", "runs.parquet"}
    assert {path.name for path in out.iterdir()} == written
    picture = flnft("plot", out, "--x", "game.sigma", "--y", "user_utility").output.strip()
    assert Image.open(picture).size[0] > 600


def test_what_the_command_line_sets_replaces_what_the_plan_sets(flnft, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "scenario: tiny\nset: {game: {mu0: 3, sigma: 2}, learning.learner: surrogate}\n"
    )
    shown = flnft("sweep", tmp_path / "mine.yaml", "--dry-run", "--serial", "--set", "game={sigma: 0.4}")
    assert "1 points × 1 seeds = 1 runs" in shown.output
    with pytest.raises(InputError, match="--baseline x: the key 'a' stands twice"):
        flnft("sweep", tmp_path / "mine.yaml", "--baseline", "x={a: 1, a: 2}")


def test_a_log_gets_a_line_a_minute_and_one_at_the_end(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("flnft_sim.sweeps.progress.time.monotonic", lambda: now_s)
    lines = []
    reporter = LogReporter(lines.append)
    progress = Progress(total=100, resumed=10, done=10)
    for _ in range(90):
        now_s += 2.0
        progress.done += 1
        reporter.update(progress)
    assert lines == [
        "40/100 runs, 0.5/s, 2 min 0 s left",
        "70/100 runs, 0.5/s, 1 min 0 s left",
        "100/100 runs, 0.5/s",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.123, "0.12 s"), (9.96, "10 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations_read_like_speech(seconds, text):
    assert duration(seconds) == text


def test_a_plot_of_names_numbers_and_rounds(tmp_path):
    plan = {"scenario": "toy", "grid": {"x": [1, 2, 3], "kind": ["plain", "other"]}, "seeds": 3, "per_round": ["loss"]}
    run_sweep(plan, SweepOptions(serial=True), out=tmp_path, simulator=Toy())
    numbers = plot_sweep(tmp_path)
    names = plot_sweep(tmp_path, x="kind", y="pair", hue="x")
    curves = plot_sweep(tmp_path / "rounds.csv", y="loss", hue="x")
    assert [path.name for path in (numbers, names, curves)] == [
        "runs-z-by-x.png",
        "runs-pair-by-kind.png",
        "rounds-loss-by-round.png",
    ]
    assert all(Image.open(path).size[0] > 600 for path in (numbers, names, curves))
    with pytest.raises(UnknownNameError, match="unknown column 'pears', did you mean 'pair'"):
        plot_sweep(tmp_path, y="pears")


@pytest.fixture
def drawn(monkeypatch):
    """What a call would draw: the estimates by place, and the figure itself."""

    def draw(*args, **options):
        pictures = []
        inner = plots._draw

        def spy(picture):
            pictures.append((picture, inner(picture)))
            return pictures[-1][1]

        with monkeypatch.context() as patch:
            patch.setattr(plots, "_draw", spy)
            plot_sweep(*args, **options)
        return pictures[0]

    return draw


def test_the_band_of_a_plot_is_the_interval_of_the_summary(tmp_path, drawn):
    plan = {"scenario": "toy", "grid": {"x": [1, 2]}, "seeds": 3}
    run_sweep(plan, SweepOptions(serial=True), out=tmp_path, simulator=Toy())
    summary = read_csv(tmp_path / "summary.csv")
    expected = summary[summary.metric == "z"][["x", "mean", "ci95_low", "ci95_high"]].to_numpy()
    for table in ("runs.csv", "summary.csv"):
        estimates = drawn(tmp_path / table, y="z")[0].estimates[["x", "mean", "ci95_low", "ci95_high"]]
        assert estimates.to_numpy() == pytest.approx(expected)


def test_a_run_that_stands_in_a_table_twice_counts_once(tmp_path, drawn):
    """As in tables of earlier versions, which took 0.5, 5e-1 and "0.5" for three points."""
    path = tmp_path / "runs.csv"
    rows = "".join(
        f"{point},{x},{seed},{value}\n" for point, x in ((0, "0.5"), (1, "5e-1")) for seed, value in ((0, 1), (1, 3))
    )
    path.write_text(f"point,x,seed,z\n{rows}")
    [row] = drawn(path)[0].estimates.to_numpy().tolist()
    half = 12.706204736 * 2**0.5 / 2**0.5  # t(0.975; 1)·sd/√n of 1 and 3
    assert row == pytest.approx([0.5, 2, 2.0, 2 - half, 2 + half])


@pytest.mark.parametrize(
    ("seeds", "claim"),
    [
        ((1, 1), "single runs (n = 1, no interval)"),
        ((3, 3), "mean and 95 % interval over seeds (n = 3)"),
        ((1, 2), "mean and 95 % interval over seeds (n = 1 to 2, no interval where n = 1)"),
    ],
)
def test_a_plot_says_of_how_many_runs_it_is_and_claims_no_interval_of_one(tmp_path, drawn, seeds, claim):
    path = tmp_path / "runs.csv"
    rows = "".join(f"{x},{x},{seed},{x + seed}\n" for x, n in enumerate(seeds) for seed in range(n))
    path.write_text(f"point,x,seed,z\n{rows}")
    picture, figure = drawn(path)
    [axes] = figure.axes
    assert picture.note == claim
    assert claim in [text.get_text().replace("\n", " ") for text in axes.texts]
    intervals = [
        path for part in axes.collections if any(part.get_linewidth()) or min(seeds) > 1 for path in part.get_paths()
    ]
    heights = {round(float(y), 6) for path in intervals for y in path.vertices[:, 1]}
    estimates = picture.estimates[["ci95_low", "ci95_high"]].dropna()
    assert heights == {round(float(y), 6) for y in estimates.to_numpy().flat}


def test_a_parameter_that_is_left_out_at_a_point_is_drawn_as_one_of_its_values(tmp_path, drawn):
    path = tmp_path / "runs.csv"
    path.write_text("point,limit,kind,seed,z\n0,,a,0,1\n0,,a,1,2\n1,100,a,0,5\n2,20,,0,7\n")
    picture, figure = drawn(path, hue="kind")
    assert len(picture.estimates) == 3
    [axes] = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["20", "100", NOTHING]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", NOTHING]


def test_a_plot_without_anything_to_draw_says_so(tmp_path, flnft):
    plan = {"scenario": "toy", "grid": {"kind": ["broken"]}, "seeds": 2}
    run_sweep(plan, SweepOptions(serial=True), out=tmp_path / "all-failed", simulator=Toy())
    with pytest.raises(InputError, match=r"no run has a metric \(2 failed, the first: 'ValueError: cannot run"):
        flnft("plot", tmp_path / "all-failed")
    run_sweep({"scenario": "toy", "seeds": 2}, SweepOptions(serial=True), out=tmp_path / "fine", simulator=Toy())
    with pytest.raises(InputError, match=r"--y status: this column of .* holds text; choose one of z, pair"):
        flnft("plot", tmp_path / "fine", "--y", "status")
    run_sweep(
        {"scenario": "toy", "seeds": 2, "grid": {"kind": ["plain", "broken"]}},
        SweepOptions(serial=True),
        out=tmp_path / "some",
        simulator=Toy(),
    )
    (tmp_path / "some" / "half.csv").write_text("point,x,seed,z,status,error\n0,1,0,,failed,E: no\n")
    with pytest.raises(InputError, match=r"no run has a metric .1 failed"):
        flnft("plot", tmp_path / "some" / "half.csv")
    assert not list(tmp_path.rglob("*.png"))


def test_every_table_of_a_sweep_can_be_drawn(tmp_path, flnft):
    plan = {
        "scenario": "toy",
        "grid": {"kind": ["plain", "other"]},
        "sample": {"method": "morris", "n": 4, "ranges": {"x": [0, 1], "y": [0, 1]}},
        "baseline": {"kind": "plain"},
        "per_round": ["loss"],
        "seeds": 2,
    }
    run_sweep(plan, SweepOptions(serial=True, parquet=True), out=tmp_path, simulator=Toy())
    tables = ["runs.csv", "runs.parquet", "rounds.csv", "summary.csv", "differences.csv", "sensitivity.csv"]
    for table in tables:
        picture = flnft("plot", tmp_path / table, "--out", tmp_path / f"{table}.png").output.strip()
        assert Image.open(picture).size[0] > 600
    with pytest.raises(UnknownNameError, match=r"unknown metric of summary.csv 'pears', did you mean 'pair'"):
        flnft("plot", tmp_path / "summary.csv", "--y", "pears")
    with pytest.raises(InputError, match="no table of a sweep"):
        flnft("plot", tmp_path / "journal.jsonl")


def test_indices_are_drawn_with_their_values(tmp_path, drawn):
    path = tmp_path / "sensitivity.csv"
    path.write_text("metric,parameter,S1,S1_conf,ST,ST_conf\nz,a,0.5,0.1,0.6,0.2\nz,b,0.25,0.05,0.3,0.1\n")
    estimates = drawn(path)[0].estimates.set_index(["parameter", "index"])
    assert estimates.loc[("b", "ST")].tolist() == pytest.approx([0.3, 0.2, 0.4])
    assert estimates.loc[("a", "S1")].tolist() == pytest.approx([0.5, 0.4, 0.6])


def test_a_plot_of_nothing_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="run `flnft sweep` first"):
        plot_sweep(tmp_path)


def test_axis_labels_carry_units():
    assert label("public_chain.block_interval_s") == "block interval [s]"
    assert label("price_money") == "price [money]"
    assert label("market.rule") == "rule"


def test_the_table_comes_back_from_python(tmp_path):
    table = sweep({"scenario": "toy", "grid": {"kind": ["none", "nan"]}}, out=tmp_path, serial=True, simulator=Toy())
    assert list(table.kind) == ["none", "nan"]  # names, not missing values
