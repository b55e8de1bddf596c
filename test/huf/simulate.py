#!/usr/bin/python3
"""The ten-step decay simulation of the governance note, recomputed.

Ten hits in four namespaces.  At each step the scores of namespace kb are
multiplied by 0.9; shares are the softmax of all scores.  Two runs: without
noise, and with normal noise of deviation 0.05 on the scores of kb, clipped to
[0,1], from the generator NumPy calls legacy with seed 42.  Every figure beside
a published one is computed by the huf_* functions in the database.

Usage: simulate.py [--plot FILE.svg]; psql and the server as PGHOST etc. say,
with the extension installed in the database PGDATABASE.  Fails if the run
that can be reproduced is not reproduced.
"""
import itertools
import math
import os
import random
import subprocess
import sys
import tempfile

PSQL = os.environ.get("PSQL", "psql")
SAMPLE = [("kb", 0.82), ("kb", 0.63), ("kb", 0.55), ("kb", 0.48), ("kb", 0.42), ("kb", 0.38),
          ("tickets", 0.77), ("tickets", 0.12), ("docs", 0.45), ("emails", 0.30)]
STEPS = 10

# the share of kb as the note prints it, in thousandths: some steps, and how much it changes at each
NOTE_KNOWN = {0: 628, 1: 615, 2: 603, 3: 592, 10: 538}
NOTE_CHANGE = [13, 12, 11, 11, 10, 10, 10, 8, 8, 3]
# the static table of the case study behind the note, as far as it is quoted: share, C of the step
STUDY = {1: (0.6191, 0.9910), 2: (0.6108, 0.9917), 3: (0.5900, 0.9792), 4: (0.5749, 0.9849), 5: (0.5621, 0.9872),
         7: (0.5441, 0.9895), 9: (0.5272, 0.9927), 10: (0.5284, 0.9988)}


def note_shares():
    """The whole column.  The changes are known without their signs, but only
    one choice of signs passes through the known steps."""
    fits = []
    for signs in itertools.product((-1, 1), repeat=STEPS):
        column = [NOTE_KNOWN[0]]
        for sign, change in zip(signs, NOTE_CHANGE):
            column.append(column[-1] + sign * change)
        if all(column[step] == share for step, share in NOTE_KNOWN.items()):
            fits.append([share / 1000 for share in column])
    if len(fits) != 1:
        sys.exit(f"{len(fits)} columns fit what is known of the note's")
    return fits[0]


class Normal:
    """NumPy's legacy generator: Mersenne Twister, polar method."""

    def __init__(self, seed):
        state = [seed]
        for i in range(1, 624):
            state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) & 0xFFFFFFFF)
        self.twister = random.Random()
        self.twister.setstate((3, tuple(state) + (624,), None))
        self.spare = None

    def next(self):
        if self.spare is not None:
            value, self.spare = self.spare, None
            return value
        while True:
            a, b = 2 * self.twister.random() - 1, 2 * self.twister.random() - 1
            r = a * a + b * b
            if 0 < r < 1:
                break
        factor = math.sqrt(-2 * math.log(r) / r)
        self.spare = factor * a
        return factor * b


def simulate(noise):
    hits = [list(h) for h in SAMPLE]
    yield hits
    for _ in range(STEPS):
        for hit in hits:
            if hit[0] == "kb":
                hit[1] *= 0.9
                if noise:
                    hit[1] = min(max(hit[1] + 0.05 * noise.next(), 0), 1)
        yield hits


