# questions.sh
#	Questions with small answers: each statement of test/bench/questions.sql, on
#	QUESTION_RECORDS (50,000) records of 64 dimensions.  For test/bench/distance.sh.

write_question_records() {
	awk -v n="${QUESTION_RECORDS:-50000}" 'BEGIN {
		srand(2)
		for (i = 0; i < 1024; i++) pool[i] = sprintf("%.5f", rand() * 2 - 1)
		for (i = 0; i < n; i++) {
			printf "{\"index\":\"asked\",\"namespace\":\"%s\",\"id\":\"doc-%06d\",\"values\":[1", i % 50 == 0 ? "t" i % 3 : "kb", i
			at = int(rand() * 1024)
			for (j = 1; j < 64; j++) printf ",%s", pool[(at + j * 7) % 1024]
			printf "],\"metadata\":{\"n\":%d,\"year\":%d,\"category\":\"c%d\",\"key\":\"k%d\",\"published\":\"2024-%02d-%02d\"}}\n", i, 1990 + i % 30, i % 20, i, 1 + i % 12, 1 + i % 28
		}
	}' >"$CLUSTER_DIR/records.jsonl"
}

make_question_tables() {
	query="'{1$(printf ',0.1%.0s' $(seq 63))}'::real[]"
	in_both asked <<-END
		DROP TABLE IF EXISTS asked, doomed, wanted;
		CREATE FOREIGN TABLE docs (id text COLLATE "C", embedding real[], score real, n int, year int, category text, published date, metadata jsonb)
		  SERVER s OPTIONS (namespace 'kb');
		CREATE FOREIGN TABLE all_docs (tenant text OPTIONS (role 'namespace') COLLATE "C", id text COLLATE "C", embedding real[], n int, year int) SERVER s;
		CREATE TABLE asked AS SELECT k, $query AS e FROM generate_series(1, 3) k;
		ALTER TABLE asked ADD PRIMARY KEY (k);
		CREATE TABLE doomed AS SELECT 'doc-' || lpad((9 * i)::text, 6, '0') AS id FROM generate_series(1, 500) i;
		CREATE TABLE wanted AS SELECT i AS k, 7 * i AS n, 'k' || 7 * i AS key FROM generate_series(1, 635) i;
		ANALYZE asked, doomed, wanted;
	END
}

ask_questions() {
	local name target line
	while read -r line; do
		if [[ $line =~ ^--\ ([a-z_]+)\ ([0-9]+)$ ]]; then
			name=${BASH_REMATCH[1]} target=${BASH_REMATCH[2]}
		elif [ -n "${name:-}" ] && [ -n "$line" ]; then
			if [[ $name =~ ${ONLY:-.} ]]; then
				# a session's first statement is planned before the library is there
				compare "$name" "$target" "LOAD 'pinecone_fdw'; ${line//:q/$query}"
			fi
			name=
		fi
	done <test/bench/questions.sql
}

write_question_records
start_service --index asked:64:cosine
make_question_tables
ask_questions
