"""GGUF files in the field's hands: the gguf package reads every part back, gguf.quants makes the same bytes, and transformers loads them with the
logits of the model they were made from."""
import json

import gguf
import numpy as np
import pytest
import sentencepiece
import torch
import transformers
from decoder_models import random_ids, tiny
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

LLAMA3 = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 128}


def exported(run, folder, to, *options, expect=0):
    done = run("cloister-cli", "model", "export", folder, "--to", to, "--variant", "gguf", "--json", *options, expect=expect)
    return json.loads(done.stdout)


def field(reader, key):
    found = reader.get_field(key)
    return None if found is None else found.contents()


WORDS = "the patient has no fever and the lung is clear but the heart is large".split()


def with_byte_bpe(folder, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=["<s>", "</s>", "<pad>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([" ".join(WORDS)] * 20, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "add_bos_token": False,
                                                             "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": "{{ messages }}"}))
    return tokenizer


@pytest.mark.parametrize("kind, changes", [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True, "rope_parameters": LLAMA3}),
    ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}}),
    ("qwen2", {}),
])
def test_everything_reads_back(run, tmp_path, kind, changes):
    model = tiny(kind, vocab_size=320, hidden_size=64, bos_token_id=0, eos_token_id=1, **changes)
    folder = tmp_path / "hf"
    model.save_pretrained(folder)
    tokenizer = with_byte_bpe(folder, 300)
    report = exported(run, folder, tmp_path / "f16")
    reader = gguf.GGUFReader(tmp_path / "f16" / "model.gguf")
    config, arch = model.config, kind
    assert report["bytes"] == (tmp_path / "f16" / "model.gguf").stat().st_size and reader.endianess == gguf.GGUFEndian.LITTLE
    for key, value in {"general.architecture": arch, "general.file_type": 1, f"{arch}.block_count": 3, f"{arch}.context_length": 512, f"{arch}.embedding_length": 64,
                       f"{arch}.feed_forward_length": 80, f"{arch}.attention.head_count": 4, f"{arch}.attention.head_count_kv": 2,
                       f"{arch}.rope.dimension_count": 16, f"{arch}.vocab_size": 320, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.bos_token_id": 0,
                       "tokenizer.ggml.eos_token_id": 1, "tokenizer.ggml.add_bos_token": False, "tokenizer.chat_template": "{{ messages }}"}.items():
        assert field(reader, key) == value, key
    assert field(reader, f"{arch}.attention.layer_norm_rms_epsilon") == pytest.approx(config.rms_norm_eps, rel=1e-6)
    tokens, types = field(reader, "tokenizer.ggml.tokens"), field(reader, "tokenizer.ggml.token_type")
    assert len(tokens) == len(types) == 320 and tokens[:tokenizer.get_vocab_size()] == [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
    assert types[:3] == [3, 3, 3] and set(types[3:tokenizer.get_vocab_size()]) == {1} and set(types[tokenizer.get_vocab_size():]) == {5}
    merges = json.loads((folder / "tokenizer.json").read_text())["model"]["merges"]
    assert field(reader, "tokenizer.ggml.merges") == [" ".join(m) for m in merges]
    # transformers reads the file by itself: names, shapes, order of the rows, rotary settings.
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "f16", gguf_file="model.gguf", dtype=torch.float32).eval()
    ids = torch.tensor(random_ids(2, 24, 300))
    with torch.no_grad():
        want, got = model(ids).logits, loaded(ids).logits
    if kind == "llama" and changes:  # transformers 5.24 does not read rope scaling from GGUF: compare what the tensors say instead
        loaded.config.rope_parameters = config.rope_parameters
        loaded = type(model)(config)
        loaded.load_state_dict(transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "f16", gguf_file="model.gguf", dtype=torch.float32).state_dict(), strict=False)
        with torch.no_grad():
            got = loaded.eval()(ids).logits
    assert (want - got).abs().max() < 0.02 * (want.max() - want.min())


