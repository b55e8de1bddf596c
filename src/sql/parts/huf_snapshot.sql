/*
 * Governance: the snapshot pack.  huf_install() makes tables and functions in
 * a schema of the user's, who owns them: they are no part of the extension,
 * are dumped like other tables, and stay when the extension is upgraded;
 * huf_install() again then brings the functions up to date.  Their text is
 * in functions huf_pack_*(), one to a file, in which @s@ stands for the schema
 * and @x@ for the extension's.
 */

CREATE FUNCTION huf_pack_tables() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $huf_pack$ SELECT $huf_text$

CREATE TABLE IF NOT EXISTS @s@.huf_series (
	series text PRIMARY KEY,
	source text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('linear', 'softmax')),
	negative text NOT NULL CHECK (negative IN ('clip', 'half', 'error')),
	temperature float8 NOT NULL CHECK (temperature > 0 AND temperature < 'Infinity'),
	tau float8 CHECK (tau >= 0 AND tau <= 1),
	time_zone text NOT NULL,
	edges float8[],
	baseline date,
	every_days int NOT NULL DEFAULT 1 CHECK (every_days >= 1),
	window_days int NOT NULL DEFAULT 28 CHECK (window_days >= 1),
	min_history int NOT NULL DEFAULT 7 CHECK (min_history >= 2),
	sensitivity float8 NOT NULL DEFAULT 4 CHECK (sensitivity > 0 AND sensitivity < 'Infinity'),
	significance float8 NOT NULL DEFAULT 1e-4 CHECK (significance > 0 AND significance < 1),
	keep_days int CHECK (keep_days >= 1)
);
COMMENT ON TABLE @s@.huf_series IS 'what the runs of one source have in common; made by the first huf_take()';
COMMENT ON COLUMN @s@.huf_series.kind IS 'mass of a hit: its score (linear), or exp(score / temperature) (softmax)';
COMMENT ON COLUMN @s@.huf_series.negative IS 'linear masses of negative scores: 0 (clip), (1 + score) / 2 for all scores (half), or an error';
COMMENT ON COLUMN @s@.huf_series.tau IS 'hits with a smaller share of the run are logged in huf_discard; NULL: none';
COMMENT ON COLUMN @s@.huf_series.time_zone IS 'where a day begins, whoever takes the run';
COMMENT ON COLUMN @s@.huf_series.edges IS 'between which scores are counted: deciles of the first run';
COMMENT ON COLUMN @s@.huf_series.baseline IS 'the run that "baseline" means: the first, unless set';
COMMENT ON COLUMN @s@.huf_series.every_days IS 'days from run to run; more of them are a missed run';
COMMENT ON COLUMN @s@.huf_series.window_days IS 'levels of alerts come from this many days before a run';
COMMENT ON COLUMN @s@.huf_series.min_history IS 'with fewer runs in them, the fixed levels of huf_rule are used';
COMMENT ON COLUMN @s@.huf_series.sensitivity IS 'how many times the distance from median to decile a value may be from the median; larger: fewer alerts';
COMMENT ON COLUMN @s@.huf_series.significance IS 'probability under which what chance may do is an alert';
COMMENT ON COLUMN @s@.huf_series.keep_days IS 'huf_take() deletes older runs, but for the baseline; NULL: none';

