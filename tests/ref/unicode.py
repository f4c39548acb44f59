"""Tables of characters in lib/text, for the libraries that are installed.

usage: python tests/ref/unicode.py --ranges | --classes | --properties
needs: the packages of tests/ref/requirements.txt; libutf8proc and libpcre2-8

    --ranges      characters after Unicode 8.0, for unicode.c and utf8proc
    --classes     letters and numbers after Unicode 14.0, for split.c and PCRE2
    --properties  checksums of what is true of all characters, for test_unicode.c and
                  (letter, number, sign) test_bpe.c
"""
import ctypes
import ctypes.util
import os
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"


def ranges():
    """Which punctuation, marks and format characters `tokenizers` takes for letters, and
    which spacing marks it does not put in order."""
    from tokenizers.normalizers import NFD, BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    lib = ctypes.CDLL(ctypes.util.find_library("utf8proc"))
    lib.utf8proc_category_string.restype = ctypes.c_char_p
    lib.utf8proc_get_property.restype = ctypes.POINTER(ctypes.c_int16)  # category, class
    clean = BertNormalizer(strip_accents=False, lowercase=False, handle_chinese_chars=False)
    strip = BertNormalizer(clean_text=False, strip_accents=True, lowercase=False,
                           handle_chinese_chars=False)
    nfd, split = NFD(), BertPreTokenizer()
    table, open_range = [], False
    for c in range(0x80, 0x110000):
        if 0xd800 <= c < 0xe000 or (nfd.normalize_str(chr(c)) != chr(c) and c != 0x11938):
            continue
        kind = lib.utf8proc_category_string(c).decode()
        text = f"a{chr(c)}b"
        if kind[0] == "P":
            young = len(split.pre_tokenize_str(text)) == 1
        elif kind == "Mn":
            young = strip.normalize_str(text) == text
        elif kind == "Cf":
            young = clean.normalize_str(text) == text
        elif kind == "Mc" and lib.utf8proc_get_property(c)[1] != 0:
            young = nfd.normalize_str("\u0345" + chr(c)) == "\u0345" + chr(c)
        else:
            continue
        if young and open_range:
            table[-1][1] = c
        elif young:
            table.append([c, c])
        open_range = young
    print(", ".join(f"{{{a:#x}, {b:#x}}}" for a, b in table))


def classes():
    """Code points that byte-level splitting takes for letters or numbers, and PCRE2 not."""
    from tokenizers import pre_tokenizers
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    lib = ctypes.CDLL(ctypes.util.find_library("pcre2-8"))
    lib.pcre2_compile_8.restype = lib.pcre2_match_data_create_8.restype = ctypes.c_void_p
    lib.pcre2_compile_8.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32] + [
        ctypes.c_void_p] * 3
    lib.pcre2_match_data_create_8.argtypes = [ctypes.c_uint32, ctypes.c_void_p]
    lib.pcre2_match_8.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t,
                                  ctypes.c_size_t, ctypes.c_uint32] + [ctypes.c_void_p] * 2
    code, at = ctypes.c_int(), ctypes.c_size_t()
    match = lib.pcre2_match_data_create_8(1, None)
    for name, beside in (("L", "a"), ("N", "1")):
        pattern = rf"\p{{{name}}}".encode()
        compiled = lib.pcre2_compile_8(pattern, len(pattern), 0xa0000, ctypes.byref(code),
                                       ctypes.byref(at), None)  # PCRE2_UTF | PCRE2_UCP
        table = []
        for c in range(0x80, 0x110000):
            if 0xd800 <= c < 0xe000 or len(split(beside + chr(c))) > 1:
                continue
            text = chr(c).encode()
            if lib.pcre2_match_8(compiled, text, len(text), 0, 0, match, None) > 0:
                continue
            if table and table[-1][1] == c - 1:
                table[-1][1] = c
            else:
                table.append([c, c])
        print(name, "".join(rf"\x{{{a:x}}}" + (rf"-\x{{{b:x}}}" if b > a else "")
                            for a, b in table))


def word_characters():
    """Beside which a token that must be a single word is not found."""
    from tokenizers import AddedToken, Tokenizer, models
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("q", single_word=True)])
    points = [c for c in range(1, 0x110000) if not 0xd800 <= c < 0xe000]
    for i in range(0, len(points), 100000):
        part = points[i:i + 100000]
        found = tokenizer.encode_batch(["q" + chr(c) for c in part])
        yield from (c for c, x in zip(part, found) if "q" not in x.tokens)


def properties():
    from tokenizers.normalizers import NFD, BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
    off = dict(clean_text=False, strip_accents=False, lowercase=False,
               handle_chinese_chars=False)
    clean = BertNormalizer(**{**off, "clean_text": True}).normalize_str
    strip = BertNormalizer(**{**off, "strip_accents": True}).normalize_str
    lower = BertNormalizer(**{**off, "lowercase": True}).normalize_str
    spaced = BertNormalizer(**{**off, "handle_chinese_chars": True}).normalize_str
    nfd, split = NFD().normalize_str, BertPreTokenizer().pre_tokenize_str
    words = ByteLevel(add_prefix_space=False).pre_tokenize_str
    names = ("letter number sign space control punct mark ideograph combining decompose "
             "lower").split()
    sums = dict.fromkeys(names, 0)
    for point in range(1, 0x110000):
        if 0xd800 <= point < 0xe000:
            continue
        c = chr(point)
        parts, full = split(f"a{c}b"), nfd(c)
        facts = {
            "letter": len(words("a" + c)) == 1, "number": len(words("1" + c)) == 1,
            "sign": len(words("!" + c)) == 1,
            "space": len(parts) == 2, "punct": len(parts) == 3,
            "control": clean(c) == "" and point != 0xfffd,
            "mark": full == c and strip(c) == "", "ideograph": spaced(c) != c,
            "combining": full == c and (point == 0x345 or
                                        nfd("\u0345" + c) == c + "\u0345"),
        }
        for name, holds in facts.items():
            if holds:
                sums[name] = (sums[name] * 31 + point) % 2**32
        for name, text in (("decompose", full), ("lower", lower(c))):
            for x in text:
                sums[name] = (sums[name] * 31 + ord(x)) % 2**32
    sums["word"] = 0
    for point in word_characters():
        sums["word"] = (sums["word"] * 31 + point) % 2**32
    for name in sums:
        print(f'"{name}", {sums[name]:#010x}u')


def main(argv):
    actions = {"--ranges": ranges, "--classes": classes, "--properties": properties}
    if len(argv) != 1 or argv[0] not in actions:
        sys.exit(__doc__)
    actions[argv[0]]()


if __name__ == "__main__":
    main(sys.argv[1:])
