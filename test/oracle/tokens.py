"""tokens.py FOLDER: the tokens of test/data/tokens/corpus.json by others' tokenizers.

Writes into FOLDER what test/data/tokens/ keeps, and compares (UPDATE_GOLDEN=1 copies it there):
  smollm2.json        the corpus under SmolLM2's vocabulary with each of the three splits (PyPI
                      tokenizers; the vocabulary from the GGUF, by PyPI gguf)
  pieces.json         a tokenizer.json of characters with byte fallback, trained on the corpus by
                      PyPI tokenizers
  pieces_tokens.json  the corpus under it, with its spaces written by normalisers and by Metaspace
  sentencepiece.json  a BPE vocabulary with scores, trained on the corpus by PyPI sentencepiece, and
                      the corpus under it
"""

import filecmp
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import gguf
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import trainers

STORED = Path(__file__).parent.parent / "data" / "tokens"
TEXTS = json.loads((STORED / "corpus.json").read_text(encoding="utf-8"))

# As in meta-llama/Meta-Llama-3-8B's and Qwen/Qwen2.5-7B's tokenizer.json.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def dump(path, rows):
    """A list or an object, one entry a line."""
    lines = (
        [json.dumps(row, ensure_ascii=False) for row in rows]
        if isinstance(rows, list)
        else [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in rows.items()]
    )
    opened, closed = "[]" if isinstance(rows, list) else "{}"
    text = opened + "\n" + ",\n".join(lines) + "\n" + closed + "\n"
    path.write_text(text, encoding="utf-8")


def encode(tokenizer):
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]


def split_by(expression):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(expression), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def smollm2(path):
    fields = gguf.GGUFReader(path).fields

    def texts(key):
        return fields[key].contents()

    tokens = texts("tokenizer.ggml.tokens")
    types = texts("tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ")) for merge in texts("tokenizer.ggml.merges")]
    splits = {
        "smollm": pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        ),
        "llama-bpe": split_by(LLAMA3),
        "qwen2": split_by(QWEN2),
    }
    rows = {}
    for name, split in splits.items():
        vocab = {token: i for i, token in enumerate(tokens)}
        tokenizer = Tokenizer(
            models.BPE(vocab=vocab, merges=merges, ignore_merges=name == "llama-bpe")
        )
        tokenizer.pre_tokenizer = split
        control = [t for t, kind in zip(tokens, types) if kind == 3]
        tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in control])
        rows[name] = encode(tokenizer)
    return rows


def with_normalisers(tokenizer):
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )


def with_metaspace(tokenizer):
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)


def pieces():
    """Trained word by word, used without words, as the tokenizers made from SentencePiece's are."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=specials, limit_alphabet=150, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = described["added_tokens"][:3]  # bytes are of the vocabulary only
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.pre_tokenizer = None
    with_normalisers(tokenizer)
    # The trainer breaks ties by a hash's order, so the vocabulary that is kept is the one used.
    return tokenizer


def with_scores(folder):
    model = folder / "sentencepiece"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(model),
        model_type="bpe",
        vocab_size=700,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    p = sentencepiece.SentencePieceProcessor(model_file=str(model) + ".model")
    ids = range(p.get_piece_size())
    kind = lambda i: 2 if p.is_unknown(i) else 3 if p.is_control(i) else 6 if p.is_byte(i) else 1
    return {
        "pieces": [p.id_to_piece(i) for i in ids],
        "scores": [p.get_score(i) for i in ids],
        "types": [kind(i) for i in ids],
        "tokens": [p.encode(text) for text in TEXTS],
    }


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    cache = os.environ.get("PRESIL_MODEL_CACHE") or os.environ.get("PRESIL_CACHE")
    cache = cache or os.path.expanduser("~/.cache/presil")
    weights = Path(cache) / "smollm2-135m.gguf"
    if weights.exists():
        dump(folder / "smollm2.json", smollm2(weights))
    else:
        print(f"{weights} is not there: SmolLM2's vocabulary was not compared")

    update = os.environ.get("UPDATE_GOLDEN") == "1"
    kept = STORED / "pieces.json"
    tokenizer = pieces() if update else Tokenizer.from_file(str(kept))
    with_normalisers(tokenizer)
    tokenizer.pre_tokenizer = None
    tokenizer.save(str(folder / "pieces.json"), pretty=False)
    rows = {"normalisers": encode(tokenizer)}
    with_metaspace(tokenizer)
    rows["metaspace"] = encode(tokenizer)
    dump(folder / "pieces_tokens.json", rows)
    with tempfile.TemporaryDirectory() as scratch:
        dump(folder / "sentencepiece.json", with_scores(Path(scratch)))

    differ = 0
    for made in sorted(folder.glob("*.json")):
        if update:
            shutil.copyfile(made, STORED / made.name)
        elif not filecmp.cmp(made, STORED / made.name, shallow=False):
            print(f"{made.name}: differs from {STORED / made.name}")
            differ = 1
    return differ


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
