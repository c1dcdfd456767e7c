"""Where the programs and the test data are. A test whose data is missing is skipped, and the summary counts it."""
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def bin_dir():
    folder = pathlib.Path(os.environ.get("CLOISTER_BIN_DIR", ROOT / "build" / "release" / "bin"))
    assert folder.is_dir(), f"build first: {folder} is missing"
    return folder


@pytest.fixture(scope="session")
def data_dir():
    folder = pathlib.Path(os.environ.get("CLOISTER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder} (set CLOISTER_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def run(bin_dir):
    """run("cloister-cli", "project", …) → CompletedProcess; fails the test on an unexpected exit code."""

    def call(program, *arguments, expect=0, timeout=600, env=None, **kwargs):
        environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", **(env or {}))
        done = subprocess.run([str(bin_dir / program), *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environment, **kwargs)
        if expect is not None:
            assert done.returncode == expect, f"{program} {arguments} ended with {done.returncode}, expected {expect}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    return call
