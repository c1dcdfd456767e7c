"""Signatures against the field's own tool (model_signing): each verifies the other's, for three curves and a certificate chain, and the
accept/reject rows that can be shown with both. The tool is the oracle; where Cloister is stricter on purpose the row says so."""
import base64
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("model_signing")

CURVES = {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}


def openssl(*arguments, cwd=None):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=cwd)


def reference(*arguments):
    return subprocess.run([sys.executable, "-m", "model_signing", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def reference_accepts(model, signature, public_key=None, roots=None):
    how = ["key", "--public_key", public_key] if public_key else ["certificate", "--certificate_chain", roots]
    done = reference("verify", how[0], model, "--signature", signature, *how[1:])
    return done.returncode == 0


def make_tree(folder, seed=0):
    """Names that sort differently by characters and by components, empty files, hidden files, Unicode."""
    rng = random.Random(seed)
    names = ["model.onnx", "a/x.txt", "a-b/x.txt", "a.txt", "a/b/c.txt", "A.txt", "empty", ".hidden", "zé 日.txt", "q<&>'\"\\.txt", "sub/.keep"]
    names += ["".join(rng.choice("aB-._ é中") for _ in range(rng.randint(1, 6))).strip(". ") + f"{i}" + rng.choice(["", "/f", ".x/f", "-y/f"]) for i in range(30)]
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"" if name == "empty" else rng.randbytes(rng.randint(1, 5000)))
    return folder


@pytest.fixture
def cli(run, tmp_path):
    (tmp_path / "pass").write_text("correct horse\n")
    env = {"CLOISTER_KEYS": str(tmp_path / "keys")}

    def call(*arguments, expect=0):
        return run("cloister-cli", *arguments, expect=expect, env=env)

    return call


@pytest.fixture
def sign(cli, signer, tmp_path):
    """Signs a folder with a key of our store, through the library's own signer program."""

    def call(folder, key):
        done = subprocess.run([str(signer), str(folder), key, str(tmp_path / "pass")], capture_output=True, text=True,
                              env=dict(os.environ, CLOISTER_KEYS=str(tmp_path / "keys")))
        assert done.returncode == 0, done.stderr

    return call


@pytest.fixture(scope="session")
def signer(bin_dir):
    program = bin_dir.parent / "tests" / "sign_folder"
    assert program.exists(), f"build first: {program} is missing"
    return program


def ours(cli, folder, *options):
    """(valid, report) of our verifier."""
    done = cli("bundle", "verify", folder, "--json", *options, expect=None)
    assert done.returncode in (0, 4), done.stderr
    report = json.loads(done.stdout)
    assert report["valid"] == (done.returncode == 0)
    return report["valid"], report


@pytest.mark.parametrize("curve", CURVES)
def test_reference_verifies_ours(cli, sign, tmp_path, curve):
    cli("keys", "create", "--name", "k", "--curve", curve, "--passphrase-file", tmp_path / "pass")
    cli("keys", "export-public", "k", "--to", tmp_path / "k.pub")
    model = make_tree(tmp_path / "model", seed=2)
    sign(model, "k")
    assert reference_accepts(model, model / "model.sig", public_key=tmp_path / "k.pub")
    assert ours(cli, model)[0]
    (model / "a.txt").write_bytes(b"changed")
    assert not reference_accepts(model, model / "model.sig", public_key=tmp_path / "k.pub")
    assert not ours(cli, model)[0]


@pytest.mark.parametrize("curve", CURVES)
def test_we_verify_the_reference(cli, tmp_path, curve):
    openssl("ecparam", "-name", CURVES[curve], "-genkey", "-noout", "-out", tmp_path / "k.pem")
    openssl("ec", "-in", tmp_path / "k.pem", "-pubout", "-out", tmp_path / "k.pub")
    model = make_tree(tmp_path / "model", seed=1)
    assert reference("sign", "key", model, "--private_key", tmp_path / "k.pem", "--signature", model / "model.sig").returncode == 0
    valid, report = ours(cli, model, "--public-key", tmp_path / "k.pub")
    assert valid, report["summary"]
    statement = json.loads(base64.b64decode(json.loads((model / "model.sig").read_text())["dsseEnvelope"]["payload"]))
    assert report["rootDigest"] == statement["subject"][0]["digest"]["sha256"]
    assert report["files"] == [r["name"] for r in statement["predicate"]["resources"]]
    assert report["fingerprint"] == hashlib.sha256((tmp_path / "k.pub").read_bytes()).hexdigest()


def test_same_root_on_random_trees(cli, sign, tmp_path):
    """The order of the files decides the root digest: twenty random trees give the reference's."""
    cli("keys", "create", "--name", "k", "--passphrase-file", tmp_path / "pass")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / "k.pem")
    for seed in range(8):
        model = make_tree(tmp_path / f"m{seed}", seed=100 + seed)
        sign(model, "k")
        report = ours(cli, model)[1]
        assert report["valid"], report["summary"]
        (model / "model.sig").unlink()
        assert reference("sign", "key", model, "--private_key", tmp_path / "k.pem", "--signature", tmp_path / "ref.sig").returncode == 0
        statement = json.loads(base64.b64decode(json.loads((tmp_path / "ref.sig").read_text())["dsseEnvelope"]["payload"]))
        assert report["rootDigest"] == statement["subject"][0]["digest"]["sha256"], f"seed {seed}"


