
/* Tables whose rows are mirrored: triggers note what has changed, delivery sends it */

CREATE TABLE pinecone_mirrors (
	mirror integer PRIMARY KEY,
	foreign_table regclass NOT NULL,
	source regclass NOT NULL,
	owner regrole NOT NULL,
	id_column name NOT NULL,
	namespace_column name,
	selected text NOT NULL,		/* what is selected of s, the source */
	condition text NOT NULL,	/* of which rows */
	filling boolean NOT NULL,	/* are there rows that were there before, and are still to be written? */
	filled_to text,				/* the id up to which they are; NULL: none are */
	delivered bigint NOT NULL DEFAULT 0,
	delivered_at timestamptz,
	attempts integer NOT NULL DEFAULT 0,
	retry_at timestamptz,
	last_error text
) USING heap WITH (fillfactor = 50);

CREATE TABLE pinecone_mirror_changes (
	mirror integer NOT NULL,
	kind "char" NOT NULL,	/* r: a row, t: a TRUNCATE */
	namespace text,
	id text,
	noted_at timestamptz NOT NULL
) USING heap;

CREATE TABLE pinecone_mirror_dead (
	mirror integer NOT NULL,
	namespace text,
	id text NOT NULL,
	reason text NOT NULL,
	failed_at timestamptz NOT NULL DEFAULT pg_catalog.now()
) USING heap;

/* by hash: an id that cannot be one may be too long for a tree */
CREATE INDEX pinecone_mirror_dead_key ON pinecone_mirror_dead USING hash (id);

CREATE TRIGGER pinecone_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pinecone_mirrors
FOR EACH STATEMENT EXECUTE FUNCTION pinecone_guard();
CREATE TRIGGER pinecone_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pinecone_mirror_changes
FOR EACH STATEMENT EXECUTE FUNCTION pinecone_guard();
CREATE TRIGGER pinecone_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON pinecone_mirror_dead
FOR EACH STATEMENT EXECUTE FUNCTION pinecone_guard();

SELECT pg_catalog.pg_extension_config_dump('pinecone_mirrors', '');
SELECT pg_catalog.pg_extension_config_dump('pinecone_mirror_changes', '');
SELECT pg_catalog.pg_extension_config_dump('pinecone_mirror_dead', '');

CREATE FUNCTION pinecone_mirror_note()
RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION pinecone_mirror_note() IS
'internal: the trigger of a mirrored table, which notes the ids of rows that have changed';

REVOKE ALL ON FUNCTION pinecone_mirror_note() FROM PUBLIC;

CREATE FUNCTION pinecone_mirror(
	source regclass, foreign_table regclass, id name DEFAULT NULL, columns text[] DEFAULT NULL,
	embedding text DEFAULT NULL, filter text DEFAULT NULL, fill boolean DEFAULT true)
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_mirror(regclass, regclass, name, text[], text, text, boolean) IS
'mirrors a table of this database to a foreign table: triggers note which rows change, pinecone_mirror_deliver() sends them; columns are names, or name = expression, embedding and filter expressions over the row';

CREATE FUNCTION pinecone_unmirror(foreign_table regclass)
RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_unmirror(regclass) IS
'ends what pinecone_mirror() began; records stay, changes that wait are forgotten: returns how many';

CREATE PROCEDURE pinecone_mirror_deliver(
	foreign_table regclass DEFAULT NULL, batch integer DEFAULT 10000,
	INOUT delivered bigint DEFAULT NULL, INOUT dead bigint DEFAULT NULL, INOUT waiting bigint DEFAULT NULL)
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON PROCEDURE pinecone_mirror_deliver(regclass, integer, bigint, bigint, bigint) IS
'sends what has changed in mirrored tables, and rows that were there before, until nothing waits or Pinecone cannot be reached; of one foreign table, at once though it has just failed, or of all that the caller owns the mirror of';

CREATE FUNCTION pinecone_mirror_retry(foreign_table regclass, id text DEFAULT NULL, drop boolean DEFAULT false)
RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION pinecone_mirror_retry(regclass, text, boolean) IS
'has rows delivered again that could not be records, one or all of a mirror, or with drop forgets about them; returns how many';

CREATE FUNCTION pinecone_mirror_source(foreign_table regclass)
RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE;

COMMENT ON FUNCTION pinecone_mirror_source(regclass) IS
'the query whose rows a mirrored foreign table is to hold, for pinecone_diff() and pinecone_sync()';

CREATE VIEW pinecone_mirror_status WITH (security_barrier) AS
SELECT m.foreign_table, m.source, m.owner, m.selected, m.condition,
	   CASE WHEN (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c
				  WHERE c.oid OPERATOR(pg_catalog.=) ANY (ARRAY[m.source::oid, m.foreign_table::oid])) OPERATOR(pg_catalog.<) 2 THEN 'gone'
			WHEN t.here OPERATOR(pg_catalog.=) 0 OR t.disabled OPERATOR(pg_catalog.>) 0 THEN 'disabled'
			WHEN m.retry_at IS NOT NULL THEN 'retrying' WHEN m.filling THEN 'filling' ELSE 'live' END AS state,
	   m.filled_to, c.waiting, c.oldest_wait, d.dead, m.delivered, m.delivered_at, m.attempts, m.retry_at, m.last_error
FROM pinecone_mirrors m
CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS waiting, pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.min(noted_at) AS oldest_wait
	FROM pinecone_mirror_changes c WHERE c.mirror OPERATOR(pg_catalog.=) m.mirror) c
CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS dead FROM pinecone_mirror_dead d WHERE d.mirror OPERATOR(pg_catalog.=) m.mirror) d
CROSS JOIN LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE t.tgrelid OPERATOR(pg_catalog.=) m.source::oid) AS here,
						   pg_catalog.count(*) FILTER (WHERE t.tgenabled OPERATOR(pg_catalog.=) 'D') AS disabled
	FROM pg_catalog.pg_trigger t
	WHERE t.tgname OPERATOR(pg_catalog.=) ('pinecone_mirror_' OPERATOR(pg_catalog.||) m.mirror::text)::name
	AND t.tgfoid OPERATOR(pg_catalog.=) 'pinecone_mirror_note()'::pg_catalog.regprocedure) t
WHERE pg_catalog.pg_has_role(m.owner, 'USAGE');

COMMENT ON VIEW pinecone_mirror_status IS
'mirrors that the current user may act as the owner of: what waits, since when, what could not be a record, and the last error (docs/sync.md)';

CREATE VIEW pinecone_mirror_dead_rows WITH (security_barrier) AS
SELECT m.foreign_table, d.namespace, d.id, d.reason, d.failed_at
FROM pinecone_mirror_dead d JOIN pinecone_mirrors m ON m.mirror OPERATOR(pg_catalog.=) d.mirror
WHERE pg_catalog.pg_has_role(m.owner, 'USAGE');

COMMENT ON VIEW pinecone_mirror_dead_rows IS
'rows of mirrored tables that could not be records, and why (docs/sync.md)';

GRANT SELECT ON pinecone_mirror_status, pinecone_mirror_dead_rows TO PUBLIC;
