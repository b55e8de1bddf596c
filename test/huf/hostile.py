#!/usr/bin/python3
"""Binary sketches that no aggregate made: each is refused, or is a sketch.

Random headers, counts and components, cut off, lengthened and changed in
places, go in through COPY in binary format.  What was accepted must read back
from its text and binary forms as itself, and every function of it must stay
within its range or be NaN.

Usage: hostile.py [FORMS [SEED]]; psql and the server as PGHOST etc. say, with
the extension installed in the database PGDATABASE.
"""
import os
import random
import struct
import subprocess
import sys
import tempfile

FORMS = int(sys.argv[1]) if len(sys.argv) > 1 else 400
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
PSQL = os.environ.get("PSQL", "psql")
COMPONENTS = [0.0, -0.0, 0.5, 1.0, -1.0, float("nan"), float("inf"), -float("inf"), 5e-324, 1e308, -1e308]
REFUSALS = ("invalid binary form of huf_sketch", "unsupported version of huf_sketch", "huf_sketch has impossible counts",
            "data left in message", "incorrect binary data format")


def form(rng):
    dim = rng.choice([1, 2, 3, 4])
    sane = rng.random() < 0.5
    pick = lambda good, bad: good if sane or rng.random() < 0.7 else rng.choice(bad)
    n = pick(rng.choice([1, 2, 3]), [0, -1, 2 ** 63 - 1, -2 ** 63])
    units = pick(rng.randint(0, 1), [-1, 2, 2 ** 63 - 1])
    said = pick(dim, [0, -1, 1000001, 2 ** 31 - 1, -2 ** 31, dim + 1])
    components = [rng.choice(COMPONENTS) for _ in range(2 * dim)]
    components += [abs(rng.choice(COMPONENTS)) if sane else rng.choice(COMPONENTS) for _ in range(dim)]
    data = bytearray(struct.pack(">BBiqq", pick(1, [0, 2, 255]), pick(3, [0, 1, 2, 255]), said, n, units))
    data += b"".join(struct.pack(">d", c) for c in components)
    if not sane:
        change = rng.random()
        if change < 0.2:
            del data[rng.randrange(len(data)):]
        elif change < 0.3:
            data += bytes(rng.randint(1, 20))
        elif change < 0.6:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def main():
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as work:
        script = ["CREATE TEMP TABLE sketch (s huf_sketch);"]
        for i in range(FORMS):
            name = os.path.join(work, str(i))
            data = form(rng)
            with open(name, "wb") as out:
                out.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">iihi", 0, 0, 1, len(data)) + data + struct.pack(">h", -1))
            script.append(f"\\copy sketch FROM '{name}' (FORMAT binary)")
        copy = os.path.join(work, "copy")
        in_range = lambda f, low, high: f"coalesce({f} = 'NaN' OR {f} BETWEEN {low} AND {high}, true)"
        one = [in_range("huf_mrl(s)", 0, 1), in_range("huf_pairwise_cos(s)", -1, 1), in_range("huf_dispersion(s)", 0, "'Infinity'"),
               in_range("huf_kappa(s)", 0, "'Infinity'"), "s::text::huf_sketch::text = s::text", "cardinality(huf_sketch_centroid(s)) = huf_sketch_dims(s)"]
        two = [in_range(f"huf_{f}(a.s, b.s)", 0, high) for f, high in
               (("centroid_cos_drift", 2), ("centroid_l2_drift", "'Infinity'"), ("frechet_diag", "'Infinity'"))]
        script += [f"\\copy sketch TO '{copy}' (FORMAT binary)", "CREATE TEMP TABLE again (s huf_sketch);",
                   f"\\copy again FROM '{copy}' (FORMAT binary)",
                   "SELECT count(*), coalesce(sum((" + " AND ".join(one) + ")::int), 0), (SELECT count(*) FROM again) FROM sketch;",
                   "SELECT count(*) FROM (SELECT s::text FROM sketch EXCEPT ALL SELECT s::text FROM again) d;",
                   "SELECT count(*) FILTER (WHERE NOT (" + " AND ".join(two) + ")) FROM sketch a JOIN sketch b ON huf_sketch_dims(a.s) = huf_sketch_dims(b.s);",
                   "SELECT count(huf_sketch_merge) FROM (SELECT huf_sketch_merge(s) FROM sketch WHERE huf_sketch_count(s) < 1000 GROUP BY huf_sketch_dims(s)) m;"]
        run = subprocess.run([PSQL, "-X", "-q", "-At", "-F", " "], input="\n".join(script), capture_output=True, text=True)
    errors = [line for line in run.stderr.splitlines() if "ERROR" in line]
    strange = [line for line in run.stderr.splitlines()
               if not any(r in line for r in REFUSALS) and not line.startswith("CONTEXT")]
    print(f"{FORMS} forms, seed {SEED}: {len(errors)} refused; accepted, in range, read back: {run.stdout.splitlines()[:1]}")
    lines = run.stdout.splitlines()
    good = not strange and len(lines) == 4
    if good:
        accepted, ranged, again = map(int, lines[0].split(" "))
        good = accepted == ranged == again == FORMS - len(errors) and accepted > FORMS / 4 and lines[1] == lines[2] == "0" and int(lines[3]) > 0
    if not good:
        print("\n".join(strange[:10] + lines))
    sys.exit(0 if good else 1)


main()
