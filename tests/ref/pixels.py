"""Writes tests/fixtures/images: small pictures, and what Pillow and transformers make of them.

usage: python tests/ref/pixels.py tests/fixtures
needs: the packages of tests/ref/requirements.txt

    NAME.png, NAME.jpg   each kind of picture
    damaged-*            pictures that are to be refused
    read.tsv             FILE WIDTH HEIGHT CHANNELS BYTES: convert("RGB"), of grey one channel
    resample.tsv         HOW HEIGHT WIDTH CHANNELS OUT_HEIGHT OUT_WIDTH CRC: Image.resize
    fit.tsv              FILE CHANNELS HEIGHT WIDTH CONFIG FLOATS: ViTImageProcessorPil, of a
                         HEIGHT over 100 the first two rows of each channel

BYTES and FLOATS are hexadecimal, the floats' bits with the highest first. CRC is zlib's crc32
of the resized bytes; the picture before is noise(HEIGHT * WIDTH * CHANNELS).
"""
import io
import json
import os
import struct
import sys
import tempfile
import zlib

import numpy as np
from PIL import Image
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]  # first column and row, steps of columns and rows
random = np.random.default_rng(1)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rows(samples, depth):
    """Rows of samples [height][width * samples], packed, each with filter 0 in front."""
    packed = b""
    for row in samples:
        bits = "".join(format(int(x), f"0{depth}b") for x in row)
        bits += "0" * (-len(bits) % 8)
        packed += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return packed


def png(kind, depth, samples, between=b"", interlaced=False):
    """A PNG of samples [height, width, SAMPLES[kind]]."""
    height, width, n = samples.shape
    flat = [samples]
    if interlaced:
        flat = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
    data = b"".join(rows(p.reshape(p.shape[0], -1), depth) for p in flat if p.size)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + between +
            chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def random_png(kind, depth, between=b"", interlaced=False, height=7, width=11):
    shape = (height, width, SAMPLES[kind])
    return png(kind, depth, random.integers(0, 1 << depth, shape), between, interlaced)


def palette(n):
    return chunk(b"PLTE", random.integers(0, 256, 3 * n, dtype=np.uint8).tobytes())


def smooth(height, width, channels):
    """Waves: something that JPEG keeps."""
    y, x = np.mgrid[:height, :width]
    waves = [127.5 + 127.5 * np.sin(x / (3 + c) + y / (5 - c) + c) for c in range(channels)]
    return np.stack(waves, -1).astype(np.uint8)


def jpeg(pixels, mode, **how):
    out = io.BytesIO()
    Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode).save(out, "JPEG", **how)
    return out.getvalue()


def lost_marker(data):
    """The same JPEG with an end-of-image marker amid its pixels."""
    start = data.index(b"\xff\xda") + 40
    return data[:start] + b"\xff\xd9" + data[start:]


def pictures():
    made = {}
    for depth in (1, 2, 4, 8):
        made[f"grey-{depth}.png"] = random_png(GREY, depth)
    made["grey-16.png"] = png(GREY, 16, np.arange(0, 510, 10).reshape(3, 17, 1))
    for depth in (8, 16):
        made[f"grey-alpha-{depth}.png"] = random_png(GREY_ALPHA, depth)
        made[f"rgb-{depth}.png"] = random_png(RGB, depth)
        made[f"rgb-alpha-{depth}.png"] = random_png(RGB_ALPHA, depth)
    for depth in (1, 2, 4, 8):
        made[f"palette-{depth}.png"] = random_png(PALETTE, depth, palette(1 << depth))
    clear = chunk(b"tRNS", bytes([0, 128, 255]))
    made["palette-clear.png"] = random_png(PALETTE, 4, palette(16) + clear)
    made["grey-clear.png"] = random_png(GREY, 2, chunk(b"tRNS", bytes([0, 2])))
    made["rgb-clear.png"] = random_png(RGB, 8, chunk(b"tRNS", bytes([0, 1, 0, 2, 0, 3])))
    made["rgb-interlaced.png"] = random_png(RGB, 8, interlaced=True)
    made["grey-4-interlaced.png"] = random_png(GREY, 4, interlaced=True)
    made["rgb-gamma.png"] = random_png(RGB, 8, chunk(b"gAMA", struct.pack(">I", 100000)))
    made["rgb-wide.png"] = png(RGB, 8, smooth(16, 32, 3))
    made["rgb-tall.png"] = png(RGB, 8, smooth(40, 9, 3))
    made["one-pixel.png"] = random_png(RGB, 8, height=1, width=1)
    colour = smooth(21, 35, 3)
    made["grey.jpg"] = jpeg(colour, "L")
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        made[f"colour-{name}.jpg"] = jpeg(colour, "RGB", subsampling=sampling, quality=60)
    made["colour-progressive.jpg"] = jpeg(colour, "RGB", progressive=True)
    made["colour-restarts.jpg"] = jpeg(colour, "RGB", restart_marker_blocks=1)
    made["cmyk.jpg"] = jpeg(smooth(21, 35, 4), "CMYK")
    adobe = made["cmyk.jpg"].index(b"Adobe\0")
    made["ycck.jpg"] = made["cmyk.jpg"][:adobe + 11] + b"\2" + made["cmyk.jpg"][adobe + 12:]
    return made


