/*
 * Governance: one cycle over a list of hits.  Masses are the scores (kind
 * 'linear') or their exponentials (kind 'softmax' with temperature t); frame
 * 'energy' makes shares of their squares.  A hit is excluded if its share is
 * below tau: of everything (mode 'global'), of its namespace ('local'), or if
 * also its share of the namespace is below tau_local ('dual').
 */

CREATE TYPE huf_hit AS (
	namespace text,
	id text,
	score float8
);

COMMENT ON TYPE huf_hit IS
'one retrieval hit: the input of huf_cycle and its reports';

CREATE FUNCTION huf_cycle(
	hits huf_hit[],
	tau float8,
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass'
)
RETURNS TABLE (
	ord bigint,
	namespace text,
	item_id text,
	score float8,
	mass float8,
	rho_global_pre float8,
	rho_local_pre float8,
	kept boolean,
	reason text,
	rho_global_post float8,
	rho_local_post float8,
	rank bigint,
	discarded_budget_global float8,
	valid boolean
)
AS 'MODULE_PATHNAME', 'pinecone_huf_cycle'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_cycle(huf_hit[], float8, text, float8, huf_kind, float8, text) IS
'one cycle: every hit in input order with its shares x / sum x in [0,1] before and after exclusion, and the reason if it was excluded; not valid if nothing is left';

CREATE FUNCTION huf_coherence_map(
	hits huf_hit[],
	tau float8,
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass'
)
RETURNS TABLE (
	regime_id text,
	rho_global_pre float8,
	rho_global_post float8,
	rho_discarded_pre float8,
	local_unity_post float8,
	local_unity_ok_post boolean,
	global_discarded_budget float8
)
AS 'MODULE_PATHNAME', 'pinecone_huf_coherence_map'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_coherence_map(huf_hit[], float8, text, float8, huf_kind, float8, text) IS
'one cycle by namespace: shares in [0,1] before and after, what was discarded, and whether the local shares left add up to 1; largest first';

CREATE TYPE huf_active_item AS (
	rank bigint,
	item_id text,
	regime_id text,
	rho_global_post float8,
	rho_global_pre float8,
	rho_local_pre float8,
	rho_local_post float8,
	value float8,
	tau float8,
	exclusion text
);

COMMENT ON TYPE huf_active_item IS
'a hit that a cycle kept';

CREATE FUNCTION huf_active_set(
	hits huf_hit[],
	tau float8,
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass'
)
RETURNS SETOF huf_active_item
AS 'MODULE_PATHNAME', 'pinecone_huf_active_set'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_active_set(huf_hit[], float8, text, float8, huf_kind, float8, text) IS
'one cycle: the hits that are kept, ranked by share after exclusion x / sum of kept x, in [0,1], then namespace, then id';

CREATE TYPE huf_discarded AS (
	run_id text,
	as_of timestamptz,
	namespace text,
	item_id text,
	score float8,
	mass float8,
	rho_global_pre float8,
	rho_local_pre float8,
	tau float8,
	tau_local float8,
	mode text,
	reason text,
	source_relation text,
	snapshot_lsn text,
	method text,
	parameters jsonb
);

COMMENT ON TYPE huf_discarded IS
'a hit that a cycle excluded, with its provenance';

CREATE FUNCTION huf_discard_log(
	hits huf_hit[],
	tau float8,
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass',
	run_id text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL,
	source_relation text DEFAULT NULL,
	snapshot_lsn text DEFAULT NULL,
	method text DEFAULT 'huf_cycle'
)
RETURNS SETOF huf_discarded
AS 'MODULE_PATHNAME', 'pinecone_huf_discard_log'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_discard_log(huf_hit[], float8, text, float8, huf_kind, float8, text, text, timestamptz, text, text, text) IS
'one cycle: every hit that was excluded, its shares x / sum x in [0,1], the reason, and where it came from; scores that are null or not finite first';

CREATE FUNCTION huf_trace_json(
	hits huf_hit[],
	tau float8,
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass',
	inputs_ref text DEFAULT 'hits',
	method_ref text DEFAULT 'huf_cycle'
)
RETURNS SETOF text
AS 'MODULE_PATHNAME', 'pinecone_huf_trace_json'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_trace_json(huf_hit[], float8, text, float8, huf_kind, float8, text, text, text) IS
'one cycle: the hits that are kept, with their shares in [0,1], as lines of JSON: item_id, regime_path, rho_global_post, inputs_ref, method_ref, discarded_budget_global';

CREATE TYPE huf_budget AS (
	budget_type text,
	discarded_budget_global float8,
	frame text,
	metric text,
	tv float8
);

COMMENT ON TYPE huf_budget IS
'what a cycle discarded';

CREATE FUNCTION huf_error_budget(
	hits huf_hit[],
	tau float8,
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass'
)
RETURNS SETOF huf_budget
AS 'MODULE_PATHNAME', 'pinecone_huf_error_budget'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_error_budget(huf_hit[], float8, text, float8, huf_kind, float8, text) IS
'one cycle: the share discarded, in [0,1], and total variation between the shares before and after';

CREATE FUNCTION huf_stability(
	hits huf_hit[],
	taus float8[],
	mode text DEFAULT 'global',
	tau_local float8 DEFAULT NULL,
	kind huf_kind DEFAULT 'linear',
	t float8 DEFAULT 1,
	frame text DEFAULT 'mass'
)
RETURNS TABLE (
	tau float8,
	active_count bigint,
	discarded_budget_global float8,
	jaccard_vs_baseline float8,
	spearman_regime_rho_vs_baseline float8,
	near_threshold_count bigint,
	invalid boolean
)
AS 'MODULE_PATHNAME', 'pinecone_huf_stability'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_stability(huf_hit[], float8[], text, float8, huf_kind, float8, text) IS
'the cycle at each of at least three thresholds against the first: Jaccard index of the hits kept in [0,1], rank correlation of the 25 largest namespaces after exclusion in [-1,1], hits within a tenth of the threshold';

CREATE FUNCTION huf_jsonl(record)
RETURNS json
AS 'MODULE_PATHNAME', 'pinecone_huf_jsonl'
LANGUAGE C STABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_jsonl(record) IS
'a row as one line of JSON, with null for NaN and infinity also in arrays';

