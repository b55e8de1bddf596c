#!/usr/bin/python3
"""Compare the governance functions with the same formulas in decimals.

Random inputs of several kinds (ordinary, spread over many orders, nearly
equal, with zeros, with ties, huge, denormal, all of these in one list) go through the functions in the
database and through an independent computation with 60 digits.  Prints the
worst relative error of each function and fails if one is above its bound.

Usage: compare.py [CASES [SEED]]; psql and the server as PGHOST etc. say, with
the extension installed in the database PGDATABASE.
"""
import decimal
import math
import os
import random
import subprocess
import sys
from decimal import Decimal as D

decimal.getcontext().prec = 60
decimal.getcontext().Emin = -999999999
decimal.getcontext().Emax = 999999999

CASES = int(sys.argv[1]) if len(sys.argv) > 1 else 300
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
PSQL = os.environ.get("PSQL", "psql")
LN2 = D(2).ln()

# relative error allowed; 1e-12 unless the definition itself loses digits
BOUND = {
    "rho_var": 1e-9, "rho_var_softmax": 1e-9,    # a difference of nearly equal shares
    "js": 1e-10, "js_distance": 1e-10,
    "kappa": 1e-9,                               # divides by 1 - r^2
}
ABSOLUTE = D("1e-15")


def total(xs):
    return sum(xs, D(0))


def xlnx(x):
    return x * x.ln() if x > 0 else D(0)


def shares(xs, kind="linear", t=D(1)):
    if kind == "softmax":
        m = max(xs)
        xs = [((x - m) / t).exp() for x in xs]
    w = total(xs)
    return [x / w for x in xs] if w > 0 else None


def concentration(rho, suffix=""):
    n = len(rho)
    h = -total(xlnx(r) for r in rho)
    hhi = total(r * r for r in rho)
    positive = sum(1 for r in rho if r > 0)
    ascending = sorted(rho)
    out = {
        "hhi": hhi, "neff_hhi": 1 / hhi, "entropy": h, "neff_entropy": h.exp(),
        "evenness": h / D(positive).ln() if positive > 1 else None,
        "top_share": ascending[-1],
        "gini": total((2 * (i + 1) - n - 1) * r for i, r in enumerate(ascending)) / n,
        "rho_var": total((r - D(1) / n) ** 2 for r in rho) / n,
    }
    return {k + suffix: v for k, v in out.items()}


def cover(rho, q):
    prefix = D(0)
    for k, r in enumerate(sorted(rho, reverse=True)):
        if prefix + D("1e-12") >= q:
            return k
        prefix += r
    return len(rho)


def smooth(p, eps):
    p = [max(x, eps) for x in p]
    w = total(p)
    return [x / w for x in p]


def drift(p, q, eps):
    n = len(p)
    gap = [abs(a - b) for a, b in zip(p, q)]
    js = D(0)
    for a, b in zip(p, q):
        m = (a + b) / 2
        if a > 0:
            js += a * (a / m).ln() / 2
        if b > 0:
            js += b * (b / m).ln() / 2
    sp, sq = smooth(p, eps), smooth(q, eps)
    ratio = lambda a, b: D(0) if a == b else D("Infinity") if a == 0 else -D("Infinity") if b == 0 else (b / a).ln()
    h = [-total(xlnx(x) for x in side) for side in (p, q)]
    return {
        "tv": total(gap) / 2, "coherence": 1 - total(gap) / 2, "linf": max(gap),
        "mean_abs_gap": total(gap) / n,
        "coherence_rms": 1 - (total(g * g for g in gap) / n).sqrt(),
        "js": js, "js_distance": (max(js, D(0)) / LN2).sqrt(),
        "hellinger": (total((a.sqrt() - b.sqrt()) ** 2 for a, b in zip(p, q)) / 2).sqrt(),
        "kl": total(b * ratio(a, b) for a, b in zip(sp, sq) if b > 0),
        "psi": total((b - a) * ratio(a, b) for a, b in zip(sp, sq)),
        "entropy_shift": (h[1] - h[0]) / D(n).ln() if n > 1 else None,
    }


