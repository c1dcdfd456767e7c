"""The window against Qt by itself, interleaved: a redraw of a million points, and the time from process start to the first frame."""
import json
import os
import statistics
import subprocess

import pytest

ROUNDS = 7


def once(program, *arguments):
    out = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, timeout=300, check=True,
                         env=dict(os.environ, QT_QPA_PLATFORM="offscreen")).stdout
    return json.loads(out.strip().splitlines()[-1])


def interleaved(commands, key):
    times = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(once(*command)[key])
    return {name: statistics.median(values) for name, values in times.items()}


@pytest.mark.bench
def test_chart_with_a_million_points(bin_dir):
    bench = bin_dir.parent / "tests" / "bench_gui"
    ms = interleaved({"cloister": [bench, "chart", 1_000_000], "qcustomplot": [bench, "plain-chart", 1_000_000]}, "redraw_ms")
    print(f"\nchart, 1,000,000 points, one redraw: cloister {ms['cloister']:.2f} ms, QCustomPlot alone {ms['qcustomplot']:.2f} ms, "
          f"ratio {ms['qcustomplot'] / ms['cloister']:.2f}x")


@pytest.mark.bench
def test_first_window(bin_dir, tmp_path):
    bench = bin_dir.parent / "tests" / "bench_gui"
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path)
    ms = interleaved({"cloister": [bin_dir / "cloister", "--measure-start"], "empty": [bench, "plain-window"]}, "first_frame_ms")
    print(f"\nfirst window: cloister {ms['cloister']:.0f} ms, an empty Qt window {ms['empty']:.0f} ms, ratio {ms['empty'] / ms['cloister']:.2f}x")