@pytest.fixture
def authority(tmp_path):
    """A root, an intermediate and a leaf, all synthetic."""
    folder = tmp_path / "ca"
    folder.mkdir()
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n")
    (folder / "leaf.ext").write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=codeSigning\n")
    for who in ("root", "int", "leaf"):
        openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", f"{who}.key", cwd=folder)
    openssl("req", "-x509", "-key", "root.key", "-subj", "/CN=Synthetic root", "-days", "30", "-out", "root.crt", cwd=folder)
    for who, by, ext in (("int", "root", "ca"), ("leaf", "int", "leaf")):
        openssl("req", "-new", "-key", f"{who}.key", "-subj", f"/CN=Synthetic {who}", "-out", f"{who}.csr", cwd=folder)
        openssl("x509", "-req", "-in", f"{who}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial", "-extfile", f"{ext}.ext", "-days", "30", "-out", f"{who}.crt", cwd=folder)
    (folder / "chain.pem").write_bytes((folder / "leaf.crt").read_bytes() + (folder / "int.crt").read_bytes())
    return folder


def test_certificate_chain_both_ways(cli, sign, tmp_path, authority):
    cli("keys", "import", "--name", "c", "--private-key", authority / "leaf.key", "--certificate-chain", authority / "chain.pem", "--passphrase-file", tmp_path / "pass")
    model = make_tree(tmp_path / "model", seed=3)
    sign(model, "c")
    assert reference_accepts(model, model / "model.sig", roots=authority / "root.crt")
    valid, report = ours(cli, model, "--roots", authority / "root.crt")
    assert valid and report["certificateSubject"] == "CN=Synthetic leaf"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", "o.key", "-subj", "/CN=Other", "-days", "30", "-out", "other.crt", cwd=authority)
    assert not reference_accepts(model, model / "model.sig", roots=authority / "other.crt")
    assert not ours(cli, model, "--roots", authority / "other.crt")[0]

    (model / "model.sig").unlink()
    assert reference("sign", "certificate", model, "--private_key", authority / "leaf.key", "--signing_certificate", authority / "leaf.crt", "--certificate_chain", authority / "int.crt", "--signature", model / "model.sig").returncode == 0
    assert ours(cli, model, "--roots", authority / "root.crt")[0]
    assert not ours(cli, model, "--roots", authority / "other.crt")[0]


# ---- the matrix, both ways on the same bytes ----

def edit_bundle(change):
    def apply(model):
        file = model / "model.sig"
        bundle = json.loads(file.read_text())
        change(bundle)
        file.write_text(json.dumps(bundle))
    return apply


def put(bundle, path, value):
    *parents, last = path.split(".")
    for name in parents:
        bundle = bundle[name]
    if value is None:
        del bundle[last]
    else:
        bundle[last] = value


