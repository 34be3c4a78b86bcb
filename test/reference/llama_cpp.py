"""llama.cpp's own answer to prompts, step by step: all logits, of any of its builds for a CPU.

    python3 llama_cpp.py BINS                       the builds that run here, the best first
    python3 llama_cpp.py BINS MODEL.gguf [OPTION]... answers what stands on stdin

BINS is the folder of shared libraries in npm's @node-llama-cpp/linux-x64. Options: --build NAME
(default: the one that ggml picks), --threads N (2), --context N (1024). KV cache in F32 and flash
attention off: what `numerics: ggml` describes. One context in a process, as in the npm package.

Each line of stdin is a request, {"text"} or {"tokens", "steps", "forced"}:
  text    answered by one line, {"tokens"}: with BOS where the vocabulary asks for it.
  tokens  a new sequence. Answered by `steps` records: the likeliest next token (int32) and the
          logits of all (float32 each). The step after is given forced[i], or else that token.
The first line of stdout says {"build", "vocabulary", "context"}.

The libraries bring no header, so what of their structures is written here is checked against the
defaults that they give themselves; another layout ends with a message and exit code 3.
"""
import argparse
import array
import ctypes
import json
import os
import pathlib
import signal
import sys

INT, FLOAT, POINTER = ctypes.c_int32, ctypes.c_float, ctypes.c_void_p


class Parameters(ctypes.Structure):
    """llama_context_params or llama_model_params: passed in memory, so longer ones do as well."""

    _fields_ = [("words", INT * 128)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", INT)] + [(name, POINTER) for name in (
        "token", "embd", "pos", "n_seq_id", "seq_id", "logits")]


# Words of llama_context_params, with the defaults by which they are recognised.
N_CTX, N_BATCH, N_UBATCH, N_SEQ_MAX = 0, 1, 2, 3
N_THREADS, N_THREADS_BATCH, FLASH_ATTENTION, TYPE_K, TYPE_V = 7, 8, 13, 26, 27
AUTO, DISABLED, F32, F16 = -1, 0, 0, 1
DEFAULTS = {N_CTX: 512, N_BATCH: 2048, N_UBATCH: 512, N_SEQ_MAX: 1, 4: 0, 5: 0,
            N_THREADS: 4, N_THREADS_BATCH: 4, 9: 0, 10: -1, 11: -1, 12: -1, FLASH_ATTENTION: AUTO,
            14: 0, 15: 0, 20: 0, 22: 0, 23: 0, 24: 0, 25: 0, TYPE_K: F16, TYPE_V: F16, 28: 0, 29: 0}


def fail(message):
    print(f"llama_cpp.py: {message}", file=sys.stderr)
    sys.exit(3)


def builds(bins):
    """The names of ggml's builds that this CPU can run, the one that ggml would pick first."""
    ctypes.CDLL(str(bins / "libggml-base.so"), ctypes.RTLD_GLOBAL)
    scores = {}
    for file in sorted(bins.glob("libggml-cpu-*.so")):
        score = ctypes.CDLL(str(file)).ggml_backend_score()
        if score > 0:
            scores[file.stem.removeprefix("libggml-cpu-")] = score
    return sorted(scores, key=scores.get, reverse=True)


