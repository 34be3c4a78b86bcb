"""llama_cpp_speed.py BINS MODEL.gguf TOKENS: how fast llama.cpp decodes, as values_bench says it."""
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "test/reference"))
import llama_cpp

bins, model, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
build = llama_cpp.builds(bins)[0]
threads = min(2, os.cpu_count())
reference = llama_cpp.Reference(bins, model, build, threads, context=512)
prompt = [(i * 7919 + 17) % reference.n_vocabulary for i in range(16)]
steps = reference.answer(prompt, count + 1)
next(steps)  # the prompt
begin, user = time.perf_counter(), os.times().user
for _ in steps:
    pass
wall, user = time.perf_counter() - begin, os.times().user - user
print(json.dumps({"numerics": f"llama.cpp, {build}, {threads} threads", "phase": "decode",
                  "tokens": count, "tokens_per_s": round(count / wall, 2),
                  "cpu_s_per_token": round(user / count, 5)}))