MATRIX = [  # name, change, the reference accepts, we accept
    ("unchanged", lambda m: None, True, True),
    ("flip a byte", lambda m: (m / "a.txt").write_bytes(b"x"), False, False),
    ("missing file", lambda m: (m / "a.txt").unlink(), False, False),
    ("extra file", lambda m: (m / "new").write_text("x"), False, False),
    ("symlink", lambda m: (m / "l").symlink_to("a.txt"), False, False),
    ("pipe", lambda m: os.mkfifo(m / "pipe"), False, False),
    ("empty folder", lambda m: (m / "nothing").mkdir(), True, True),
    ("pretty-printed", lambda m: (m / "model.sig").write_text(json.dumps(json.loads((m / "model.sig").read_text()), indent=2)), True, True),
    ("no tlogEntries", edit_bundle(lambda b: put(b, "verificationMaterial.tlogEntries", None)), True, True),
    ("no keyid", edit_bundle(lambda b: b["dsseEnvelope"]["signatures"][0].pop("keyid")), True, True),
    ("no hint", edit_bundle(lambda b: put(b, "verificationMaterial.publicKey.hint", None)), True, True),
    ("wrong hint", edit_bundle(lambda b: put(b, "verificationMaterial.publicKey.hint", "a" * 64)), False, False),
    ("extra member", edit_bundle(lambda b: put(b, "note", 1)), False, False),
    ("other media type", edit_bundle(lambda b: put(b, "mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.3")), False, False),
    ("no signature", edit_bundle(lambda b: put(b, "dsseEnvelope.signatures", [])), False, False),
    ("garbage signature", edit_bundle(lambda b: put(b, "dsseEnvelope.signatures", [{"sig": "MAYCAQECAQE=", "keyid": ""}])), False, False),
    ("other payload type", edit_bundle(lambda b: put(b, "dsseEnvelope.payloadType", "application/json")), False, False),
    # Stricter on purpose: two readers could understand these differently (docs/decisions).
    ("second signature after a good one", edit_bundle(lambda b: b["dsseEnvelope"]["signatures"].append({"sig": "AAAA", "keyid": ""})), True, False),
    ("newlines in base64", edit_bundle(lambda b: put(b, "dsseEnvelope.payload", b["dsseEnvelope"]["payload"][:76] + "\n" + b["dsseEnvelope"]["payload"][76:])), True, False),
]


@pytest.mark.parametrize("name,change,theirs,mine", MATRIX, ids=[row[0] for row in MATRIX])
def test_matrix(cli, tmp_path, name, change, theirs, mine):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / "k.pem")
    openssl("ec", "-in", tmp_path / "k.pem", "-pubout", "-out", tmp_path / "k.pub")
    model = make_tree(tmp_path / "model", seed=5)
    assert reference("sign", "key", model, "--private_key", tmp_path / "k.pem", "--signature", model / "model.sig").returncode == 0
    change(model)
    assert reference_accepts(model, model / "model.sig", public_key=tmp_path / "k.pub") == theirs
    valid, report = ours(cli, model, "--public-key", tmp_path / "k.pub")
    assert valid == mine, report["summary"]


def test_reference_samples(cli, data_dir, tmp_path):
    archive = data_dir / "oms-sample.tar.gz"
    if not archive.exists():
        pytest.skip(f"{archive} is missing")
    shutil.unpack_archive(archive, tmp_path)
    sample = tmp_path / "oms-sample"
    for curve in ("p256", "p384", "p521"):
        valid, report = ours(cli, sample / "model", "--signature", sample / f"{curve}.sig", "--public-key", sample / f"{curve}.pub", "--allow-ignored")
        assert valid, report["summary"]
        assert report["rootDigest"] == "1b0801fda03ec659ff0481a924fda7e48ef2f59b8f9c262dfe0eaa71334e982f"
    assert ours(cli, sample / "model", "--signature", sample / "cert.sig", "--roots", sample / "ca.crt", "--allow-ignored")[0]


# ---- the audit log, read by thirty lines that share nothing with ours ----

def test_audit_log_by_an_independent_reader(run, tmp_path):
    sqlite3 = pytest.importorskip("sqlite3")
    env = {"CLOISTER_KEYS": str(tmp_path / "keys")}
    (tmp_path / "pass").write_text("p\n")
    project = tmp_path / "p"
    project.mkdir()
    for i in range(5):
        run("cloister-cli", "keys", "create", "--name", f"k{i}", "--passphrase-file", tmp_path / "pass", "--project", project, env=env)
    shown = json.loads(run("cloister-cli", "audit", "verify", "--project", project, "--json", env=env).stdout)
    assert shown["intact"] and shown["entries"] == 5
    db = sqlite3.connect(project / "audit.sqlite")
    prev = "0" * 64
    for n, (seq, entry, leaf) in enumerate(db.execute("SELECT seq, entry, leaf FROM audit ORDER BY seq"), 1):
        body = json.loads(entry)
        assert seq == n == body["seq"] and body["prev"] == prev
        assert json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == entry
        assert leaf == hashlib.sha256(b"\0" + entry).digest()
        prev = hashlib.sha256(entry).hexdigest()
    assert shown["head"] == prev
    db.executescript("DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE seq = 3;")
    db.close()
    broken = json.loads(run("cloister-cli", "audit", "verify", "--project", project, "--json", env=env, expect=4).stdout)
    assert broken["firstBroken"] == 3