def damaged(sound):
    wide = sound["rgb-wide.png"]
    made = {"crc.png": wide[:-13] + bytes([wide[-13] ^ 1]) + wide[-12:]}
    for name, width, height in (("huge", 1 << 30, 1 << 30), ("large", 60000, 4000),
                                ("empty", 0, 5)):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, RGB, 0, 0, 0))
        made[f"{name}.png"] = wide[:8] + header + wide[33:]
    colour = sound["colour-444.jpg"]
    size = colour.index(b"\xff\xc0") + 5
    made["pixels.jpg"] = lost_marker(colour)
    made["large.jpg"] = colour[:size] + struct.pack(">HH", 16000, 16000) + colour[size + 4:]
    made["two-channels.jpg"] = colour[:size + 4] + b"\2" + colour[size + 5:]
    made["picture.gif"] = b"GIF89a\1\0\1\0\0\0\0;"
    return {f"damaged-{name}": data for name, data in made.items()}


def write_read(folder, made):
    with open(f"{folder}/read.tsv", "w") as out:
        print("#file", "width", "height", "channels", "bytes", sep="\t", file=out)
        for name, data in made.items():
            pixels = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
            if name.startswith("grey"):
                pixels = pixels[..., :1]
            height, width, channels = pixels.shape
            print(name, width, height, channels, pixels.tobytes().hex(), sep="\t", file=out)


def noise(n):
    """Byte i is the highest of x[i + 1], where x[i + 1] = 1664525 x[i] + 1013904223, x[0] = 1."""
    x, made = 1, bytearray()
    for _ in range(n):
        x = (1664525 * x + 1013904223) % (1 << 32)
        made.append(x >> 24)
    return bytes(made)


def write_resample(folder):
    sizes = [(28, 28, 224, 224), (37, 53, 8, 8), (64, 48, 32, 32), (9, 7, 40, 33), (1, 1, 5, 4),
             (40, 3, 2, 30), (97, 31, 5, 20), (50, 60, 50, 7), (50, 60, 11, 60), (5, 90, 5, 1),
             (33, 33, 32, 34), (2, 120, 1, 119), (100, 80, 1, 1), (75, 45, 10, 10),
             (72, 38, 11, 11), (12, 13, 12, 13)]
    with open(f"{folder}/resample.tsv", "w") as out:
        print("#how", "height", "width", "channels", "out_height", "out_width", "crc",
              sep="\t", file=out)
        for how in range(6):
            for height, width, to_height, to_width in sizes:
                for channels in (1, 3):
                    pixels = np.frombuffer(noise(height * width * channels), np.uint8)
                    pixels = pixels.reshape(height, width, channels)
                    im = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
                    got = im.resize((to_width, to_height), resample=how).tobytes()
                    print(how, height, width, channels, to_height, to_width,
                          f"{zlib.crc32(got):08x}", sep="\t", file=out)


IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
FITS = [
    ("rgb-wide.png", 3, 8, 8, None),
    ("rgb-tall.png", 3, 6, 9, {}),
    ("grey-8.png", 3, 8, 8, {"do_convert_rgb": True}),
    ("grey-8.png", 1, 5, 5, {"image_mean": 0.3, "image_std": [0.7]}),
    ("rgb-wide.png", 1, 5, 5, {"image_mean": [0.1307], "image_std": [0.3081], "size": 5}),
    ("rgb-wide.png", 3, 8, 8, {"size": 8, "resample": 3, **IMAGENET}),
    ("rgb-wide.png", 3, 6, 4, {"size": [6, 4], "resample": 0}),
    ("rgb-tall.png", 3, 6, 4, {"size": {"height": 6, "width": 4}, "resample": 1}),
    ("rgb-wide.png", 3, 7, 7, {"size": {"shortest_edge": 9}, "do_center_crop": True,
                               "crop_size": 7}),
    ("rgb-tall.png", 3, 7, 6, {"size": {"shortest_edge": 7}, "do_center_crop": True,
                               "crop_size": {"height": 7, "width": 6}}),
    ("rgb-tall.png", 3, 10, 13, {"size": {"shortest_edge": 4}, "do_center_crop": True,
                                 "crop_size": {"height": 10, "width": 13}}),
    ("rgb-8.png", 3, 12, 4, {"do_resize": False, "do_center_crop": True,
                             "crop_size": [12, 4]}),
    ("rgb-8.png", 3, 7, 11, {"do_resize": False, **IMAGENET}),
    ("rgb-8.png", 3, 4, 4, {"do_rescale": False, "image_mean": [120, 110, 100.5],
                            "image_std": [60, 50, 70]}),
    ("rgb-8.png", 3, 4, 4, {"do_normalize": False}),
    ("rgb-8.png", 3, 4, 4, {"do_normalize": False, "do_rescale": False}),
    ("rgb-8.png", 3, 4, 4, {"rescale_factor": 0.00784313725490196, "image_mean": [1, 1, 1],
                            "image_std": [1, 1, 1]}),
    ("rgb-wide.png", 3, 224, 224, {"image_processor_type": "DeiTImageProcessor"}),
    ("rgb-wide.png", 3, 6, 6, {"feature_extractor_type": "DeiTFeatureExtractor", "size": 8,
                               "crop_size": 6}),
]


def floats(picture, channels, height, width, config):
    """What transformers makes of the picture; a size that is not said is the model's."""
    said = dict(config or {})
    deit = "DeiT" in said.get("image_processor_type", said.get("feature_extractor_type", ""))
    if not deit:
        said.setdefault("size", {"height": height, "width": width})
    if channels == 1:
        said.setdefault("image_mean", [0.5])
        said.setdefault("image_std", [0.5])
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/preprocessor_config.json", "w") as out:
            json.dump(said, out)
        kind = DeiTImageProcessorPil if deit else ViTImageProcessorPil
        processor = kind.from_pretrained(directory)
    if not said.get("do_convert_rgb"):
        picture = picture.convert("L" if channels == 1 else "RGB")
    values = np.array(processor(picture, return_tensors="np")["pixel_values"][0], np.float32)
    assert values.shape == (channels, height, width), (values.shape, config)
    return values


def write_fit(folder, made):
    with open(f"{folder}/fit.tsv", "w") as out:
        print("#file", "channels", "height", "width", "config", "floats", sep="\t", file=out)
        for name, channels, height, width, config in FITS:
            got = floats(Image.open(io.BytesIO(made[name])), channels, height, width, config)
            if height > 100:
                got = got[:, :2]
            print(name, channels, height, width, "-" if config is None else json.dumps(config),
                  got.astype(">f4").tobytes().hex(), sep="\t", file=out)


def main():
    folder = f"{sys.argv[1]}/images"
    os.makedirs(folder, exist_ok=True)
    made = pictures()
    for name, data in {**made, **damaged(made)}.items():
        with open(f"{folder}/{name}", "wb") as out:
            out.write(data)
    write_read(folder, made)
    write_resample(folder)
    write_fit(folder, made)


main()
