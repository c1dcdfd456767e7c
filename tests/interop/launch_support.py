"""A small project of images and what tests of the launchers ask of it."""
import json
import pathlib
import time

import numpy as np
from PIL import Image


def image_project(run, folder, count=48, size=32):
    """Two classes that differ by brightness; prepared at 32 pixels, so that an attempt is a matter of seconds."""
    rng = np.random.default_rng(1)
    for i in range(count):
        place = folder / "images" / ("dark" if i % 2 else "bright")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 120, (size, size)) + (0 if i % 2 else 100)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{i:03}.png")
    project = folder / "project"
    run("cloister-cli", "project", "create", "--project", project)
    run("cloister-cli", "data", "import", "--project", project, "--source", "images", folder / "images", "--set", "label=parent")
    run("cloister-cli", "data", "snapshot", "--project", project, "--size", size, "--group", "sample", "--override-reason", "a test")
    return project


def quick(epochs=2, **more):
    """--set options of a run that one processor finishes in seconds."""
    values = {"architecture": "small_cnn", "epochs": epochs, "batch_size": 8, "device": "cpu", **more}
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def answer(done):
    return json.loads(done.stdout)


def wait_until(condition, seconds=60, every=0.2, what="condition"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"{what} did not come within {seconds} s")


def events(folder, attempt=1, rank=0):
    path = pathlib.Path(folder) / f"attempt-{attempt:03}" / f"rank-{rank}.events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def state(run, project, name):
    return answer(run("cloister-cli", "runs", "show", name, "--project", project, "--json"))


def resumed_from(folder, attempt):
    started = wait_until(lambda: [e for e in events(folder, attempt) if e["type"] == "started"], 200, what=f"the start of attempt {attempt}")
    return started[0]["resumedFrom"]