def samples(a, b):
    ks = w1 = D(0)
    points = sorted(set(a + b))
    for x, nxt in zip(points, points[1:] + [None]):
        gap = abs(D(sum(1 for v in a if v <= x)) / len(a) - D(sum(1 for v in b if v <= x)) / len(b))
        ks = max(ks, gap)
        if nxt is not None:
            w1 += gap * (nxt - x)
    return {"ks": ks, "w1": w1}


def norm(v):
    return total(c * c for c in v).sqrt()


def column_sums(vs):
    return [total(c) for c in zip(*vs)]


def embeddings(vs):
    n, d = len(vs), len(vs[0])
    units = [[c / norm(v) for c in v] for v in vs if norm(v) > 0]
    mean = [s / n for s in column_sums(vs)]
    out = {"dispersion": total(total((c - m) ** 2 for c, m in zip(v, mean)) for v in vs) / n}
    if units:
        u = norm(column_sums(units))
        r = u / len(units)
        out["mrl"] = r
        if len(units) > 1:
            out["pairwise_cos"] = (u * u - len(units)) / (len(units) * (len(units) - 1))
            if 1 - r > D("1e-6"):
                out["kappa"] = r * (d - r * r) / (1 - r * r)
    return out, units, mean


def embedding_drift(va, vb):
    _, ua, ma = embeddings(va)
    _, ub, mb = embeddings(vb)
    shift = total((x - y) ** 2 for x, y in zip(ma, mb))
    m2 = [[total((v[k] - m[k]) ** 2 for v in vs) for k in range(len(m))] for vs, m in ((va, ma), (vb, mb))]
    out = {"centroid_l2_drift": shift.sqrt()}
    out["frechet_diag"] = shift + total(((a / len(va)).sqrt() - (b / len(vb)).sqrt()) ** 2 for a, b in zip(*m2))
    if len(va) > 1 and len(vb) > 1:
        out["l2_unbiased"] = shift - total(m2[0]) / (len(va) * (len(va) - 1)) - total(m2[1]) / (len(vb) * (len(vb) - 1))
    if ua and ub:
        a, b = column_sums(ua), column_sums(ub)
        na, nb = norm(a), norm(b)
        if na > len(ua) * D("1e-6") and nb > len(ub) * D("1e-6"):
            out["centroid_cos_drift"] = 1 - total(x * y for x, y in zip(a, b)) / na / nb
    dist = lambda x, y: total((p - q) ** 2 for p, q in zip(x, y)).sqrt()
    mean = lambda f, xs, ys: total(f(x, y) for x in xs for y in ys) / (len(xs) * len(ys))
    out["energy_distance"] = 2 * mean(dist, va, vb) - mean(dist, va, va) - mean(dist, vb, vb)
    rbf = lambda x, y: (D("-0.5") * dist(x, y) ** 2).exp()
    out["mmd_rbf"] = mean(rbf, va, va) + mean(rbf, vb, vb) - 2 * mean(rbf, va, vb)
    return out


def random_masses(rng, n):
    style = rng.choice(["plain", "plain", "wide", "near", "zeros", "ties", "huge", "denormal", "mixed", "rising", "dominated"])
    if style == "wide":
        xs = [rng.random() * 10.0 ** rng.randint(-250, 250) for _ in range(n)]
    elif style == "near":
        xs = [1 + rng.random() * 1e-9 for _ in range(n)]
    elif style == "zeros":
        xs = [rng.choice([0.0, rng.random()]) for _ in range(n)]
    elif style == "ties":
        xs = [rng.choice([0.1, 0.2, 0.3]) for _ in range(n)]
    elif style == "huge":
        xs = [1e308 * rng.random() for _ in range(n)]
    elif style == "denormal":
        xs = [5e-324 * rng.randint(0, 100) for _ in range(n)]
    elif style == "mixed":
        xs = [rng.choice([0.0, -0.0, 5e-324, 1e-308, 1e-14, 1.0, 1e16, 1e308, 1.7976931348623157e308]) for _ in range(n)]
    elif style == "rising":
        xs = sorted(rng.random() * 10.0 ** rng.randint(-300, 300) for _ in range(n))
    elif style == "dominated":
        xs = [rng.random() * 10.0 ** -rng.randint(5, 20) for _ in range(n)]
        xs[rng.randrange(n)] = 1.0
    else:
        xs = [rng.random() for _ in range(n)]
    if not any(xs):
        xs[0] = 1.0
    return xs


