"""Conversations in the chat templates of the families against transformers' apply_chat_template: text, ids, where a generated answer begins, and
which tokens count as answers. The templates are written after the public forms of the families."""
import json

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import tokenizer_support as support

CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
QWEN2 = ("{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
         "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
QWEN25 = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}{{- '# Tools' }}
    {%- for tool in tools %}
        {{- "\\n" }}{{- tool | tojson }}
    {%- endfor %}
{%- else %}
    {%- if messages[0]['role'] == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- for tool_call in message.tool_calls %}{{- tool_call.name }}{%- endfor %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
# Thinking of earlier turns is dropped, so that the text of a conversation is not the beginning of a longer one.
QWEN3 = """{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}"""
LLAMA2 = ("{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
          "{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
          "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}"
          "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}"
          "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}"
          "{% endif %}{% endfor %}")
LLAMA3 = ("{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
          "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}")
LLAMA31 = """{{- bos_token }}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{#- the system message is taken out #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
MISTRAL = ("{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
           "{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
           "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}")
MISTRAL_NEMO = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST]" + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message["role"] == "assistant" %}
        {{- message["content"] + eos_token}}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
"""
GEMMA = ("{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}"
         "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
         "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
         "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}")
PHI3 = ("{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}"
        "{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}")
ZEPHYR = ("{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
          "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
          "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}")
ALPACA = ("{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n\n' }}{% set rest = messages[1:] %}{% else %}{{ 'Below is an instruction that describes a task.\n\n' }}{% set rest = messages %}{% endif %}"
          "{% for message in rest %}{% if message.role == 'user' %}### Instruction:\n{{ message.content }}\n\n{% else %}### Response:\n{{ message.content }}{{ eos_token }}\n\n{% endif %}{% endfor %}"
          "{% if add_generation_prompt %}### Response:\n{% endif %}")
DEEPSEEK_V2 = ("{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
               "{{ 'User: ' + message['content'] + '\n\n' }}{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}{% elif message['role'] == 'system' %}"
               "{{ message['content'] + '\n\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}")
DEEPSEEK_V3 = ("{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}"
               "{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}"
               "{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}"
               "{%- if message['role'] == 'assistant' and message['content'] is none %}{{'tool'}}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}"
               "{%- if ns.is_tool %}{{message['content'] + eos_token}}{%- set ns.is_tool = false -%}{%- else %}{{'<｜Assistant｜>' + message['content'] + eos_token}}{%- endif %}{%- endif %}"
               "{%- endfor -%}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜>'}}{% endif %}")
DEEPSEEK_R1 = (DEEPSEEK_V3.replace("{%- if ns.is_tool %}{{message['content']", "{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}"
                                   "{%- if ns.is_tool %}{{message['content']").replace("'<｜Assistant｜>' + message['content'] + eos_token", "'<｜Assistant｜>' + content + eos_token")
               .replace("{{'<｜Assistant｜>'}}", "{{'<｜Assistant｜><think>\\n'}}"))

IM = ["<|endoftext|>", "<|im_end|>", "<|im_start|>"]
DS = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"]
L3 = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
S = ["<s>", "</s>"]
FAMILIES = {
    "chatml": (CHATML, IM), "qwen2": (QWEN2, IM), "qwen2.5": (QWEN25, IM), "qwen3": (QWEN3, IM), "llama2": (LLAMA2, S), "llama3": (LLAMA3, L3), "llama3.1": (LLAMA31, L3),
    "mistral": (MISTRAL, S), "mistral-nemo": (MISTRAL_NEMO, S + ["[INST]", "[/INST]"]), "gemma": (GEMMA, ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"]),
    "phi3": (PHI3, S + ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]), "zephyr": (ZEPHYR, S), "alpaca": (ALPACA, S), "deepseek-v2": (DEEPSEEK_V2, DS[:2]),
    "deepseek-v3": (DEEPSEEK_V3, DS), "deepseek-r1": (DEEPSEEK_R1, DS),
}

ODD = ["Hi", "  spaces around \n", "Ünïcödé 日本語 🙂👩‍👩‍👧", "{{ bos_token }} {% if %}", "<|im_end|> <s> 'quotes\" \\n", "line\r\nline\ttab\u00a0\u200b\ufeffx", "</think>\n\nafter", "1 + 1 = 2?"]


def conversations():
    made = []
    for i, (a, b) in enumerate(zip(ODD, ODD[1:] + ODD[:1])):
        for turns in (1, 2, 3):
            talk = [{"role": role, "content": text} for k in range(turns) for role, text in (("user", a if k % 2 == 0 else b + "!"), ("assistant", (b if k % 2 == 0 else a) + f" {k}."))]
            made.append(talk)
            made.append([{"role": "system", "content": ODD[i - 3] or "Be brief."}] + talk)
    made.append([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "<think>\nIt is so.\n</think>\n\nBecause."}, {"role": "user", "content": "And?"},
                 {"role": "assistant", "content": "<think>\nHm\n</think>\n\nNo."}])
    return made


