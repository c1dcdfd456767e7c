"""FP32 and int8 latency of our exports against the models that onnxruntime.quantization makes of our FP32 file, interleaved in one process:
each round runs every model once, ratios are of medians. 1.0 and above: ours is as fast or faster. Nothing is asserted: read the table."""
import json
import os
import time

import numpy as np
import pytest
import torch
import torchvision
from safetensors.numpy import save_file

pytestmark = pytest.mark.bench
SIZE, CLASSES = 224, 10


def network(name):
    torch.manual_seed(0)
    if name == "vit_s_16":
        return torchvision.models.VisionTransformer(SIZE, 16, 12, 6, 384, 1536, num_classes=CLASSES).eval()
    return getattr(torchvision.models, name)(num_classes=CLASSES).eval()


def made(run, folder, net, name):
    save_file({k: v.detach().numpy().copy() for k, v in net.state_dict().items()}, folder / "w.safetensors")
    save_file({"images": np.random.default_rng(0).random((8, 3, SIZE, SIZE), dtype=np.float32)}, folder / "s.safetensors")
    recipe = {"format": 1, "architecture": name, "channels": 3, "size": SIZE, "classes": CLASSES, "mean": [0.5] * 3, "std": [0.25] * 3}
    out = {}
    for quantize in ("none", "dynamic-int8", "static-int8"):
        out[quantize] = folder / f"{quantize}.onnx"
        (folder / "r.json").write_text(json.dumps({"weights": str(folder / "w.safetensors"), "recipe": recipe, "quantize": quantize,
                                                   "to": str(out[quantize]), "samples": str(folder / "s.safetensors"), "calibration": "minmax"}))
        run("cloister-worker", "export-graph", "--request", folder / "r.json")
    return out


def theirs(folder, base, images):
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.batches = iter([{"image": images}])

        def get_next(self):
            return next(self.batches, None)

    pre = folder / "pre.onnx"
    quant_pre_process(str(base), str(pre), skip_symbolic_shape=True)
    quantize_dynamic(str(pre), str(folder / "ort-dynamic.onnx"))
    quantize_static(str(pre), str(folder / "ort-static.onnx"), Reader())
    quantize_static(str(pre), str(folder / "ort-static-u8.onnx"), Reader(), activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True)
    return {"dynamic": folder / "ort-dynamic.onnx", "static (default)": folder / "ort-static.onnx", "static (u8s8, per channel)": folder / "ort-static-u8.onnx"}


def torch_onnx(folder, net):
    class Normalised(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, image):
            logits = self.net((image - 0.5) / 0.25)
            return logits, torch.softmax(logits, 1)

    path = folder / "torch.onnx"
    torch.onnx.export(Normalised(), torch.rand(1, 3, SIZE, SIZE), str(path), input_names=["image"], output_names=["logits", "probabilities"],
                      dynamic_axes={"image": {0: "N"}}, opset_version=17, dynamo=False)
    return path


@pytest.mark.parametrize("name", os.environ.get("CLOISTER_BENCH_MODELS", "resnet18,resnet50,vit_s_16").split(","))
def test_latency(name, run, tmp_path):
    import onnxruntime as ort

    net = network(name)
    ours = made(run, tmp_path, net, name)
    images = np.random.default_rng(1).random((8, 3, SIZE, SIZE), dtype=np.float32)
    others = theirs(tmp_path, ours["none"], images)
    others["fp32 (torch.onnx)"] = torch_onnx(tmp_path, net)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # or the pools of waiting sessions take the processors
    sessions = {key: ort.InferenceSession(str(path), options) for key, path in {**ours, **others}.items()}
    for batch, rounds in ((1, 40), (8, 12)):
        times = {key: [] for key in sessions}
        for r in range(rounds + 3):
            for key, session in sessions.items():
                start = time.perf_counter()
                session.run(None, {"image": images[:batch]})
                if r >= 3:
                    times[key].append((time.perf_counter() - start) * 1e3)
        median = {key: float(np.median(t)) for key, t in times.items()}
        for a, b in (("none", "fp32 (torch.onnx)"), ("dynamic-int8", "dynamic"), ("static-int8", "static (default)"),
                     ("static-int8", "static (u8s8, per channel)"), ("static-int8", "none")):
            print(f"\n{name} batch {batch}: ours {a} {median[a]:.1f} ms, {b} {median[b]:.1f} ms, ratio {median[b] / median[a]:.2f}", end="")
    print()
