
/* Two searches and what both have found: reciprocal rank fusion */

CREATE FUNCTION pinecone_hybrid(first_query text, second_query text, max_rows integer DEFAULT 10,
	rank_constant double precision DEFAULT 60,
	first_weight double precision DEFAULT 1, second_weight double precision DEFAULT 1)
RETURNS TABLE (id text, score double precision, first_rank bigint, second_rank bigint)
LANGUAGE plpgsql VOLATILE STRICT ROWS 10 AS $$
BEGIN
	IF max_rows < 0 OR rank_constant < 0 OR first_weight < 0 OR second_weight < 0 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'max_rows, rank_constant and weights must not be negative';
	ELSIF greatest(rank_constant, first_weight, second_weight) >= 'Infinity' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'rank_constant and weights must be finite';
	END IF;
	/*
	 * As branches of one UNION ALL both are under way at once.  Names are none that
	 * the queries may use, and a comment may end a query.  These go by the caller's
	 * search_path, so functions here are named in full, and operators fit exactly.
	 */
	RETURN QUERY EXECUTE pg_catalog.format('
		SELECT u.id, coalesce($1 / ($3 + (pg_catalog.min(u.r) FILTER (WHERE u.n = 1))::pg_catalog.float8), 0)
				+ coalesce($2 / ($3 + (pg_catalog.min(u.r) FILTER (WHERE u.n = 2))::pg_catalog.float8), 0) AS score,
			pg_catalog.min(u.r) FILTER (WHERE u.n = 1), pg_catalog.min(u.r) FILTER (WHERE u.n = 2)
		FROM (SELECT 1 AS n, f.id::pg_catalog.text AS id, pg_catalog.row_number() OVER () AS r FROM (%s
				) AS f (id)
			UNION ALL
			SELECT 2, s.id::pg_catalog.text, pg_catalog.row_number() OVER () FROM (%s
				) AS s (id)) u
		WHERE u.id IS NOT NULL
		GROUP BY u.id
		ORDER BY score DESC, u.id COLLATE pg_catalog."C" LIMIT $4', first_query, second_query)
		USING first_weight, second_weight, rank_constant, max_rows;
END $$;

COMMENT ON FUNCTION pinecone_hybrid(text, text, integer, double precision, double precision, double precision) IS
'the ids that two queries find, best first, by reciprocal rank fusion: each brings weight / (rank_constant + rank); the queries'' first columns are ids, best first, and both run at once';
