#!/usr/bin/env bash
#
# The extension on Citus: a coordinator and two workers on this machine, each
# with pinecone_fdw, and one pinecone-local.  Says so and succeeds where no Citus
# is installed for the PostgreSQL of PG_CONFIG.
#
#	test/scale/citus.sh [last|first]	pinecone_fdw before or after citus in
#										shared_preload_libraries; both by default
#
# Prints TAP lines, and with "#" what comes over the wire for an aggregate.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
orders=("$@")
[ $# -gt 0 ] || orders=(first last)
ROWS=${ROWS:-20000}

cluster_begin
if [ ! -e "$("$PG_CONFIG" --pkglibdir)/citus.so" ]; then
	echo "1..0 # SKIP Citus is not installed for $("$PG_CONFIG" --version)"
	exit 0
fi
tests=0
failed=0

ok() { # STATUS NAME
	tests=$((tests + 1))
	[ "$1" = 0 ] || failed=$((failed + 1))
	printf '%s %d - %s: %s\n' "$([ "$1" = 0 ] && echo ok || echo 'not ok')" "$tests" "$order" "$2"
}

is() { # GOT WANTED NAME
	if [ "$1" = "$2" ]; then ok 0 "$3"; else
		ok 1 "$3"
		printf '#   got: %s\n#   not: %s\n' "$1" "$2"
	fi
}

matches() { # TEXT REGEX NAME
	if [[ $1 =~ $2 ]]; then ok 0 "$3"; else
		ok 1 "$3"
		printf '%s\n' "$1" | sed 's/^/#   /'
	fi
}

on_port() { # PORT SQL...: the result of the last
	local port=$1
	shift
	PGPORT=$port psql -qXAt -v ON_ERROR_STOP=1 "${@/#/-c}" 2>&1 || true
}

coordinator() { on_port 6432 "$@"; }

took() { # SQL: milliseconds, the third time
	PGPORT=6432 psql -qXAt -c '\timing on' -c "$1" -c "$1" -c "$1" | sed -n 's/^Time: \([0-9]*\).*/\1/p' | tail -n 1
}

start_nodes() { # LIBRARIES
	local port
	for port in 6432 6433 6434; do
		CLUSTER_DATA=data_$order$port CLUSTER_PGPORT=$port cluster_postgres "shared_preload_libraries = '$1'" "wal_level = logical" \
			"listen_addresses = 'localhost'" "max_prepared_transactions = 20" "citus.shard_count = 4" "citus.node_conninfo = 'sslmode=prefer'" \
			"citus.enable_version_checks = off" "jit = off"
		# On every node: citus first, for it is what sends CREATE EXTENSION elsewhere; then the mapping, which it does not send
		on_port "$port" 'CREATE EXTENSION citus' >/dev/null
	done
	coordinator "SELECT citus_set_coordinator_host('localhost', 6432)" "SELECT citus_add_node('localhost', 6433)" "SELECT citus_add_node('localhost', 6434)" >/dev/null
	coordinator 'CREATE EXTENSION pinecone_fdw' >/dev/null
	for port in 6432 6433 6434; do
		on_port "$port" 'SET citus.enable_ddl_propagation = off' 'CREATE EXTENSION IF NOT EXISTS pinecone_fdw' \
			"CREATE SERVER pinecone FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'shop', control_host '$PINECONE_LOCAL_URL', max_retries '0')" \
			"CREATE USER MAPPING FOR CURRENT_USER SERVER pinecone OPTIONS (api_key '$PINECONE_LOCAL_KEY')" \
			"CREATE FOREIGN TABLE docs (id text COLLATE \"C\", embedding real[], n int) SERVER pinecone OPTIONS (namespace '$order')" >/dev/null
	done
}

stop_nodes() {
	local port
	for port in 6432 6433 6434; do
		"${cluster_as[@]}" pg_ctl -D "$CLUSTER_DIR/data_$order$port" -m fast -w stop >/dev/null
	done
}

# An aggregate over the distributed table is that over a local copy
aggregates() {
	local aggregate kind
	coordinator 'CREATE TABLE hits (id int, mass float8, score float8, v real[])' "SELECT create_distributed_table('hits', 'id')" >/dev/null
	coordinator 'CREATE TABLE hits_local (id int, mass float8, score float8, v real[])' "INSERT INTO hits_local SELECT i, (1 + i % 1000) * 10.0 ^ (i % 9), sin(i) * 9, ARRAY[sin(i), cos(i), 1]::real[] FROM generate_series(1, $ROWS) i" 'INSERT INTO hits SELECT * FROM hits_local' >/dev/null
	for aggregate in 'huf_mass(mass)' 'huf_mean_abs(score)' 'huf_lse(score)' 'huf_lse(score, 2)' 'huf_hhi(mass)' "huf_hhi(score, 'softmax')" "huf_hhi(score, 'softmax', 2)" \
		'huf_neff_hhi(mass)' 'huf_entropy(mass)' "huf_entropy(score, 'softmax')" 'huf_neff_entropy(mass)' 'huf_evenness(mass)' 'huf_top_share(mass)' 'huf_rho_var(mass)' \
		'huf_entropy(huf_moments(mass))' 'huf_gini(mass)' 'huf_items_to_cover(mass)' 'huf_mrl(v)' 'huf_dispersion(v)' 'huf_sketch_count(huf_sketch(v))' "huf_sliced_w1(v, id % 2 = 0)"; do
		is "$(coordinator "SELECT abs(a - b) <= 1e-9 * abs(b) FROM (SELECT ($aggregate)::float8 AS a FROM hits) x, (SELECT ($aggregate)::float8 AS b FROM hits_local) y")" t "$aggregate"
	done
	is "$(coordinator "SELECT bool_and(abs(a - b) <= 1e-9 * b) FROM (SELECT id % 7 AS g, huf_entropy(mass) AS a FROM hits GROUP BY 1) x JOIN (SELECT id % 7 AS g, huf_entropy(mass) AS b FROM hits_local GROUP BY 1) y USING (g)")" t 'by groups that are on several nodes'
	matches "$(coordinator 'EXPLAIN (VERBOSE, COSTS OFF) SELECT huf_hhi(mass) FROM hits')" 'worker_(binary_)?partial_agg' 'the state is what comes from the nodes'
	# Citus cannot execute the plan of a partial aggregate under EXPLAIN ANALYZE: of these the states are measured
	for aggregate in 'huf_hhi(mass)' "huf_entropy(score, 'softmax')" 'huf_lse(score)' 'huf_gini(mass)' 'huf_mrl(v)' 'huf_sketch_count(huf_sketch(v))' 'stddev_pop(mass)'; do
		kind=$(coordinator "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT $aggregate FROM hits" | sed -n 's/^ *Tuple data received from nodes: //p' | head -n 1)
		[ -n "$kind" ] || kind="a state for each of $(coordinator "SELECT count(*) FROM citus_shards WHERE table_name = 'hits'::regclass") shards"
		printf '# %s of %d rows: %s; %s ms, %s ms on one node\n' "$aggregate" "$ROWS" "$kind" "$(took "SELECT $aggregate FROM hits")" "$(took "SELECT $aggregate FROM hits_local")"
	done
}

searches() {
	on_port 6432 "INSERT INTO docs SELECT 'd' || i, ARRAY[i, 1]::real[], i FROM generate_series(1, 50) i" >/dev/null
	is "$(coordinator "SELECT id FROM pinecone_search('docs', '{7,1}', 1)")" d7 'pinecone_search() on the coordinator'
	is "$(on_port 6433 "SELECT pinecone_wait_for('docs', '$(coordinator "INSERT INTO docs VALUES ('late', '{0,1}', 0)" "SELECT pinecone_last_write('docs')")')")" t 'a worker waits for what the coordinator has written'
	coordinator 'CREATE TABLE asked (k int, v real[])' "SELECT create_distributed_table('asked', 'k')" 'INSERT INTO asked SELECT i, ARRAY[i, 1]::real[] FROM generate_series(1, 8) i' >/dev/null
	is "$(coordinator "SELECT string_agg(s.id, ' ' ORDER BY n) FROM (SELECT array_agg(v ORDER BY k) AS v FROM (SELECT * FROM asked OFFSET 0) a) w, pinecone_search_batch('docs', w.v, 1) s")" 'd1 d2 d3 d4 d5 d6 d7 d8' 'pinecone_search_batch() of rows of a distributed table'
	is "$(coordinator "SELECT string_agg(d.id, ' ' ORDER BY k) FROM (SELECT * FROM asked OFFSET 0) a, LATERAL (SELECT id FROM docs ORDER BY embedding <-> a.v LIMIT 1) d")" 'd1 d2 d3 d4 d5 d6 d7 d8' 'LATERAL of a subquery on a distributed table'
	is "$(coordinator 'SELECT count(*) FROM asked JOIN docs ON docs.n = asked.k')" 8 'a plain join'
	is "$(coordinator "SELECT count(*) FROM (SELECT * FROM asked OFFSET 0) a JOIN docs ON docs.n = a.k")" 8 'a distributed table and a foreign one are joined'
}

# A COMMIT in which a node refuses
transactions() {
	coordinator 'CREATE TABLE orders (k int, unique_k int)' "SELECT create_distributed_table('orders', 'k')" >/dev/null
	# refused when the node prepares: a deferred trigger on each shard
	for port in 6433 6434; do
		on_port "$port" 'SET citus.enable_ddl_propagation = off' "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN IF NEW.unique_k < 0 THEN RAISE EXCEPTION 'refused by the node'; END IF; RETURN NEW; END \$\$" >/dev/null
		for shard in $(on_port "$port" 'SET citus.override_table_visibility = off' "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^orders_\\d+\$'"); do
			on_port "$port" 'SET citus.override_table_visibility = off' "SET citus.enable_manual_changes_to_shards = on; SET citus.enable_unsafe_triggers = on; SET citus.enable_ddl_propagation = off; CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON $shard DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()" >/dev/null
		done
	done
	is "$(coordinator 'BEGIN' "INSERT INTO orders SELECT i, i FROM generate_series(1, 20) i" "INSERT INTO docs VALUES ('with', '{100,1}', 100)" 'COMMIT' "SELECT count(*) FROM orders WHERE unique_k > 0" )" 20 'a transaction of several nodes and Pinecone commits'
	is "$(coordinator "SELECT count(*) FROM docs WHERE id = 'with'")" 1 'on both'
	matches "$(coordinator 'BEGIN' "INSERT INTO docs VALUES ('before', '{101,1}', 101)" "INSERT INTO orders SELECT i, -i FROM generate_series(1, 20) i" 'COMMIT')" 'refused by the node' 'a node refuses'
	is "$(coordinator "SELECT count(*) FROM orders WHERE unique_k < 0")" 0 'no row is left'
	is "$(coordinator "SELECT count(*) FROM docs WHERE id = 'before'")" 1 'send_order first: the record is there, for the transaction to be repeated'
	if [ "$order" = first ]; then
		matches "$(coordinator 'SET pinecone_fdw.send_order = last' 'BEGIN' "INSERT INTO docs VALUES ('after', '{102,1}', 102)" "INSERT INTO orders SELECT i, -i FROM generate_series(1, 20) i" 'COMMIT')" 'refused by the node' 'send_order last: a node refuses'
		is "$(coordinator "SELECT count(*) FROM docs WHERE id = 'after'")" 0 'and nothing has been sent'
		fault '{"kind": "status", "status": 400, "path": "/vectors/upsert"}'
		matches "$(coordinator 'SET pinecone_fdw.send_order = last' 'BEGIN' "INSERT INTO orders SELECT i, i + 1000 FROM generate_series(1, 20) i" "INSERT INTO docs VALUES ('never', '{103,1}', 103)" 'COMMIT')" 'ERROR' 'send_order last: Pinecone refuses'
		fault
		is "$(coordinator "SELECT count(*) FROM orders WHERE unique_k > 1000")" 0 'and what the nodes had prepared is rolled back'
	else
		matches "$(coordinator 'SET pinecone_fdw.send_order = last' "INSERT INTO docs VALUES ('after', '{102,1}', 102)")" 'others may come after' 'send_order last is refused where Citus came first'
	fi
}

# A foreign table that Citus manages: what writes to it is prepared
managed() {
	local table
	for table in plain boxed; do
		coordinator "CREATE FOREIGN TABLE $table (id text COLLATE \"C\", embedding real[], n int) SERVER pinecone OPTIONS (namespace '$table$order', write_mode '$([ $table = plain ] && echo transactional || echo outbox)')" \
			"SELECT citus_add_local_table_to_metadata('$table')" >/dev/null
	done
	is "$(coordinator 'BEGIN' "INSERT INTO plain VALUES ('a', '{1,1}', 1)" 'INSERT INTO orders SELECT i, i FROM generate_series(1, 20) i' 'COMMIT' 'SELECT count(*) FROM plain')" 1 'write_mode transactional: a transaction of several nodes'
	matches "$(printf 'c1\t{1,2}\t1\n' | PGPORT=6432 psql -qXAt -v ON_ERROR_STOP=1 -c 'COPY plain FROM stdin' 2>&1)" 'cannot PREPARE a transaction that has written' 'write_mode transactional: COPY is refused'
	is "$(printf 'c1\t{1,2}\t1\nc2\t{1,3}\t2\n' | PGPORT=6432 psql -qXAt -v ON_ERROR_STOP=1 -c 'COPY boxed FROM stdin' -c 'SELECT count(*) FROM boxed' 2>&1)" 2 'write_mode outbox: COPY'
	is "$(coordinator 'BEGIN' "INSERT INTO boxed VALUES ('c3', '{1,1}', 1)" 'INSERT INTO orders SELECT i, i FROM generate_series(1, 20) i' 'COMMIT' 'SELECT count(*) FROM boxed')" 3 'write_mode outbox: a transaction of several nodes'
	coordinator 'BEGIN' "INSERT INTO boxed VALUES ('c4', '{1,1}', 1)" 'INSERT INTO orders SELECT i, -i FROM generate_series(1, 20) i' 'COMMIT' >/dev/null
	is "$(coordinator 'SELECT waiting, dead FROM pinecone_deliver()' 'SELECT count(*) FROM boxed')" $'0|0\n3' 'write_mode outbox: one that a node refuses leaves nothing'
}

fault() { # [JSON]
	if [ $# -gt 0 ]; then
		curl -sS -H "Api-Key: $PINECONE_LOCAL_KEY" -X POST "$PINECONE_LOCAL_URL/_local/faults" -d "$1" >/dev/null
	else
		curl -sS -H "Api-Key: $PINECONE_LOCAL_KEY" -X DELETE "$PINECONE_LOCAL_URL/_local/faults" >/dev/null
	fi
}

cluster_pinecone --index shop:2:euclidean
for order in "${orders[@]}"; do
	start_nodes "$([ "$order" = first ] && echo 'pinecone_fdw, citus' || echo 'citus, pinecone_fdw')"
	is "$(coordinator 'SELECT count(*) FROM citus_get_active_worker_nodes()')" 2 'two workers are there'
	aggregates
	searches
	transactions
	managed
	stop_nodes
done
echo "1..$tests"
exit $((failed > 0))
