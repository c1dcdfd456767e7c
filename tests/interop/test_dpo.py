"""Direct preference optimization against trl's own trainer on the same batches, with all weights and with LoRA; other losses, refusals."""
import json
import math
import shutil

import datasets
import peft
import pytest
import torch
import transformers
import trl
from safetensors.torch import load_file

from decoder_models import tiny
from preference_data import PAIRS, preference_run, random_pairs
from test_language_training import events, make_run, one_thread, stream  # noqa: F401  (one_thread is a fixture)

STEPS, BATCH = 100, 4
RECIPE = {"method": "dpo", "learning_rate": 2e-3, "warmup_steps": 10, "weight_decay": 0.05, "epochs": 1000, "max_steps": STEPS, "batch_size": BATCH,
          "micro_batch": 2, "beta": 0.3}
METRICS = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected"]


def tokenizer():
    """trl asks for one, and reads no more than its padding token: the pairs are ids already."""
    from tokenizers import Tokenizer, models
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(97)}, unk_token="w0"))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="w0", eos_token="w2", bos_token="w1")


class Judge(trl.DPOTrainer):
    """The pairs as they are and in their order; nothing else is changed."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def by_trl(net, pairs, folder, recipe=RECIPE, **changes):
    """[{"loss", "rewards/chosen", …}] of each step."""
    rows = datasets.Dataset.from_list([{"prompt_ids": p, "chosen_ids": c, "rejected_ids": r} for p, c, r in pairs])
    config = trl.DPOConfig(output_dir=str(folder), per_device_train_batch_size=BATCH, max_steps=STEPS, logging_steps=1, report_to=[], use_cpu=True, bf16=False,
                           save_strategy="no", beta=recipe["beta"], max_length=None, gradient_checkpointing=False, disable_tqdm=True, dataloader_drop_last=True,
                           **{"precompute_ref_log_probs": not isinstance(net, peft.PeftModel), "max_grad_norm": 1.0, **changes})
    params = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for p in params if p.dim() >= 2], "weight_decay": recipe["weight_decay"]},
                                   {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0}], lr=recipe["learning_rate"], betas=(0.9, 0.999), eps=1e-8)
    warm = recipe["warmup_steps"]
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warm if s < warm else 0.5 * (1 + math.cos(math.pi * (s - warm) / (STEPS - warm))))
    trainer = Judge(model=net, args=config, train_dataset=rows, processing_class=tokenizer(), optimizers=(optimizer, schedule))
    trainer.train()
    return [entry for entry in trainer.state.log_history if "rewards/margins" in entry]


def follows(ours, theirs):
    """Losses within 1e-4, and what is told beside them; and something was learnt."""
    ours = [e["values"] for e in ours if "train/loss" in e["values"]]
    assert len(ours) == len(theirs) == STEPS
    worst = {name: max(abs(a[name] - b[name]) / max(1.0, abs(b[name])) for a, b in zip(ours, theirs)) for name in METRICS}
    worst["loss"] = max(abs(a["train/loss"] - b["loss"]) for a, b in zip(ours, theirs))
    print({name: f"{value:.1e}" for name, value in worst.items()})
    assert max(worst.values()) < 1e-4, worst
    assert theirs[-1]["rewards/margins"] > theirs[0]["rewards/margins"] + 0.3


def test_full_follows_trl(run, tmp_path):
    pairs = random_pairs(PAIRS)
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    attempt = preference_run(tmp_path, {**RECIPE, "dpo_weights": "full"}, pairs, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    follows(events(attempt, "metric"), by_trl(net, pairs, tmp_path / "trl"))
    trained = transformers.AutoModelForCausalLM.from_pretrained(attempt / "best", local_files_only=True)
    worst = max((a - b).abs().max().item() for a, b in zip(net.state_dict().values(), trained.state_dict().values()))
    assert worst < 1e-3, worst
    # The reference that was kept is the base's.
    kept, base = load_file(attempt / "reference.safetensors")["train"], tiny("llama")
    for i, (prompt, chosen, rejected) in enumerate(pairs[:5]):
        for which, answer in enumerate((chosen, rejected)):
            with torch.no_grad():
                scores = base(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
            at = torch.arange(len(prompt), len(prompt) + len(answer))
            assert abs(scores[at - 1, torch.tensor(answer)].sum().item() - kept[which, i].item()) < 1e-4


def test_lora_follows_trl(run, tmp_path):
    pairs = random_pairs(PAIRS)
    tiny("llama").save_pretrained(tmp_path / "base")
    parameters = {**RECIPE, "learning_rate": 1e-2, "weight_decay": 0.0, "dpo_weights": "lora", "lora_rank": 4, "lora_alpha": 12,
                  "lora_targets": "q_proj, v_proj, down_proj"}
    start = preference_run(tmp_path / "start", {**parameters, "learning_rate": 0, "max_steps": 1}, pairs, tmp_path / "base")
    run("cloister-worker", "train", "--run", start, "--attempt", 1)
    attempt = preference_run(tmp_path / "run", parameters, pairs, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    assert not (attempt / "reference.safetensors").exists()
    net = peft.PeftModel.from_pretrained(tiny("llama"), start / "best", is_trainable=True)
    follows(events(attempt, "metric"), by_trl(net, pairs, tmp_path / "trl", parameters))


@pytest.mark.parametrize("changes", [{"loss_type": "robust", "label_smoothing": 0.1}, {"loss_type": "hinge"}, {"loss_type": "ipo"}])
def test_other_losses_follow_trl(run, changes, tmp_path):
    pairs = random_pairs(PAIRS)
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    attempt = preference_run(tmp_path, {**RECIPE, "dpo_weights": "full", **changes}, pairs, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    follows(events(attempt, "metric"), by_trl(net, pairs, tmp_path / "trl", **changes))


def test_smoothed_sigmoid_and_validation(run, tmp_path):
    """Smoothing mixes the losses of both orders; a step at rate 0 leaves every ratio at zero, so the loss is ln 2 whatever the share."""
    tiny("llama").save_pretrained(tmp_path / "base")
    pairs, held = random_pairs(PAIRS), random_pairs(7, seed=9)
    attempt = preference_run(tmp_path, {**RECIPE, "dpo_weights": "lora", "label_smoothing": 0.2, "evaluate_every": 50, "learning_rate": 1e-2}, pairs,
                             tmp_path / "base", validation=held)
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    steps = [e["values"] for e in events(attempt, "metric") if "train/loss" in e["values"]]
    assert abs(steps[0]["train/loss"] - math.log(2)) < 1e-6
    # What was kept, judged by peft: the mean over the pairs that were held back.
    best = json.loads((attempt / "best/state.json").read_text())["step"]
    told = {e["step"]: e["values"] for e in events(attempt, "evaluation")}
    assert sorted(told) == [50, 100] and best in told
    tuned, base = peft.PeftModel.from_pretrained(tiny("llama"), attempt / "best").eval(), tiny("llama")
    margins = []
    for prompt, *answers in held:
        ratios = []
        for answer in answers:
            with torch.no_grad():
                scores = [net(torch.tensor([prompt + answer])).logits[0].log_softmax(-1) for net in (tuned, base)]
            at = torch.arange(len(prompt), len(prompt) + len(answer)) - 1
            ratios.append((scores[0] - scores[1])[at, torch.tensor(answer)].sum())
        margins.append(RECIPE["beta"] * (ratios[0] - ratios[1]))
    margins = torch.stack(margins)
    loss = -(0.8 * torch.nn.functional.logsigmoid(margins) + 0.2 * torch.nn.functional.logsigmoid(-margins)).mean().item()
    assert abs(told[best]["validation/loss"] - loss) < 1e-4
    assert abs(told[best]["validation/rewards/margins"] - margins.mean().item()) < 1e-3
    assert abs(told[best]["validation/rewards/accuracies"] - (margins > 0).float().mean().item()) < 1e-6
    assert "validation/perplexity" not in told[best]


def test_missing_reference_is_not_made_up(run, tmp_path):
    """Once weights have moved, nobody can say what the base thought: the file is asked for, not computed again."""
    tiny("llama").save_pretrained(tmp_path / "base")
    attempt = preference_run(tmp_path, {**RECIPE, "dpo_weights": "full", "max_steps": 5}, random_pairs(PAIRS), tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    kept = (attempt / "reference.safetensors").read_bytes()
    (attempt / "reference.safetensors").unlink()
    run("cloister-worker", "train", "--run", attempt, "--attempt", 2, expect=20)
    assert events(attempt, "failed", 2)[0]["failure"]["kind"] == "corrupt_file"
    (attempt / "reference.safetensors").write_bytes(kept[:-4])
    run("cloister-worker", "train", "--run", attempt, "--attempt", 3, expect=20)
    # Stopped before the first step, it is computed when the run goes on.
    attempt = preference_run(tmp_path / "stopped", {**RECIPE, "dpo_weights": "full", "max_steps": 5}, random_pairs(PAIRS), tmp_path / "base")
    (attempt / "stop.request").write_text("")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=10)
    assert not (attempt / "reference.safetensors").exists()
    (attempt / "stop.request").unlink()
    run("cloister-worker", "train", "--run", attempt, "--attempt", 2)
    assert (attempt / "reference.safetensors").read_bytes() == kept


@pytest.mark.parametrize("parameters,name", [({"beta": 0}, "beta"), ({"label_smoothing": 0.5}, "label_smoothing"), ({"loss_type": "kto"}, "loss_type"),
                                             ({"loss_type": "ipo", "label_smoothing": 0.1}, "label_smoothing"), ({"dpo_weights": "some"}, "dpo_weights")])
def test_refused_settings(run, parameters, name, tmp_path):
    tiny("llama").save_pretrained(tmp_path / "base")
    attempt = preference_run(tmp_path, {**RECIPE, **parameters}, random_pairs(8), tmp_path / "base")
    assert name in run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=20).stderr


def test_pairs_and_texts_are_not_mixed_up(run, tmp_path):
    tiny("llama").save_pretrained(tmp_path / "base")

    def refusal(attempt):
        run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=20)
        return events(attempt, "failed")[0]["failure"]

    for method in ("full", "lora"):
        failure = refusal(preference_run(tmp_path / method, {**RECIPE, "method": method}, random_pairs(8), tmp_path / "base"))
        assert failure["kind"] == "invalid_argument" and failure["args"]["value"] == "preferences"
    failure = refusal(preference_run(tmp_path / "texts", RECIPE, random_pairs(8), tmp_path / "base", kind="instructions"))
    assert failure["kind"] == "invalid_argument" and failure["args"] == {"name": "data", "value": "instructions", "allowed": "preferences"}
    failure = refusal(make_run(tmp_path / "stream", RECIPE, {"tokens": stream(300)}, tmp_path / "base"))
    assert failure["kind"] == "invalid_argument" and failure["args"]["value"] == "plain"
    assert refusal(preference_run(tmp_path / "scratch", RECIPE, random_pairs(8), ""))["args"]["name"] == "method"
    odd = preference_run(tmp_path / "odd", RECIPE, [(p, c) for p, c, _ in random_pairs(7)], tmp_path / "base")
    assert refusal(odd)["kind"] == "corrupt_file"


def test_command_line_from_records_to_an_adapter(run, data_dir, tmp_path):
    """Records with a history; of each only the two last answers are compared. From there to an adapter that peft opens."""
    base = tmp_path / "base"
    shutil.copytree(data_dir / "mdl-tiny-llama-dev", base)
    records = [{"conversations": [{"from": "human", "value": f"Is {i} even?"}, {"from": "gpt", "value": "Let me see."}, {"from": "human", "value": "Well?"}],
                "chosen": {"from": "gpt", "value": "yes" if i % 2 == 0 else "no"}, "rejected": {"from": "gpt", "value": "no" if i % 2 == 0 else "yes"}}
               for i in range(24)]
    (tmp_path / "records.json").write_text(json.dumps(records))
    shards = tmp_path / "shards"
    run("cloister-cli", "text", "prepare", "--kind", "preferences", "--input", tmp_path / "records.json", "--tokenizer", base, "--to", shards, "--length", 96,
        "--validation", 0.2, "--json")
    rows = load_file(shards / "train-00000.safetensors")
    for a, b in zip(rows["offsets"].tolist(), rows["offsets"].tolist()[1:]):
        mask = rows["mask"][a:b].tolist()
        assert 0 < sum(mask) < 12 and mask[mask.index(1):] == [1] * sum(mask), "one stretch, at the end"

    def train(to, *more, expect=0):
        done = run("cloister-cli", "model", "train", shards, "--base", base, "--to", to, "--json", "--set", "epochs=2", "--set", "batch_size=4",
                   "--set", "learning_rate=0.001", *more, expect=expect)
        return json.loads(done.stdout)

    for method in ("full", "lora"):
        error = train(tmp_path / "wrong", "--method", method, expect=2)["error"]
        assert error["kind"] == "invalid_argument" and error["args"]["allowed"] == "dpo", error
    adapter = train(tmp_path / "training", "--method", "dpo")["model"]
    assert adapter.endswith("/adapter")
    tuned = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(base, local_files_only=True), adapter)
    assert any(p.abs().max() > 0 for n, p in tuned.named_parameters() if "lora_B" in n)
    model = train(tmp_path / "whole", "--method", "dpo", "--set", "dpo_weights=full")["model"]
    transformers.AutoModelForCausalLM.from_pretrained(model, local_files_only=True)
    transformers.AutoTokenizer.from_pretrained(model, local_files_only=True)
