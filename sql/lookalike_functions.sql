-- Others' functions and operators in a schema on the path, even the extension's own, that fit better than
-- PostgreSQL's: SQL that the extension makes does not find them.
\set index seized
\set dimension 2
\set metric cosine
\i test/regress/setup.sql
BEGIN;
CREATE ROLE regress_mallory;
GRANT CREATE ON SCHEMA public TO regress_mallory;
GRANT USAGE ON FOREIGN SERVER pinecone TO regress_mallory;
CREATE USER MAPPING FOR regress_mallory SERVER pinecone OPTIONS (api_key :'api_key');
SET ROLE regress_mallory;
CREATE FUNCTION seized(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING '% runs, as superuser: %', what, (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user);
	RETURN true;
END $$;
CREATE FUNCTION equals(integer, integer) RETURNS boolean LANGUAGE sql AS $$ SELECT seized('operator =') AND $1 OPERATOR(pg_catalog.=) $2 $$;
CREATE OPERATOR public.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = equals);
CREATE FUNCTION equals(oid, regprocedure) RETURNS boolean LANGUAGE sql AS $$ SELECT seized('operator =') AND $1 OPERATOR(pg_catalog.=) $2 $$;
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = regprocedure, FUNCTION = equals);
CREATE FUNCTION joined(text, integer) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN seized('operator ||') THEN $1 || $2::text END $$;
CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = integer, FUNCTION = joined);
CREATE FUNCTION plus(double precision, bigint) RETURNS double precision LANGUAGE sql AS $$ SELECT CASE WHEN seized('operator +') THEN $1 + $2::double precision END $$;
CREATE OPERATOR public.+ (LEFTARG = double precision, RIGHTARG = bigint, FUNCTION = plus);
CREATE FUNCTION count(text) RETURNS bigint LANGUAGE sql AS $$ SELECT CASE WHEN seized('count()') THEN 1::bigint END $$;
CREATE FUNCTION format(text, name) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN seized('format()') THEN pg_catalog.format($1, $2) END $$;
CREATE FUNCTION format(text, name, name) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN seized('format()') THEN pg_catalog.format($1, $2, $3) END $$;
CREATE FUNCTION format(text, text, text) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN seized('format()') THEN pg_catalog.format($1, $2, $3) END $$;
CREATE FUNCTION format(text, name, regclass) RETURNS text LANGUAGE sql AS $$ SELECT CASE WHEN seized('format()') THEN pg_catalog.format($1, $2, $3) END $$;
CREATE FOREIGN TABLE there (id text, embedding real[], n int) SERVER pinecone OPTIONS (namespace 'items');
CREATE TABLE items (id int PRIMARY KEY, embedding real[], n int);
INSERT INTO items VALUES (1, '{1,2}', 1);
-- what is done as the owner of the extension
SELECT pinecone_mirror('items', 'there');
SELECT pinecone_mirror_source('there');
SELECT pinecone_mirror_retry('there');
SELECT pinecone_unmirror('there');
SELECT pinecone_outbox_retry(), pinecone_outbox_drop();
-- and as who calls
RESET ROLE;
SELECT pinecone_comment('there') > 0;
SELECT * FROM pinecone_hybrid($$ SELECT 'a' $$, $$ SELECT 'b' UNION ALL SELECT 'a' $$);
SELECT left(huf_install('huf_of_others'), 40);
SELECT count(*) FROM pinecone_check() WHERE severity = 'none';
SELECT * FROM pinecone_diff('there', 'items');
SELECT id FROM pinecone_search('there', '{1,2}'::real[], 1);
ROLLBACK;
