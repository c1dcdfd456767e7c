"""Tiny random language models made by transformers, and our command line on them."""
import json

import torch
import transformers
from safetensors.torch import load_file


def tiny(kind, **changes):
    """A model of the family with random weights, and a config small enough for a second."""
    torch.manual_seed(changes.pop("seed", 0))
    common = dict(vocab_size=97, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=512,
                  bos_token_id=1, eos_token_id=2, initializer_range=0.1)
    deepseek = dict(num_key_value_heads=4, q_lora_rank=24, kv_lora_rank=20, qk_nope_head_dim=12, qk_rope_head_dim=8, v_head_dim=10,
                    n_routed_experts=8, n_shared_experts=2, num_experts_per_tok=3, moe_intermediate_size=32, first_k_dense_replace=1,
                    n_group=4, topk_group=2)
    if kind == "llama":
        config = transformers.LlamaConfig(**{**common, "num_key_value_heads": 2, **changes})
    elif kind == "qwen2":
        config = transformers.Qwen2Config(**{**common, "num_key_value_heads": 2, **changes})
    elif kind == "deepseek_v2":
        config = transformers.DeepseekV2Config(**{**common, **deepseek, "topk_method": "group_limited_greedy", "routed_scaling_factor": 4.0, **changes})
    else:
        config = transformers.DeepseekV3Config(**{**common, **deepseek, "num_nextn_predict_layers": 0, **changes})
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():  # norms and biases that matter
        for name, p in list(model.named_parameters()) + list(model.named_buffers()):
            if "norm" in name or name.endswith("bias"):
                p.add_(torch.randn_like(p) * 0.2)
    return model


def logits_by_us(run, folder, ids, work, *options, expect=0):
    (work / "ids.json").write_text(json.dumps(ids))
    out = work / "logits.safetensors"
    done = run("cloister-cli", "model", "logits", folder, "--ids", work / "ids.json", "--to", out, "--json", *options, expect=expect)
    return load_file(out)["logits"] if expect == 0 else json.loads(done.stdout)["error"]


def logits_by_them(folder, ids, **kwargs):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, attn_implementation="eager", **kwargs).eval()
    with torch.no_grad():
        return model(torch.tensor(ids)).logits.float()


def random_ids(rows, tokens, vocabulary=97, seed=3):
    return torch.randint(0, vocabulary, (rows, tokens), generator=torch.Generator().manual_seed(seed)).tolist()