@pytest.fixture(scope="module")
def base(data_dir):
    records = json.loads((data_dir / "txt-instruct-demo-dev" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = support.PRE_TOKENIZERS["qwen2"]()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator([r["instruction"] + r["output"] for r in records[:200]],
                                  trainers.BpeTrainer(vocab_size=1500, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer.to_str()


def write_folder(folder, base, specials, template, form="config"):
    folder.mkdir()
    tokenizer = Tokenizer.from_str(base)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in specials])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": specials[0], "eos_token": specials[1]}
    config = {**names, "tokenizer_class": "PreTrainedTokenizerFast"}
    if form == "config":
        config["chat_template"] = template
    elif form == "list":
        config["chat_template"] = [{"name": "tool_use", "template": "{{ raise_exception('tools') }}"}, {"name": "default", "template": template}]
    else:
        config["chat_template"] = "{{ raise_exception('the older one') }}"
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8", newline="")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, **names)


def chat(run, folder, talks, tmp_path, *options):
    file = tmp_path / "talks.jsonl"
    file.write_text("".join(json.dumps({"messages": t}, ensure_ascii=False) + "\n" for t in talks), encoding="utf-8", newline="")
    return json.loads(run("cloister-cli", "tokenizer", "chat", "--tokenizer", folder, "--file", file, "--json", *options).stdout)


def refused(call):
    try:
        return call()
    except Exception:  # jinja2's errors and TypeErrors of the template
        return None


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name, base, run, tmp_path):
    template, specials = FAMILIES[name]
    theirs = write_folder(tmp_path / "model", base, specials, template, ("config", "list", "jinja")[list(FAMILIES).index(name) % 3])
    talks = conversations()
    ours = chat(run, tmp_path / "model", talks, tmp_path)
    assert ours["template"] == "folder"
    counted = 0
    for talk, told in zip(talks, ours["conversations"]):
        ids = refused(lambda: theirs.apply_chat_template(talk, tokenize=True, return_dict=False))
        assert told.get("ids") == ids, (talk, told)
        if ids is None:
            assert told["failure"]["kind"] == "template_failed"
            continue
        counted += check_answers(theirs, talk, told, specials)
    assert counted > (20 if name in ("mistral", "gemma", "mistral-nemo") else 40)  # these refuse a system message, or drop it later
    questions = [t[:-1] for t in talks]
    for talk, told in zip(questions, chat(run, tmp_path / "model", questions, tmp_path, "--open")["conversations"]):
        assert told.get("ids") == refused(lambda: theirs.apply_chat_template(talk, tokenize=True, return_dict=False, add_generation_prompt=True))
    for talk, told in zip(talks, chat(run, tmp_path / "model", talks, tmp_path, "--open")["conversations"]):
        assert told.get("ids") == refused(lambda: theirs.apply_chat_template(talk, tokenize=True, return_dict=False, continue_final_message=True))


def check_answers(theirs, talk, told, specials):
    """The tokens that count: what generation has to write behind its prompt, up to the token that ends it. 1 when all answers count."""
    assert len(told["answer"]) == len(told["ids"])
    last = sum(m["role"] == "assistant" for m in talk)
    text = theirs.apply_chat_template(talk, tokenize=False)
    prompt = theirs.apply_chat_template(talk[:-1], tokenize=False, add_generation_prompt=True)
    encoded = theirs(text, add_special_tokens=False, return_offsets_mapping=True)
    other = theirs.apply_chat_template(talk[:-1] + [{"role": "assistant", "content": "ANOTHER ANSWER"}], tokenize=False)
    start = len(prompt) if text.startswith(prompt) else other.index("ANOTHER ANSWER")
    kept = text.rstrip()
    end = len(kept) if any(kept.endswith(s) for s in specials) else len(text)
    expected = [int(b > start and a < end) for a, b in encoded["offset_mapping"]]
    ours = [int(k == last) for k in told["answer"]]
    differing = [i for i, (x, y) in enumerate(zip(ours, expected)) if x != y]
    # Their offsets leave the space out that a token begins with; ours hold it.
    assert all(encoded["offset_mapping"][i][0] in (start, start + 1, end) for i in differing), (talk, differing, ours, expected)
    assert any(ours)
    return len(set(told["answer"]) - {0}) + len(told["notes"]) == last


def test_unstable_template(base, run, tmp_path):
    """A template that drops the thinking of earlier turns: only the last answer counts, and it is said."""
    write_folder(tmp_path / "model", base, IM, QWEN3)
    told = chat(run, tmp_path / "model", [conversations()[-1]], tmp_path)["conversations"][0]
    assert set(told["answer"]) == {0, 2} and len(told["notes"]) == 1 and "answer 1 does not count" in told["notes"][0]


def test_refusals(base, run, tmp_path):
    write_folder(tmp_path / "model", base, IM, "{{ bos_token }}\n{% for m in messages %}{{ m.content }")
    out = run("cloister-cli", "tokenizer", "chat", "--tokenizer", tmp_path / "model", "--file", write_talk(tmp_path), "--json", expect=3)
    failure = json.loads(out.stdout)["error"]
    assert failure["kind"] == "template_failed" and failure["args"]["line"] == 2 and failure["args"]["path"].endswith("tokenizer_config.json")
    # A built-in form is still there to be chosen.
    run("cloister-cli", "tokenizer", "chat", "--tokenizer", tmp_path / "model", "--file", write_talk(tmp_path), "--template", "chatml")
    folder = tmp_path / "several"
    write_folder(folder, base, IM, CHATML)
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": [{"name": "a", "template": "x"}, {"name": "b", "template": "y"}]}))
    run("cloister-cli", "tokenizer", "chat", "--tokenizer", folder, "--file", write_talk(tmp_path), expect=3)
    (folder / "tokenizer_config.json").unlink()
    run("cloister-cli", "tokenizer", "chat", "--tokenizer", folder, "--file", write_talk(tmp_path), "--template", "folder", expect=2)
    assert chat(run, folder, [conversations()[0]], tmp_path)["template"] == "chatml"


def write_talk(tmp_path):
    (tmp_path / "talk.jsonl").write_text(json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}))
    return tmp_path / "talk.jsonl"


def test_day(base, run, tmp_path):
    """A template that asks for the day is told the one that is given, or refused with what to do."""
    theirs = write_folder(tmp_path / "model", base, IM, "{{ 'Today is ' ~ strftime_now('%d %B %Y') ~ '.\n' }}" + CHATML)
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]
    told = chat(run, tmp_path / "model", [talk], tmp_path)["conversations"][0]
    assert "--date" in told["failure"]["args"]["why"]
    told = chat(run, tmp_path / "model", [talk], tmp_path, "--date", "2026-11-24")["conversations"][0]
    assert told["text"].startswith("Today is 24 November 2026.\n<|im_start|>user") and theirs.decode(told["ids"]) == told["text"]