CREATE TABLE IF NOT EXISTS @s@.huf_run (
	series text NOT NULL REFERENCES @s@.huf_series ON DELETE CASCADE,
	run date NOT NULL,
	taken timestamptz NOT NULL,
	source text NOT NULL,
	records text,
	model text,
	namespaces int NOT NULL,
	hits bigint NOT NULL,
	clipped bigint NOT NULL,
	discarded bigint NOT NULL,
	discarded_share float8,
	mass float8,
	effective_namespaces float8,
	namespaces_90 bigint,
	top_share float8,
	effective_hits float8,
	hits_90 bigint,
	objective float8,
	PRIMARY KEY (series, run)
);
COMMENT ON TABLE @s@.huf_run IS 'one day of a series, as a whole';
COMMENT ON COLUMN @s@.huf_run.run IS 'the day, in the time zone of the series';
COMMENT ON COLUMN @s@.huf_run.hits IS 'rows with a finite score';
COMMENT ON COLUMN @s@.huf_run.clipped IS 'of them, with a negative score that counted as 0';
COMMENT ON COLUMN @s@.huf_run.discarded IS 'rows in huf_discard';
COMMENT ON COLUMN @s@.huf_run.discarded_share IS 'share of the mass that was below tau';
COMMENT ON COLUMN @s@.huf_run.namespaces_90 IS 'namespaces that cover 90 % of the mass';
COMMENT ON COLUMN @s@.huf_run.hits_90 IS 'hits that cover 90 % of the mass, approximately (huf_profile)';
COMMENT ON COLUMN @s@.huf_run.objective IS 'normalised global objective, with the penalties of huf_penalty';

CREATE TABLE IF NOT EXISTS @s@.huf_snapshot (
	series text NOT NULL,
	run date NOT NULL,
	namespace text NOT NULL,
	mass float8 NOT NULL,
	share float8,
	share_kept float8,
	n bigint NOT NULL,
	clipped bigint NOT NULL,
	unusable bigint NOT NULL,
	last_update timestamptz,
	activity float8,
	effective_hits float8,
	hits_90 bigint,
	score_variance float8,
	penalty float8 NOT NULL DEFAULT 0,
	objective float8,
	records bigint,
	written bigint,
	strangers bigint,
	histogram bigint[],
	sketch @x@.huf_sketch,
	sketch_cut float8,
	PRIMARY KEY (series, run, namespace),
	FOREIGN KEY (series, run) REFERENCES @s@.huf_run ON DELETE CASCADE
);
COMMENT ON TABLE @s@.huf_snapshot IS 'one day of a series, by namespace';
COMMENT ON COLUMN @s@.huf_snapshot.share_kept IS 'share after the hits below tau are excluded';
COMMENT ON COLUMN @s@.huf_snapshot.unusable IS 'rows whose score is NULL, NaN or infinite';
COMMENT ON COLUMN @s@.huf_snapshot.last_update IS 'newest update of all records, or of the rows of the source';
COMMENT ON COLUMN @s@.huf_snapshot.activity IS 'huf_activity(last_update, taken); 0.5 if not known';
COMMENT ON COLUMN @s@.huf_snapshot.score_variance IS 'variance of the local softmax shares of the scores';
COMMENT ON COLUMN @s@.huf_snapshot.penalty IS 'sum of weight * value in huf_penalty';
COMMENT ON COLUMN @s@.huf_snapshot.objective IS '0.1 * score_variance + 0.08 * (1 - activity) + penalty: huf_objective at its best alpha, 1';
COMMENT ON COLUMN @s@.huf_snapshot.records IS 'how many there are; NULL without a relation of records';
COMMENT ON COLUMN @s@.huf_snapshot.written IS 'of them, updated since the run before';
COMMENT ON COLUMN @s@.huf_snapshot.strangers IS 'of those written, with a cosine to the centroid of the run before that is below its sketch_cut';
COMMENT ON COLUMN @s@.huf_snapshot.histogram IS 'counts of scores between the edges of the series';
COMMENT ON COLUMN @s@.huf_snapshot.sketch_cut IS 'a hundredth of the embeddings have a smaller cosine to their centroid';

CREATE TABLE IF NOT EXISTS @s@.huf_discard (
	series text NOT NULL,
	run date NOT NULL,
	namespace text NOT NULL,
	item_id text,
	score float8,
	mass float8,
	share float8,
	tau float8,
	reason text NOT NULL,
	source text NOT NULL,
	FOREIGN KEY (series, run) REFERENCES @s@.huf_run ON DELETE CASCADE
);
COMMENT ON TABLE @s@.huf_discard IS 'rows that carry no mass, and why: null_score, not_finite, below_tau_global';
CREATE INDEX IF NOT EXISTS huf_discard_run ON @s@.huf_discard (series, run);

