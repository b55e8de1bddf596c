/*
 * Governance: activity of a namespace, shares of an array of scores, and the
 * damping objective.  Conventions of all functions huf_*: NULL elements and
 * rows are skipped; a negative mass is an error; NaN and infinity give NaN.
 */

CREATE FUNCTION huf_activity(last_update timestamptz, as_of timestamptz, k float8 DEFAULT 0.2, missing float8 DEFAULT 0.5)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_activity'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_activity(timestamptz,timestamptz,float8,float8) IS
'activity exp(-k * days between last_update and as_of), in [0,1]; 1 for a future update; "missing" if either time is NULL';

CREATE FUNCTION huf_activity(last_update timestamptz)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_activity_now'
LANGUAGE C STABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_activity(timestamptz) IS
'activity exp(-0.2 * days since last_update) at the start of the transaction, in [0,1]; 0.5 for NULL';

CREATE FUNCTION huf_activity_age(age_seconds float8, k float8 DEFAULT 0.2, missing float8 DEFAULT 0.5)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_activity_age'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_activity_age(float8,float8,float8) IS
'activity exp(-k * days) for an age in seconds, in [0,1]; "missing" for NULL';

CREATE FUNCTION huf_activity_tier(age_seconds float8, missing float8 DEFAULT 0.5)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_activity_tier'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_activity_tier(float8,float8) IS
'activity in steps: 1 below an hour, 0.8 below a day, 0.5 below 7 days, 0.2 up to 30 days, then 0.05, so in [0.05,1]; "missing" for NULL; an age between 0 and 1 is an error, for it looks like an activity score';

CREATE FUNCTION huf_activity_tier(last_update timestamptz, as_of timestamptz, missing float8 DEFAULT 0.5)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_activity_tier_at'
LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION huf_activity_tier(timestamptz,timestamptz,float8) IS
'activity in steps, as of a time: see huf_activity_tier(age_seconds); 1 for a future update; "missing" if either time is NULL';

CREATE FUNCTION huf_nonneg(scores float8[], mode text)
RETURNS float8[]
AS 'MODULE_PATHNAME', 'pinecone_huf_nonneg'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_nonneg(float8[],text) IS
'scores made non-negative, at least 0: mode ''clip'' is max(s, 0), ''shift'' is s - min(0, min s); NULL and NaN pass through; NULL without elements';

CREATE FUNCTION huf_share(masses float8[])
RETURNS float8[]
AS 'MODULE_PATHNAME', 'pinecone_huf_share'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_share(float8[]) IS
'linear shares x / sum x, in [0,1]; NULL if the total is 0; a NULL element stays NULL';

CREATE FUNCTION huf_softmax(scores float8[], t float8 DEFAULT 1)
RETURNS float8[]
AS 'MODULE_PATHNAME', 'pinecone_huf_softmax'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_softmax(float8[],float8) IS
'softmax shares exp(s/t) / sum exp(s/t), in [0,1]; -Infinity is a masked item with share 0; NULL if all are masked';

CREATE FUNCTION huf_activity_share(masses float8[], activities float8[])
RETURNS float8[]
AS 'MODULE_PATHNAME', 'pinecone_huf_activity_share'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_activity_share(float8[],float8[]) IS
'activity-weighted shares A x / sum A x, in [0,1]; NULL if the sum is 0; NULL where either element is NULL';

CREATE FUNCTION huf_damping_coherence(alpha float8, scores float8[])
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_damping_coherence'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_damping_coherence(float8,float8[]) IS
'damping coherence C = 1 - |1 - alpha| * mean |s|, at most 1; NULL without scores';

CREATE FUNCTION huf_objective(alpha float8, scores float8[], activity float8, lambda float8 DEFAULT 0.1, mu float8 DEFAULT 0.08)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_objective'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_objective(float8,float8[],float8,float8,float8) IS
'objective J = (1 - C(alpha)) + lambda * Var(softmax(alpha s)) + mu * (1 - activity), at least 0; NULL without scores';

CREATE FUNCTION huf_objective_penalty(alpha float8, scores float8[], penalty float8, lambda float8 DEFAULT 0.1)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_objective_penalty'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_objective_penalty(float8,float8[],float8,float8) IS
'objective J = (1 - C(alpha)) + lambda * Var(softmax(alpha s)) + penalty, at least 0; NULL without scores';

CREATE FUNCTION huf_alpha_star(scores float8[], lambda float8 DEFAULT 0.1, lo float8 DEFAULT 0, hi float8 DEFAULT 1)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_alpha_star'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_alpha_star(float8[],float8,float8,float8) IS
'the alpha in [lo,hi] that minimises huf_objective: the point nearest to 1, whatever the scores; NULL if all are 0';

CREATE FUNCTION huf_alpha_coupled(scores float8[], activity float8, mu float8 DEFAULT 0.08)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_alpha_coupled'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_alpha_coupled(float8[],float8,float8) IS
'm / (m + mu * (1 - activity)) with m = mean |s|, in [0,1]: the minimiser of (1 - alpha)^2 m + mu (1 - activity) alpha^2; NULL if it is 0/0';

CREATE FUNCTION huf_erosion(previous float8, current float8)
RETURNS float8
AS 'MODULE_PATHNAME', 'pinecone_huf_erosion'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION huf_erosion(float8,float8) IS
'relative change (current - previous) / previous of one share, at least -1; NULL if the previous share is 0';