QUERY = """
CREATE TEMP TABLE hit (run text, step int, namespace text, id int, score float8);
INSERT INTO hit VALUES {values};
CREATE TEMP TABLE share AS
  SELECT run, step, namespace, huf_lse(score) AS lse,
         exp(huf_lse(score) - (SELECT huf_lse(score) FROM hit h WHERE (h.run, h.step) = (hit.run, hit.step))) AS share
  FROM hit GROUP BY run, step, namespace;
SELECT h.run, h.step, h.items, kb.share, tickets.share, docs.share, emails.share,
       d.coherence, d.cumulative, d.cumulative_rms, d.cumulative_js, h.alpha, h.c_half, huf_erosion(first.share, kb.share)
FROM (SELECT run, step, huf_items_to_cover(score, 0.9, 'softmax') AS items,
             huf_alpha_star(array_agg(score) FILTER (WHERE namespace = 'kb')) AS alpha,
             huf_damping_coherence(0.52, array_agg(score) FILTER (WHERE namespace = 'kb')) AS c_half FROM hit GROUP BY run, step) h
  JOIN share kb ON (kb.run, kb.step, kb.namespace) = (h.run, h.step, 'kb')
  JOIN share tickets ON (tickets.run, tickets.step, tickets.namespace) = (h.run, h.step, 'tickets')
  JOIN share docs ON (docs.run, docs.step, docs.namespace) = (h.run, h.step, 'docs')
  JOIN share emails ON (emails.run, emails.step, emails.namespace) = (h.run, h.step, 'emails')
  JOIN share first ON (first.run, first.step, first.namespace) = (h.run, 0, 'kb'),
  LATERAL (SELECT huf_coherence(before.share, now.share) AS coherence, huf_coherence(start.share, now.share) AS cumulative,
                  huf_coherence_rms(start.share, now.share) AS cumulative_rms, 1 - huf_js_distance(start.share, now.share) AS cumulative_js
           FROM share now JOIN share start ON (start.run, start.step, start.namespace) = (now.run, 0, now.namespace)
           JOIN share before ON (before.run, before.step, before.namespace) = (now.run, greatest(now.step - 1, 0), now.namespace)
           WHERE (now.run, now.step) = (h.run, h.step)) d
ORDER BY h.run, h.step;
"""


def compute():
    values = []
    for run, noise in (("plain", None), ("seed", Normal(42))):
        for step, hits in enumerate(simulate(noise)):
            values += [f"('{run}', {step}, '{ns}', {i}, {score!r})" for i, (ns, score) in enumerate(hits)]
    psql = subprocess.run([PSQL, "-X", "-q", "-At", "-F", " ", "-v", "ON_ERROR_STOP=1"],
                          input=QUERY.format(values=", ".join(values)), capture_output=True, text=True)
    if psql.returncode != 0:
        sys.exit(psql.stderr)
    runs = {"plain": [], "seed": []}
    names = ("items", "kb", "tickets", "docs", "emails", "coherence", "cumulative", "rms", "js", "alpha", "c_half", "erosion")
    for line in psql.stdout.splitlines():
        run, _, *rest = line.split(" ")
        runs[run].append(dict(zip(names, map(float, rest))))
    return runs