def test_rope_factors(run, tmp_path):
    model = tiny("llama", hidden_size=64, rope_parameters=LLAMA3)
    model.save_pretrained(tmp_path / "hf")
    exported(run, tmp_path / "hf", tmp_path / "out")
    reader = gguf.GGUFReader(tmp_path / "out" / "model.gguf")
    factors = next(t for t in reader.tensors if t.name == "rope_freqs.weight").data
    plain = 1.0 / (5e5 ** (np.arange(0, 16, 2) / 16))
    assert np.allclose(factors, plain / model.model.rotary_emb.inv_freq.numpy(), rtol=1e-5)
    assert field(reader, "tokenizer.ggml.model") == "none"


@pytest.mark.parametrize("kind, file_type, tied", [("Q8_0", 7, False), ("Q4_0", 2, False), ("Q4_0", 2, True)])
def test_blocks_are_those_of_the_package(run, tmp_path, kind, file_type, tied):
    model = tiny("qwen2", hidden_size=64, intermediate_size=96, tie_word_embeddings=tied)
    model.save_pretrained(tmp_path / "hf")
    exported(run, tmp_path / "hf", tmp_path / "out", "--quantize", kind.lower())
    reader, state = gguf.GGUFReader(tmp_path / "out" / "model.gguf"), model.state_dict()
    names = {"token_embd.weight": "model.embed_tokens.weight", "output.weight": "lm_head.weight", "output_norm.weight": "model.norm.weight",
             "blk.1.attn_q.weight": "model.layers.1.self_attn.q_proj.weight", "blk.1.attn_q.bias": "model.layers.1.self_attn.q_proj.bias",
             "blk.2.ffn_down.weight": "model.layers.2.mlp.down_proj.weight", "blk.0.attn_norm.weight": "model.layers.0.input_layernorm.weight"}
    tensors = {t.name: t for t in reader.tensors}
    assert len(tensors) == len([n for n in state if "rotary" not in n and not (tied and n == "lm_head.weight")])
    head = "token_embd.weight" if tied else "output.weight"
    for ours, theirs in names.items():
        if tied and ours == "output.weight":
            continue
        wanted = gguf.GGMLQuantizationType["Q8_0" if ours == head else kind]  # the head keeps eight bits
        want, t = state[theirs].numpy(), tensors[ours]
        if want.ndim == 1:
            assert t.tensor_type == gguf.GGMLQuantizationType.F32 and np.array_equal(t.data, want)
        else:
            assert t.tensor_type == wanted
            assert np.array_equal(t.data, gguf.quants.quantize(want, wanted)), ours
    assert field(reader, "general.file_type") == file_type


def test_sentencepiece_vocabulary(run, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("\n".join(" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))) * 5)
    model = tiny("llama", vocab_size=400, hidden_size=64)
    model.save_pretrained(tmp_path / "hf")
    sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=str(tmp_path / "hf" / "tokenizer"), vocab_size=330, model_type="bpe",
                                             byte_fallback=True, hard_vocab_limit=False, minloglevel=2)
    (tmp_path / "hf" / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    exported(run, tmp_path / "hf", tmp_path / "out")
    reader = gguf.GGUFReader(tmp_path / "out" / "model.gguf")
    assert field(reader, "tokenizer.chat_template") == "{% for m in messages %}{{ m.content }}{% endfor %}"
    judge = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "hf" / "tokenizer.model"))
    n = judge.vocab_size()
    tokens, scores, types = (field(reader, f"tokenizer.ggml.{k}") for k in ("tokens", "scores", "token_type"))
    assert field(reader, "tokenizer.ggml.model") == "llama" and len(tokens) == len(scores) == len(types) == 400
    assert tokens[:n] == [judge.id_to_piece(i) for i in range(n)] and np.allclose(scores[:n], [judge.get_score(i) for i in range(n)])
    assert [t == 6 for t in types[:n]] == [judge.is_byte(i) for i in range(n)] and [t == 3 for t in types[:n]] == [judge.is_control(i) for i in range(n)]


def test_refusals(run, tmp_path):
    tiny("deepseek_v2").save_pretrained(tmp_path / "v2")
    assert exported(run, tmp_path / "v2", tmp_path / "out", expect=3)["error"]["kind"] == "unsupported_format"
    small = tiny("llama", vocab_size=64, hidden_size=64)
    small.save_pretrained(tmp_path / "small")
    with_byte_bpe(tmp_path / "small", 300)
    assert "64" in json.dumps(exported(run, tmp_path / "small", tmp_path / "out", expect=3)["error"])
    assert not (tmp_path / "out").exists()
