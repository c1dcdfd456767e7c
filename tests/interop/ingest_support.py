"""Starting cloister-ingest from tests: requests in, last line out. Data and programs are found as docs/formats.md and tests say."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CLOISTER_BIN_DIR", ROOT / "build" / "release" / "bin"))
DATA = pathlib.Path(os.environ.get("CLOISTER_TEST_DATA", ROOT.parent / "shared" / "data"))
INGEST = BIN / "cloister-ingest"


def run(verb, request, folder, timeout=120):
    """Returns (exit code, last JSON line, all lines)."""
    path = pathlib.Path(folder) / f"{verb}-request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    done = subprocess.run([str(INGEST), verb, "--request", str(path)], capture_output=True, timeout=timeout)
    lines = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    return done.returncode, lines[-1], lines


def render(file, frame, folder, stage="modality"):
    """Returns (last line, raw bytes or None)."""
    out = pathlib.Path(folder) / "frame.raw"
    out.unlink(missing_ok=True)
    request = {"format": 1, "file": str(file), "frame": frame, "out": str(out), "stage": stage}
    _, last, _ = run("render", request, folder)
    return last, out.read_bytes() if out.exists() else None


def imported(source, paths, folder, options=None, workers=0, timeout=300):
    """Runs an import; returns (last line, records)."""
    folder = pathlib.Path(folder)
    request = {"format": 1, "importId": 1, "source": source, "paths": [str(p) for p in paths], "options": options or {},
               "workers": workers, "folder": str(folder / "i-000001"), "objects": str(folder / "objects")}
    _, last, _ = run("import", request, folder, timeout)
    log = folder / "i-000001" / "records.jsonl"
    return last, [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
