-- dashboard.sql
--	Twelve statements that a dashboard sends, as BI tools write them, for
--	test/bench/distance/dashboard.sh; the tables are those of questions.sql.
SELECT count(1) FROM docs
SELECT category, count(*) AS n FROM docs GROUP BY category ORDER BY n DESC, category
SELECT DISTINCT year FROM docs ORDER BY year
SELECT min(n), max(n) FROM docs
SELECT count(*) FILTER (WHERE year < 2000) AS before, count(*) FILTER (WHERE year >= 2000) AS since, count(*) AS total FROM docs
SELECT year, count(*) FROM docs WHERE category = 'c3' GROUP BY year ORDER BY year
SELECT count(DISTINCT category) FROM docs
SELECT id, category, n FROM docs ORDER BY n DESC NULLS LAST LIMIT 10
SELECT id, category, year FROM docs WHERE category = 'c3' AND year = 2013 ORDER BY id LIMIT 20
SELECT count(*) FROM docs WHERE published = '2024-02-02'
SELECT tenant, count(*) FROM all_docs GROUP BY tenant ORDER BY tenant
SELECT category, count(*) FROM docs WHERE year = 2003 GROUP BY category HAVING count(*) > 1 ORDER BY category