def report(runs):
    note = note_shares()
    plain, seed = runs["plain"], runs["seed"]
    print("share of kb, and coherence of the step")
    print("      ---- the note ----   -------- the case study --------")
    print("      share     computed   share   computed  C       computed   alpha*")
    print("step  published (no noise) publ.   (seed 42) publ.   1 - tv     computed")
    for step in range(STEPS + 1):
        share, c = STUDY.get(step, (None, None))
        show = lambda x: "  -   " if x is None else f"{x:.4f}"
        print(f"{step:4}  {note[step]:.3f}     {plain[step]['kb']:.4f}     {show(share)}  {seed[step]['kb']:.4f}    "
              f"{show(c)}  {seed[step]['coherence']:.4f}     {seed[step]['alpha']:.0f}")
    last, end = plain[-1], seed[-1]
    mean = lambda xs: sum(xs) / len(xs)
    print()
    print("figure                       published   no noise   seed 42   reproduces")
    product = lambda steps: math.prod(step["coherence"] for step in steps)
    rows = [
        ("of the note", None, None, None, None),
        ("share of kb at step 10", "0.538", last["kb"], end["kb"], "no: between the two"),
        ("erosion of kb", "-14.2 %", last["erosion"], end["erosion"], "no: 0.538/0.628 - 1 is -14.3 %"),
        ("items for 90 %, every step", "9", max(p["items"] for p in plain), max(p["items"] for p in seed), "yes"),
        ("mean alpha*", "0.51", mean([p["alpha"] for p in plain]), mean([p["alpha"] for p in seed]), "no: the stated objective gives 1"),
        ("C of the step, first", "0.991", plain[1]["coherence"], seed[1]["coherence"], "not as stated: this is 1 - tv, with seed 42"),
        ("C of the step, last", "0.985", plain[-1]["coherence"], end["coherence"], "no"),
        ("  as damping C, alpha 0.52", "0.991", plain[1]["c_half"], seed[1]["c_half"], "no"),
        ("cumulative C, 1 - tv(0,10)", "0.922", last["cumulative"], end["cumulative"], "no"),
        ("  as product of steps", "", product(plain), product(seed), "no"),
        ("  as root mean square", "", last["rms"], end["rms"], "no"),
        ("  as 1 - js distance", "", last["js"], end["js"], "no"),
        ("of the case study", None, None, None, None),
        ("erosion of kb", "-15.9 %", last["erosion"], end["erosion"], "yes, with seed 42"),
        ("cumulative C, five steps", "0.934", plain[5]["cumulative"], seed[5]["cumulative"], "yes, with seed 42"),
        ("cumulative C, ten steps", "0.899", last["cumulative"], end["cumulative"], "no: it is that of step 9"),
        ("  at step 9", "0.899", plain[9]["cumulative"], seed[9]["cumulative"], "yes, with seed 42"),
    ]
    for name, published, a, b, verdict in rows:
        if published is None:
            print(name)
            continue
        print(f"{name:28} {published:10} {a:9.4f} {b:9.4f}   {verdict}")
    wrong = [s for s, (share, c) in STUDY.items()
             if abs(seed[s]["kb"] - share) > 0.00006 or abs(seed[s]["coherence"] - c) > 0.00006]
    if round(seed[5]["cumulative"], 3) != 0.934 or round(seed[9]["cumulative"], 3) != 0.899 or round(end["erosion"], 3) != -0.159:
        wrong.append("totals")
    if any(p["items"] != 9 for p in plain + seed):
        wrong.append("items")
    print()
    print("the case study's table: " + ("not reproduced at " + str(wrong) if wrong else "reproduced to four digits"))
    return not wrong


PLOT = """
set terminal svg size 860,680 font "sans,13" background "white"
set output "{svg}"
set multiplot layout 2,1
set xrange [0:10]
set xtics 1
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside right
set title "Shares of four namespaces while the scores of kb decay"
set ylabel "share"
set yrange [0:0.7]
plot "{data}" using 1:2 with linespoints lw 2 pt 7 ps 0.5 title "kb, seed 42", \\
     "" using 1:6 with lines lw 2 dt 2 title "kb, no noise", \\
     "" using 1:7 with points pt 4 ps 0.9 title "kb, published", \\
     "" using 1:3 with linespoints lw 2 pt 7 ps 0.5 title "tickets", \\
     "" using 1:4 with linespoints lw 2 pt 7 ps 0.5 title "docs", \\
     "" using 1:5 with linespoints lw 2 pt 7 ps 0.5 title "emails"
set title "Coherence, 1 - total variation"
set xlabel "step"
set ylabel "coherence"
set yrange [0.88:1.005]
plot "{data}" using 1:8 with linespoints lw 2 pt 7 ps 0.5 title "of the step", \\
     "" using 1:9 with linespoints lw 2 pt 7 ps 0.5 title "since step 0", \\
     0.97 with lines dt 3 lc rgb "#228833" title "stable from 0.97", \\
     0.95 with lines dt 3 lc rgb "#cc3311" title "alert below 0.95"
"""


def plot(runs, svg):
    note = note_shares()
    with tempfile.TemporaryDirectory() as work:
        data = os.path.join(work, "steps")
        with open(data, "w") as out:
            for step, (a, b) in enumerate(zip(runs["seed"], runs["plain"])):
                print(step, a["kb"], a["tickets"], a["docs"], a["emails"], b["kb"], note[step],
                      a["coherence"], a["cumulative"], file=out)
        subprocess.run(["gnuplot"], input=PLOT.format(svg=svg, data=data), text=True, check=True)


def main():
    runs = compute()
    good = report(runs)
    if sys.argv[1:2] == ["--plot"]:
        plot(runs, sys.argv[2])
    sys.exit(0 if good else 1)


main()
