"""Pairs of a better and a worse answer as prepared texts (docs/formats.md), and runs on them."""
import json

import torch
from safetensors.torch import save_file

from test_language_training import make_run, stream

PAIRS = 40


def random_pairs(count, seed=4):
    """[(prompt, chosen, rejected)], lists of ids of different lengths; what is chosen can be told from what is not."""
    g = torch.Generator().manual_seed(seed)
    number = lambda low, high: int(torch.randint(low, high, (1,), generator=g))
    ids = lambda low, high, n: torch.randint(low, high, (n,), generator=g).tolist()
    return [(ids(3, 90, number(2, 10)), ids(3, 60, number(1, 12)), ids(40, 90, number(1, 12))) for _ in range(count)]


def write_preferences(folder, pairs, part="train", **index):
    """Adds a part. The first row of a pair is the chosen one."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens, mask, starts, offsets = [], [], [], [0]
    for prompt, *answers in pairs:
        for answer in answers:
            tokens += prompt + answer
            mask += [0] * len(prompt) + [1] * len(answer)
            starts += [1] + [0] * (len(prompt) + len(answer) - 1)
            offsets.append(len(tokens))
    name = f"{part}-00000.safetensors"
    save_file({"tokens": torch.tensor(tokens, dtype=torch.int32), "mask": torch.tensor(mask, dtype=torch.uint8),
               "starts": torch.tensor(starts, dtype=torch.uint8), "offsets": torch.tensor(offsets)}, folder / name)
    path = folder / "index.json"
    told = json.loads(path.read_text()) if path.exists() else {"format": 1, "kind": "preferences", "fingerprint": "f" * 64, "length": 32,
                                                               "vocabularySize": 90, "parts": {}, **index}
    told["parts"][part] = {"rows": len(offsets) - 1, "shards": [{"file": name, "rows": len(offsets) - 1, "tokens": len(tokens)}]}
    path.write_text(json.dumps(told))


def preference_run(root, parameters, pairs, base, validation=None, **index):
    run = make_run(root, parameters, {"tokens": stream(99)}, base)
    (root / "data/train.safetensors").unlink()
    write_preferences(root / "data", pairs, **index)
    if validation:
        write_preferences(root / "data", validation, "validation")
    spec = json.loads((run / "spec.json").read_text())
    (run / "spec.json").write_text(json.dumps({**spec, "preparedDigest": "f" * 64}))
    return run
