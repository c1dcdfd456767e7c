"""Describes this machine for the cost model, by measuring: rate of products, memory bandwidth, and collectives of Gloo between two processes.

    python tests/bench/measure_machine.py --to here.json
    cloister-cli model plan llama-10m --gpus 2 --machine here.json --compute fp32 --sequence 256 --global-batch 16

Bandwidth and latency of a link are fitted to all-reduce alone (ring: 2 (p-1)/p n/B + 2 (p-1) a, least squares on relative errors); reduce-scatter, all-gather
and all-to-all are then predicted from these two and compared with what was measured. The least of many times counts, since others may use the machine. Nothing here is asserted: times belong to the machine and its load."""
import argparse
import datetime
import json
import os
import tempfile
import time

import numpy
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

SIZES = [2**n for n in range(10, 25, 2)]
RANKS = 2
# Gloo scatters by an all-reduce of which each rank keeps its part.
PASSES = {"all_reduce": 2, "reduce_scatter": 2, "all_gather": 1, "all_to_all": 1}


def best(call, seconds=0.4, least=5):
    call()
    times, begin = [], time.perf_counter()
    while len(times) < least or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def collective(name, size):
    """bytes: the whole vector; of all-to-all what a rank holds."""
    whole = torch.zeros(size // 4)
    part = torch.zeros(size // 4 // RANKS)
    return {"all_reduce": lambda: dist.all_reduce(whole), "reduce_scatter": lambda: dist.reduce_scatter_tensor(part, whole),
            "all_gather": lambda: dist.all_gather_into_tensor(whole, part), "all_to_all": lambda: dist.all_to_all_single(torch.empty_like(whole), whole)}[name]


def rank_of(rank, store, queue):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS, timeout=datetime.timedelta(seconds=60))
    for name in PASSES:
        for size in SIZES:
            call = collective(name, size)
            count = max(5, min(400, int(6e8 // (size + 1e6))))
            call()
            dist.barrier()
            times = []
            for _ in range(count):
                start = time.perf_counter()
                call()
                times.append(time.perf_counter() - start)
            if rank == 0:
                queue.put((name, size, float(min(times))))
    dist.barrier()
    dist.destroy_process_group()


def measured_collectives():
    context = mp.get_context("spawn")
    queue = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        processes = [context.Process(target=rank_of, args=(r, os.path.join(folder, "store"), queue)) for r in range(RANKS)]
        for p in processes:
            p.start()
        rows = [queue.get() for _ in range(len(PASSES) * len(SIZES))]
        for p in processes:
            p.join()
    return rows


def predicted(name, size, bandwidth, latency):
    steps = PASSES[name] * (RANKS - 1)
    return steps / RANKS * size / bandwidth + steps * latency


def fitted(rows):
    """Latency from the short vectors' part and bandwidth from the long ones', at once: least squares on relative errors."""
    chosen = [(size, seconds) for name, size, seconds in rows if name == "all_reduce"]
    steps = PASSES["all_reduce"] * (RANKS - 1)
    matrix = numpy.array([[steps / RANKS * size / seconds, steps / seconds] for size, seconds in chosen])
    inverse, latency = numpy.linalg.lstsq(matrix, numpy.ones(len(chosen)), rcond=None)[0]
    return 1 / inverse, max(latency, 0)


def product_rate(threads, kind, size=512):
    """FLOP/s of products that fit the cache."""
    torch.set_num_threads(threads)
    a, b = torch.randn(size, size).to(kind), torch.randn(size, size).to(kind)
    return 2 * size**3 / best(lambda: torch.mm(a, b), 4)


def memory_bandwidth(threads, size=64 << 20):
    """bytes/s read and written by a copy; the better of one thread and all, since a busy machine keeps the second waiting."""
    a, b = torch.zeros(size // 4), torch.zeros(size // 4)
    seconds = []
    for count in {1, threads}:
        torch.set_num_threads(count)
        seconds.append(best(lambda: b.copy_(a), 4))
    return 2 * size / min(seconds)


def description(bandwidth, latency, rates, memory, threads):
    sources = {k: "measured here by tests/bench/measure_machine.py" for k in ("peak", "memoryBandwidth", "node", "network", "productFraction")}
    link = {"bandwidth": bandwidth, "fraction": 1, "latency": latency}
    return {"id": "here", "name": f"this machine, {threads} threads a rank", "gpusPerNode": RANKS, "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // RANKS,
            "peak": {"bf16": rates[1], "fp16": 0, "fp8": 0, "fp32": rates[0]}, "productFraction": 1, "memoryBandwidth": memory, "memoryFraction": 1, "kernelSeconds": 5e-6,
            "node": link, "network": link, "sources": {**sources, "memory": "physical memory by rank", "memoryFraction": "measured as a copy", "kernelSeconds": "assumed"}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", required=True, help="the JSON file for --machine")
    parser.add_argument("--threads", type=int, default=1, help="threads of a rank for products (collectives always have one)")
    arguments = parser.parse_args()
    rates = [product_rate(arguments.threads, kind) for kind in (torch.float32, torch.bfloat16)]
    memory = memory_bandwidth(arguments.threads)
    rows = measured_collectives()
    bandwidth, latency = fitted(rows)
    print(f"products of 512: float32 {rates[0] / 1e9:.0f}, bfloat16 {rates[1] / 1e9:.0f} GFLOP/s; copies: {memory / 1e9:.1f} GB/s; all-reduce: {bandwidth / 1e9:.2f} GB/s, {latency * 1e6:.0f} µs a step")
    print("| collective | bytes | measured, µs | predicted, µs | error |\n|---|---|---|---|---|")
    for name, size, seconds in rows:
        guess = predicted(name, size, bandwidth, latency)
        print(f"| {name} | {size:,} | {seconds * 1e6:.0f} | {guess * 1e6:.0f} | {100 * (guess / seconds - 1):+.0f} % |")
    with open(arguments.to, "w", encoding="utf-8") as file:
        json.dump(description(bandwidth, latency, rates, memory, arguments.threads), file, indent=1)


if __name__ == "__main__":
    main()
