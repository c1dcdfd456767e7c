"""A worker does nothing before worker.json names it: whoever starts it holds a pipe open, and its end without a byte ends the worker."""
import json
import os
import subprocess

import pytest


def start(bin_dir, token):
    reading, writing = os.pipe()
    if token:
        os.write(writing, token)
    worker = subprocess.Popen([str(bin_dir / "cloister-worker"), "hardware"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              pass_fds=[reading], env={**os.environ, "CLOISTER_START_GATE": str(reading)})
    os.close(reading)
    return worker, writing


def test_it_ends_when_the_starter_died_first(bin_dir):
    worker, writing = start(bin_dir, b"")
    with pytest.raises(subprocess.TimeoutExpired):
        worker.communicate(timeout=2)  # it waits …
    os.close(writing)
    out, err = worker.communicate(timeout=60)  # … and goes with the starter
    assert worker.returncode == 1 and not out and "worker.json" in err


def test_it_goes_on_when_it_is_recorded(bin_dir):
    worker, writing = start(bin_dir, b"\n")
    out, _ = worker.communicate(timeout=60)
    os.close(writing)
    assert worker.returncode == 0 and json.loads(out)["threads"] >= 1
