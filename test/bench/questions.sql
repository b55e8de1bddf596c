-- questions.sql
--	Questions with small answers, in the spellings that people and tools write, for
--	test/bench/distance/questions.sh.  A line "-- NAME TARGET" names the statement
--	in the line below and says how many times as fast as BASE it is to be; 1 where
--	that was quick, or the answer is large.
--
--	docs: id, embedding, score, n, year, category, published, metadata; in namespace "kb"
--	all_docs: the same and the namespace, of all of them; asked, doomed, wanted: local tables

-- similarity_above 10
SELECT id FROM docs WHERE 1 - (embedding <=> (SELECT e FROM asked WHERE k = 1)) > 0.97 ORDER BY embedding <=> (SELECT e FROM asked WHERE k = 1) LIMIT 5
-- similarity_order 10
SELECT id, 1 - (embedding <=> :q) FROM docs ORDER BY 1 - (embedding <=> :q) DESC LIMIT 5
-- distance_function 10
SELECT id FROM docs ORDER BY pinecone_cosine_distance(embedding, :q) LIMIT 5
-- distance_real 10
SELECT id FROM docs WHERE embedding <=> :q < 0.5::real ORDER BY embedding <=> :q LIMIT 5
-- distance_rounded 10
SELECT id, round((embedding <=> :q)::numeric, 3) FROM docs ORDER BY round((embedding <=> :q)::numeric, 3), id LIMIT 5
-- best_similarity 10
SELECT max(1 - (embedding <=> :q)) FROM docs
-- bound_alone 10
SELECT count(*) FROM docs WHERE embedding <=> :q < 0.001
-- similarity_alone 10
SELECT id FROM docs WHERE 1 - (embedding <=> :q) > 0.999
-- vector_of_cte 10
WITH v AS (SELECT e FROM asked WHERE k = 1) SELECT id FROM docs, v ORDER BY embedding <=> v.e LIMIT 2
-- vector_of_table 10
SELECT id FROM docs, asked WHERE k = 2 ORDER BY embedding <=> asked.e LIMIT 2
-- vector_of_record 10
SELECT a.id FROM docs a, docs b WHERE b.id = 'doc-000123' ORDER BY a.embedding <=> b.embedding LIMIT 3
-- count_constant 1
SELECT count(1) FROM docs
-- sum_constant 10
SELECT sum(1) FROM docs
-- count_filters 10
SELECT count(*), count(*) FILTER (WHERE year = 1992), count(*) FILTER (WHERE category = 'c3' AND year > 2000) FROM docs
-- count_ordered 1
SELECT count(*) FROM (SELECT id, n FROM docs WHERE category = 'c3' ORDER BY n) s
-- count_namespaces_like 10
SELECT count(*) FROM all_docs WHERE tenant LIKE 'k%'
-- count_by_namespace 1
SELECT tenant, count(*) FROM all_docs WHERE year = 1992 GROUP BY tenant
-- distinct 10
SELECT DISTINCT category FROM docs
-- group_by 10
SELECT category, count(*) FROM docs GROUP BY category
-- count_distinct 10
SELECT count(DISTINCT category) FROM docs
-- delete_in 1
BEGIN; DELETE FROM docs WHERE id IN (SELECT id FROM doomed); ROLLBACK
-- delete_using 1
BEGIN; DELETE FROM docs USING doomed WHERE docs.id = doomed.id; ROLLBACK
-- update_in 1
BEGIN; UPDATE docs SET year = 2000 WHERE id IN (SELECT id FROM doomed); ROLLBACK
-- id_pattern 1
SELECT id, n FROM docs WHERE id LIKE '%77'
-- id_range 1
SELECT id, n FROM docs WHERE id BETWEEN 'doc-000100' AND 'doc-000120'
-- days_between 1
SELECT id, published FROM docs WHERE published BETWEEN '2024-02-02' AND '2024-02-02' AND n < 30000
-- days_half_open 10
SELECT id FROM docs WHERE published >= '2024-02-01' AND published < '2024-02-04'
-- json_text 10
SELECT id FROM docs WHERE metadata #>> '{key}' = 'k77'
-- json_arrow 10
SELECT id FROM docs WHERE metadata -> 'key' = '"k77"'
-- json_path 10
SELECT id FROM docs WHERE jsonb_extract_path_text(metadata, 'key') = 'k77'
-- json_subscript 10
SELECT id FROM docs WHERE metadata['key'] = '"k77"'
-- json_everything 1
SELECT id FROM docs WHERE metadata @> '{}' ORDER BY embedding <=> :q LIMIT 3
-- rank_limit 1
SELECT id, rank() OVER (ORDER BY embedding <=> :q) FROM docs LIMIT 20
-- rank_condition 1
SELECT id, r FROM (SELECT id, row_number() OVER (ORDER BY embedding <=> :q) AS r FROM docs) s WHERE r <= 3
-- order_number 10
SELECT id, n FROM docs ORDER BY n DESC NULLS LAST LIMIT 5
-- order_number_filtered 1
SELECT id, n FROM docs WHERE category = 'c3' ORDER BY n LIMIT 5
-- max_number 10
SELECT max(n) FROM docs
-- min_and_max 1
SELECT min(n), max(n) FROM docs WHERE year > 2000
-- exists_filter 1
SELECT EXISTS (SELECT FROM docs WHERE category = 'c3' AND year > 2000)
-- join_field 10
SELECT count(*), sum(d.n) FROM wanted w JOIN docs d ON d.n = w.n
-- join_text 10
SELECT count(*), sum(d.n) FROM wanted w JOIN docs d ON d.metadata ->> 'key' = w.key
-- join_range 10
SELECT count(*), sum(d.n) FROM wanted w JOIN docs d ON d.n BETWEEN w.n AND w.n + 1 WHERE w.k < 50
-- join_exists 1
SELECT count(*) FROM wanted w WHERE EXISTS (SELECT FROM docs d WHERE d.n = w.n AND d.year > 2000)
-- keyset_ids 10
SELECT id FROM docs WHERE id > 'doc-025000' ORDER BY id LIMIT 100
-- keyset_records 10
SELECT id, n FROM docs WHERE id > 'doc-015500' ORDER BY id LIMIT 50
-- keyset_end 10
SELECT id, n FROM docs WHERE id > 'doc-049950' ORDER BY id LIMIT 100
-- offset_records 10
SELECT * FROM docs ORDER BY id LIMIT 10 OFFSET 20000
-- max_id 10
SELECT max(id) FROM docs
-- ids_descending 10
SELECT id, n FROM docs ORDER BY id DESC LIMIT 5
-- histogram 10
SELECT width_bucket(n, 0, 50000, 10), count(*) FROM docs GROUP BY 1 ORDER BY 1
-- decades 10
SELECT year / 10 * 10, count(*) FROM docs GROUP BY 1
-- group_filter 10
SELECT category, count(*), count(*) FILTER (WHERE year > 2000) FROM docs GROUP BY category
-- group_by_two 10
SELECT category, year, count(*) FROM docs GROUP BY category, year
-- min_id 1
SELECT min(id) FROM docs
-- update_merged 1
BEGIN; UPDATE docs SET metadata = metadata || '{"reviewed": true}' WHERE year = 1992; ROLLBACK
-- update_all 10
BEGIN; UPDATE docs SET year = 2000; ROLLBACK
-- search_of_local_ids 1
SELECT id FROM docs WHERE id = ANY (ARRAY(SELECT id FROM doomed)) ORDER BY embedding <=> :q LIMIT 3