class Reference:
    def __init__(self, bins, model, build, threads, context):
        self.ggml = ctypes.CDLL(str(next(bins.glob("libggml.*so*"))), ctypes.RTLD_GLOBAL)
        self.llama = ctypes.CDLL(str(next(bins.glob("libllama.*so*"))))
        self.declare()
        self.quiet = ctypes.CFUNCTYPE(None, INT, ctypes.c_char_p, POINTER)(self.log)
        self.llama.llama_log_set(self.quiet, None)
        self.ggml.ggml_log_set(self.quiet, None)
        if not self.ggml.ggml_backend_load(os.fsencode(bins / f"libggml-cpu-{build}.so")):
            fail(f"the build {build} could not be loaded")
        parameters = self.llama.llama_context_default_params()
        for word, expected in DEFAULTS.items():
            if parameters.words[word] != expected:
                fail(f"this is another llama.cpp than the one that was locked (word {word})")
        wanted = {N_CTX: context, N_BATCH: context, N_UBATCH: context, FLASH_ATTENTION: DISABLED,
                  N_THREADS: threads, N_THREADS_BATCH: threads, TYPE_K: F32, TYPE_V: F32}
        for word, value in wanted.items():
            parameters.words[word] = value
        loaded = self.llama.llama_model_load_from_file(
            os.fsencode(model), self.llama.llama_model_default_params())
        if not loaded:
            fail(f"llama.cpp does not open {model}")
        self.context = self.llama.llama_init_from_model(loaded, parameters)
        if not self.context:
            fail(f"llama.cpp makes no context for {model}")
        self.vocabulary = self.llama.llama_model_get_vocab(loaded)
        self.n_vocabulary = self.llama.llama_vocab_n_tokens(self.vocabulary)
        self.n_context = self.llama.llama_n_ctx(self.context)

    def declare(self):
        def function(name, result, *arguments):
            f = getattr(self.llama, name)
            f.restype, f.argtypes = result, arguments

        function("llama_context_default_params", Parameters)
        function("llama_model_default_params", Parameters)
        function("llama_model_load_from_file", POINTER, ctypes.c_char_p, Parameters)
        function("llama_init_from_model", POINTER, POINTER, Parameters)
        function("llama_model_get_vocab", POINTER, POINTER)
        function("llama_vocab_n_tokens", INT, POINTER)
        function("llama_n_ctx", ctypes.c_uint32, POINTER)
        function("llama_get_memory", POINTER, POINTER)
        function("llama_memory_clear", None, POINTER, ctypes.c_bool)
        function("llama_batch_get_one", Batch, POINTER, INT)
        function("llama_decode", INT, POINTER, Batch)
        function("llama_get_logits_ith", POINTER, POINTER, INT)
        function("llama_tokenize", INT, POINTER, ctypes.c_char_p, INT, POINTER, INT,
                 ctypes.c_bool, ctypes.c_bool)
        self.ggml.ggml_backend_load.restype = POINTER
        self.ggml.ggml_backend_load.argtypes = [ctypes.c_char_p]

    def log(self, level, text, _):
        if level == 4:  # GGML_LOG_LEVEL_ERROR
            sys.stderr.write(text.decode(errors="replace"))

    def tokens_of(self, text):
        data = text.encode()
        room = (INT * (len(data) + 16))()
        count = self.llama.llama_tokenize(
            self.vocabulary, data, len(data), room, len(room), True, True)
        if count < 0:
            fail("llama.cpp does not tokenise the text")
        return list(room[:count])

    def decode(self, tokens):
        """The logits after `tokens`, which continue the sequence."""
        room = (INT * len(tokens))(*tokens)
        if self.llama.llama_decode(self.context, self.llama.llama_batch_get_one(room, len(room))):
            fail(f"llama.cpp could not run {len(tokens)} tokens in a context of {self.n_context}")
        logits = self.llama.llama_get_logits_ith(self.context, -1)
        return array.array("f", ctypes.string_at(logits, 4 * self.n_vocabulary))

    def answer(self, tokens, steps, forced=()):
        """Yields what each step chose, and its logits."""
        self.llama.llama_memory_clear(self.llama.llama_get_memory(self.context), True)
        for step in range(steps):
            logits = self.decode(tokens)
            chosen = logits.index(max(logits))
            yield chosen, logits
            tokens = [forced[step] if step < len(forced) else chosen]


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; this ends with its stdin
    parser = argparse.ArgumentParser()
    parser.add_argument("bins", type=pathlib.Path)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--build")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=1024)
    o = parser.parse_args()
    out = sys.stdout.buffer
    found = builds(o.bins)
    if not found:
        fail(f"no build of ggml in {o.bins} runs on this CPU")
    if o.model is None:
        print(json.dumps({"builds": found}))
        return
    build = o.build or found[0]
    if build not in found:
        fail(f"the build {build} does not run on this CPU; {', '.join(found)} do")
    reference = Reference(o.bins, o.model, build, o.threads, o.context)

    def say(message):
        out.write(json.dumps(message).encode() + b"\n")
        out.flush()

    say({"build": build, "vocabulary": reference.n_vocabulary, "context": reference.n_context})
    for line in sys.stdin:
        request = json.loads(line)
        if "text" in request:
            say({"tokens": reference.tokens_of(request["text"])})
            continue
        for chosen, logits in reference.answer(**request):
            out.write(array.array("i", [chosen]).tobytes() + logits.tobytes())
            out.flush()


if __name__ == "__main__":
    main()
