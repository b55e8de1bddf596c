# sessions.sh
#	What is granted a second, used by many: SESSIONS (20) sessions search SEARCHES
#	(20) times each, and a COPY of COPIED (20,000) records of 768 dimensions.  Told
#	are seconds, by the seconds that the documented limits let this take, and the share
#	of requests that are refused.  For test/bench/distance.sh; it looks at the limited
#	service alone.

SESSIONS=${SESSIONS:-20}
SEARCHES=${SEARCHES:-20}

# A statement in so many sessions at once; "seconds requests refused", of requests to a path
together() { # BUILD N PATH SQL
	local build=$1 n=$2 path=$3 sql=$4 from pids=()
	curl -sf -o /dev/null -X DELETE "$PINECONE_LOCAL_URL/_local/requests"
	from=$(date +%s.%N)
	for _ in $(seq "$n"); do
		on "$build" psql -qX -v ON_ERROR_STOP=1 -c "$sql" &
		pids+=($!)
	done
	wait "${pids[@]}"
	awk -v from="$from" -v to="$(date +%s.%N)" 'BEGIN {printf "%.2f ", to - from}'
	curl -sf "$PINECONE_LOCAL_URL/_local/requests" | grep -F "\"path\":\"$path\"" |
		awk '/"status":429,/ {r++} END {print NR, r + 0}'
}

# The same by both builds; seconds that the limits let it take
share() { # NAME N PATH ALLOWED SQL
	local name=$1 allowed=$4 base tree
	[[ $name =~ ${ONLY:-.} ]] || return 0
	base=$(together base "$2" "$3" "$5")
	# what one has taken of a second the other does not have
	sleep 2
	tree=$(together tree "$2" "$3" "$5")
	printf '%s: %s s, %s requests, %s refused; here %s s, %s requests, %s refused\n' "$name" $base $tree
	report "${name}_seconds_per_allowed" "${tree%% *}" "$allowed" 1.15 at-most
	# shellcheck disable=SC2086 # seconds, requests, refused
	set -- $tree
	report "${name}_refused" "$3" "$2" 0.03 at-most
}

measure_sessions() {
	local bytes
	in_both many <<-END
		CREATE FOREIGN TABLE many (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'many');
		CREATE FOREIGN TABLE copied (id text COLLATE "C", embedding real[], n int) SERVER s OPTIONS (namespace 'copied', write_mode 'immediate');
		DROP TABLE IF EXISTS copies;
		CREATE TABLE copies AS SELECT 'r' || i AS id, ARRAY(SELECT (random() * 2 - 1)::real FROM generate_series(1, 768) WHERE i > 0) AS embedding, i AS n
		  FROM generate_series(1, ${COPIED:-20000}) i;
		COPY copies TO '$CLUSTER_DIR/copies.binary' (FORMAT binary);
		ALTER SERVER s OPTIONS (ADD max_retries '10');
	END
	chmod 644 "$CLUSTER_DIR/copies.binary"
	# as they are for the service: a host on this machine has none unless it is told
	on tree psql -qX -c "ALTER SERVER s OPTIONS (ADD rate_limits 'query 100')"
	share searches "$SESSIONS" /query "$(awk -v n="$((SESSIONS * SEARCHES))" 'BEGIN {print n / 100}')" \
		"DO \$\$ DECLARE x text; BEGIN FOR i IN 1 .. $SEARCHES LOOP SELECT id INTO x FROM many ORDER BY embedding <=> array_fill(i::real, ARRAY[768]) LIMIT 1; END LOOP; END \$\$"
	# bytes of requests, of which 50 MB pass a second
	bytes=$(on tree psql -qXAt -c "SELECT sum(length(array_to_string(embedding, ',')) + 40) FROM copies")
	share copy 1 /vectors/upsert "$(awk -v n="$bytes" 'BEGIN {print n / 50e6}')" "COPY copied FROM '$CLUSTER_DIR/copies.binary' (FORMAT binary)"
}

for i in $(seq 50); do
	printf '{"index":"many","namespace":"many","id":"r%d","values":[%d%s],"metadata":{"n":%d}}\n' "$i" "$i" "$(printf ',0.%d' $(seq 767))" "$i"
done >"$CLUSTER_DIR/records.jsonl"
start_service --index many:768:cosine
[ "$limited" = unlimited ] || measure_sessions