CREATE TABLE IF NOT EXISTS @s@.huf_measure (
	series text NOT NULL,
	run date NOT NULL,
	measure text NOT NULL,
	namespace text,
	value float8,
	low float8,
	high float8,
	basis text,
	FOREIGN KEY (series, run) REFERENCES @s@.huf_run ON DELETE CASCADE
);
COMMENT ON TABLE @s@.huf_measure IS 'what is watched, with the levels that applied; no namespace: the run as a whole';
COMMENT ON COLUMN @s@.huf_measure.basis IS 'where the levels come from: history, significance, or the fixed ones of the note';
CREATE INDEX IF NOT EXISTS huf_measure_run ON @s@.huf_measure (series, run);
CREATE INDEX IF NOT EXISTS huf_measure_history ON @s@.huf_measure (series, measure, namespace, run);

CREATE TABLE IF NOT EXISTS @s@.huf_alert (
	series text NOT NULL,
	run date NOT NULL,
	measure text NOT NULL,
	namespaces text[] NOT NULL,
	value float8,
	threshold float8,
	basis text NOT NULL,
	since date NOT NULL,
	says text NOT NULL,
	says_not text NOT NULL
);
COMMENT ON TABLE @s@.huf_alert IS 'what was out of its levels; stays when old runs are deleted';
COMMENT ON COLUMN @s@.huf_alert.since IS 'the first of the runs in a row that had this alert';
CREATE INDEX IF NOT EXISTS huf_alert_run ON @s@.huf_alert (series, run);
CREATE INDEX IF NOT EXISTS huf_alert_measure ON @s@.huf_alert (series, measure, run);