def random_scores(rng, n):
    style = rng.choice(["plain", "plain", "hot", "far", "near", "offset", "huge"])
    if style == "hot":
        return [rng.uniform(-1, 1) for _ in range(n)], rng.choice([1e3, 1e6])
    if style == "far":
        return [rng.uniform(-800, 0) for _ in range(n)], 1.0
    if style == "near":
        return [0.5 + rng.randint(0, 5) * 1e-15 for _ in range(n)], 1.0
    if style == "offset":
        return [1e16 + rng.choice([0, 2, 4, -2, 100]) for _ in range(n)], rng.choice([1.0, 2.5])
    if style == "huge":
        return [rng.uniform(-1, 1) * 1.7e308 for _ in range(n)], rng.choice([1.0, 1e300, 1e308])
    return [rng.uniform(-5, 5) * rng.choice([1, 1, 100]) for _ in range(n)], rng.choice([0.1, 1.0, 3.5])


def array(xs):
    return "'{" + ",".join(repr(x) for x in xs) + "}'::float8[]"


def matrix(vs):
    return "(VALUES " + ",".join("(" + array(v) + ")" for v in vs) + ") e(v)"


def main():
    rng = random.Random(SEED)
    queries, expected = [], []

    def ask(select, results):
        # Postgres must see the columns in the order of the results
        queries.append("SELECT " + ", ".join(select[k] for k in results))
        queries[-1] += select["from"] + ";"
        expected.append(results)

    for _ in range(CASES):
        n = rng.choice([1, 2, 3, 10, 50])
        xs = random_masses(rng, n)
        rho = shares([D(x) for x in xs])
        want = concentration(rho)
        q = rng.choice([0.5, 0.8, 0.9, 0.99])
        want["items_to_cover"] = D(cover(rho, D(q)))
        select = {k: f"huf_{k}(x)" for k in want}
        select["items_to_cover"] = f"huf_items_to_cover(x, {q})"
        select["from"] = f" FROM unnest({array(xs)}) x"
        ask(select, want)

        scores, t = random_scores(rng, n)
        rho = shares([D(s) for s in scores], "softmax", D(t))
        want = concentration(rho, "_softmax")
        if not all(rho):
            # too small for these decimals: whether such a share counts, they cannot tell
            del want["evenness_softmax"]
        m = max(D(s) for s in scores)
        want["lse"] = m + D(t) * total(((D(s) - m) / D(t)).exp() for s in scores).ln()
        select = {k: f"huf_{k.replace('_softmax', '')}(s, 'softmax', {t})" for k in want}
        select["lse"] = f"huf_lse(s, {t})"
        select["from"] = f" FROM unnest({array(scores)}) s"
        ask(select, want)

        prev = random_masses(rng, n)
        cur = random_masses(rng, n) if rng.random() < 0.7 else [x * (1 + rng.random() * rng.choice([1e-3, 0.5])) for x in prev]
        cur = [min(c, 1.7e308) for c in cur]
        eps = rng.choice([0.0, 1e-300, 1e-15, 1e-6, 0.3])
        want = drift(shares([D(x) for x in prev]), shares([D(x) for x in cur]), D(eps))
        select = {k: f"huf_{k}(p, q)" for k in want}
        select["kl"], select["psi"] = f"huf_kl(p, q, {eps!r})", f"huf_psi(p, q, {eps!r})"
        select["from"] = f" FROM unnest({array(prev)}, {array(cur)}) u(p, q)"
        ask(select, want)

        a = [round(rng.gauss(0, 1), rng.choice([1, 9])) for _ in range(rng.randint(1, 12))]
        b = [round(rng.gauss(0.5, 1), rng.choice([1, 9])) for _ in range(rng.randint(1, 12))]
        want = samples([D(x) for x in a], [D(x) for x in b])
        select = {k: f"huf_{k}(x, later)" for k in want}
        select["from"] = f" FROM (SELECT unnest({array(a)}), false UNION ALL SELECT unnest({array(b)}), true) u(x, later)"
        ask(select, want)

        d = rng.choice([1, 2, 7, 20])
        offset = rng.choice([0, 0, 1, 1000])
        vectors = lambda k: [[rng.gauss(0, 1) + offset for _ in range(d)] for _ in range(k)]
        va, vb = vectors(rng.randint(1, 8)), vectors(rng.randint(1, 8))
        da, db = ([[D(c) for c in v] for v in side] for side in (va, vb))
        want = embeddings(da)[0]
        select = {k: f"huf_{k}(v)" for k in want}
        select["from"] = " FROM " + matrix(va)
        ask(select, want)
        far = [[c + 1e8 for c in v] for v in va]
        ask({"dispersion": "huf_dispersion(v)", "from": " FROM " + matrix(far)},
            {"dispersion": embeddings([[D(c) for c in v] for v in far])[0]["dispersion"]})
        want = embedding_drift(da, db)
        select = {k: f"huf_{k}(a, b)" for k in want}
        both = f"(SELECT v, false AS later FROM {matrix(va)} UNION ALL SELECT v, true FROM {matrix(vb)}) e"
        select["energy_distance"] = f"(SELECT huf_energy_distance(v, later) FROM {both})"
        select["mmd_rbf"] = f"(SELECT huf_mmd_rbf(v, later, 0.5) FROM {both})"
        select["from"] = f" FROM (SELECT huf_sketch(v) AS a FROM {matrix(va)}) x, (SELECT huf_sketch(v) AS b FROM {matrix(vb)}) y"
        ask(select, want)

    run = subprocess.run([PSQL, "-X", "-q", "-At", "-F", " ", "-v", "ON_ERROR_STOP=1", "--pset=null=null"],
                         input="\n".join(queries), capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    lines = run.stdout.splitlines()
    if len(lines) != len(expected):
        sys.exit(f"{len(lines)} answers to {len(expected)} queries")

    worst, count, bad = {}, {}, 0
    # what cancels is measured against the size of what is subtracted
    scale = {"coherence_rms": D(1), "entropy_shift": D(1), "l2_unbiased": None, "energy_distance": None, "mmd_rbf": D(1),
             "centroid_l2_drift": None, "frechet_diag": None, "centroid_cos_drift": D("1e-2"), "pairwise_cos": D(1), "dispersion": None}
    for query, line, want in zip(queries, lines, expected):
        for name, found in zip(want, line.split(" ")):
            value = want[name]
            count[name] = count.get(name, 0) + 1
            if value is None or found == "null":
                if not (value is None and found == "null"):
                    bad += 1
                    print(f"{name}: {found}, not {value}\n  {query}")
                continue
            if value.is_infinite() or D(found).is_infinite():
                # so does what no double holds
                if D(found) != value and not (abs(value) > D("1.797e308") and D(found).is_infinite()):
                    bad += 1
                    print(f"{name}: {found}, not {value}\n  {query[:400]}")
                continue
            size = abs(value)
            if name in scale:
                size = max(size, scale[name] if scale[name] is not None else D(1))
            error = max(abs(D(found) - value) - ABSOLUTE, D(0)) / size if size else abs(D(found))
            if error > worst.get(name, D(-1)):
                worst[name] = error
            if error > D(BOUND.get(name, 1e-12)):
                bad += 1
                if bad <= 10:
                    print(f"{name}: {found}, not {float(value)!r}, relative error {float(error):.2g}\n  {query[:400]}")
    for name in sorted(count):
        print(f"{name:24} {count[name]:6} values, worst relative error {float(worst.get(name, 0)):.1e}")
    print(f"{CASES} cases, seed {SEED}: " + (f"{bad} values out of bounds" if bad else "all within bounds"))
    sys.exit(1 if bad else 0)


main()