CREATE TABLE IF NOT EXISTS @s@.huf_decision (
	series text NOT NULL,
	run date NOT NULL,
	measure text NOT NULL,
	namespace text,
	note text NOT NULL,
	decided_by text NOT NULL DEFAULT current_user,
	decided_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE @s@.huf_decision IS 'changes that were meant: levels are learned anew from their day on';

CREATE TABLE IF NOT EXISTS @s@.huf_penalty (
	series text NOT NULL,
	namespace text NOT NULL,
	term text NOT NULL,
	value float8 NOT NULL CHECK (value > '-Infinity' AND value < 'Infinity'),
	weight float8 NOT NULL CHECK (weight >= 0 AND weight < 'Infinity'),
	PRIMARY KEY (series, namespace, term)
);
COMMENT ON TABLE @s@.huf_penalty IS 'penalties of your own (latency, privacy, cost): weight * value goes into the objective of the next runs';

CREATE TABLE IF NOT EXISTS @s@.huf_rule (
	measure text PRIMARY KEY,
	of_namespace boolean NOT NULL,
	side text NOT NULL CHECK (side IN ('low', 'high', 'both', 'p', 'fact')),
	least float8 NOT NULL DEFAULT 0,
	low float8,
	high float8,
	root boolean NOT NULL DEFAULT false,
	enabled boolean NOT NULL DEFAULT true,
	means text NOT NULL,
	means_not text NOT NULL
);
COMMENT ON TABLE @s@.huf_rule IS 'the measures, and when they alert';
COMMENT ON COLUMN @s@.huf_rule.side IS 'low, high, both: out of levels; p: a probability below the significance; fact: whenever it is so';
COMMENT ON COLUMN @s@.huf_rule.least IS 'a value this near the median of its history is no alert, however steady the history was';
COMMENT ON COLUMN @s@.huf_rule.root IS 'levels come from the square roots of the values, as these are skewed';
COMMENT ON COLUMN @s@.huf_rule.low IS 'fixed level until there is a history; NULL: no alert until then';
INSERT INTO @s@.huf_rule (measure, of_namespace, side, least, low, high, means, means_not) VALUES
('coherence', false, 'low', 0.02, 0.90, NULL, 'shares of namespaces moved more from one run to the next than they used to', 'Not that anything is wrong: a change that was meant looks the same.'),
('js_distance', false, 'high', 0.02, NULL, NULL, 'the distribution over namespaces moved more than it used to, small namespaces counted more than in coherence', 'Not which way: see the contributions in huf_change().'),
('psi', false, 'high', 0.02, NULL, NULL, 'the distribution over namespaces moved more than it used to, vanishing and appearing counted most', 'Not that 0.1 or 0.25 mean here what they mean in credit scoring: it grows with the number of namespaces.'),
('effective_namespaces', false, 'both', 0.1, NULL, NULL, 'the results come from more, or fewer, namespaces than they used to', 'Not that few is bad: it depends on the questions.'),
('top_share', false, 'high', 0.03, NULL, NULL, 'one namespace supplies more of the results than it used to', 'Not that what it supplies is right or wrong.'),
('hits_90', false, 'both', 0.03, NULL, NULL, 'the mass is concentrated on more, or fewer, of the hits than it used to be (share of hits that cover 90 %)', 'Not which hits: ask the source.'),
('mass', false, 'both', 0.1, NULL, NULL, 'the total mass changed (natural logarithm): with fewer hits coherence can rise (over-pruning), with more it can fall (over-collecting)', 'Not that shares changed: look at both.'),
('share', true, 'both', 0.02, NULL, NULL, 'it supplies more, or less, of the results than it used to', 'Not that it changed itself: when others lose, what is left looks stronger; compare its own mass.'),
('activity', true, 'low', 0.05, NULL, NULL, 'its newest record is older than it used to be at this time', 'Not that the rest of it is current, nor that it had anything to update.'),
('records', true, 'both', 0.02, NULL, NULL, 'it grew or shrank more in a day than it used to (natural logarithm)', 'Not that content came or went: the same documents twice look the same.'),
('written', true, 'both', 2, NULL, NULL, 'more, or fewer, records than usual were written (square root, by day)', 'Not what was written.'),
('score_psi', true, 'high', 0.1, NULL, NULL, 'its scores are distributed otherwise than in the runs before', 'Not that it got better or worse: other questions have other scores.'),
('effective_hits', true, 'both', 0.05, NULL, NULL, 'its mass is spread otherwise over its hits (effective number as a part of them)', 'Not which hits: ask the source.'),
('drift', true, 'p', 0, NULL, NULL, 'the centroid of its embeddings moved more since the run before than chance allows for two independent samples', 'Not that small moves would be seen: records that both runs have hide them; and a split into two topics leaves the centroid where it was.'),
('strangers', true, 'p', 0, NULL, NULL, 'records written since the run before lie far from its centroid more often than its others do: another embedding model, or another topic', 'Not which of the two; and fewer than about 60 records written cannot show one in ten.'),
('new', true, 'fact', 0, NULL, NULL, 'it is new: no run of the window had it', 'Not that its content is new: it may have been renamed.'),
('vanished', true, 'fact', 0, NULL, NULL, 'it is gone', 'Not that its records are: it may have been renamed, or not have been asked for.'),
('empty', false, 'fact', 0, NULL, NULL, 'the source had no row with a usable score: nothing is compared with this run', 'Not that the index is empty: the query, the key or the job may have failed.'),
('missed', false, 'fact', 0, NULL, NULL, 'no run was taken for longer than the series expects', 'Not that nothing happened in between: what is compared with the run before covers all of it.'),
('model', false, 'fact', 0, NULL, NULL, 'the embedding model changed its name: embeddings are not compared with the run before', 'Not drift.')
ON CONFLICT (measure) DO UPDATE SET of_namespace = excluded.of_namespace, side = excluded.side, means = excluded.means, means_not = excluded.means_not;
UPDATE @s@.huf_rule SET root = true WHERE measure IN ('psi', 'score_psi');

$huf_text$::text $huf_pack$;

COMMENT ON FUNCTION huf_pack_tables() IS
'internal: text of the snapshot pack''s tables';
