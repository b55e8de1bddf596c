#!/usr/bin/env bash
#
# What pinecone-local must be able to do, so that benchmarks of the extension
# measure the extension.
#
#	test/bench/server.sh [RECORDS [DIMENSION]]
#
# Prints what was measured, and a line for each target:
#	bench NAME ratio R target T met|missed
# server_query is the time of a search against the time to read the vectors'
# memory once, in the same run, so less is better.  The others are what was
# reached against what is asked for (300 MB/s of upserts per core of the server,
# 1 GB/s of replies, 10,000 small requests a second), so more is better.
# Needs wrk.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=test/bench/lib/bench.sh
source lib/bench.sh
records=${1:-100000}
dimension=${2:-768}

make -s -C ../server
directory=$(mktemp -d)
pid=
finish() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$pid" ] || wait "$pid" || true
	rm -rf "$directory"
}
trap finish EXIT
${CC:-cc} -O3 -march=native -D_GNU_SOURCE -pthread -o "$directory/client" server_client.c
client=$directory/client

../server/pinecone-local --port 0 --port-file "$directory/port" --api-key bench \
	--index "bench:$dimension:cosine" --index small:4:cosine >"$directory/log" 2>&1 &
pid=$!
for _ in $(seq 500); do
	[ ! -s "$directory/port" ] || break
	sleep 0.02
done
control=http://127.0.0.1:$(cat "$directory/port")
port_of() {
	curl -sS -H 'Api-Key: bench' "$control/indexes/$1" | grep -oE '"host":"[^"]*' | grep -oE '[0-9]+$'
}
port=$(port_of bench)
small=$(port_of small)

# Seconds of a processor that the server has used
server_cpu() {
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$pid/stat"
}

calculate() {
	awk "BEGIN { print $1 }"
}

# The first time the system has to find and clear memory, the second time records
# replace records
for time in new again; do
	before=$(server_cpu)
	read -r bytes seconds < <("$client" upsert "$port" "$records" "$dimension" 2)
	cpu=$(calculate "$(server_cpu) - $before")
	per_core=$(calculate "$bytes / $cpu / 1e6")
	printf 'upsert, %s: %d records of %d numbers, %.0f MB in %.2f s, %.2f s of the server: %.0f MB/s per core\n' \
		"$time" "$records" "$dimension" "$(calculate "$bytes / 1e6")" "$seconds" "$cpu" "$per_core"
	report "server_upsert_$time" "$per_core" 300 1 at-least
	if [ "$time" = new ]; then
		resident=$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$pid/status")
		printf 'for comparison: clearing as much memory as the server holds, %.0f MB, takes %.2f s of a core\n' \
			"$(calculate "$resident / 1e6")" "$("$client" touch "$resident")"
	fi
done

query=$("$client" query "$port" "$dimension" 51)
memory=$("$client" read $((records * dimension * 4)) "$(nproc)")
printf 'query: %.2f ms; reading %d MB once: %.2f ms\n' "$(calculate "$query * 1000")" $((records * dimension * 4 / 1000000)) "$(calculate "$memory * 1000")"
report server_query "$query" "$memory" 2 at-most

# As many records as fit into a reply, so the largest pages
ids=$(seq -f 'record-%07g' 0 $((3500000 / (dimension * 15) - 1)) | sed 's/^/\&ids=/' | tr -d '\n')
read -r bytes seconds < <("$client" download "$port" 3 2 "/vectors/fetch?namespace=bench$ids")
fetch=$(calculate "$bytes / $seconds / 1e9")
printf 'fetch: pages of %d records: %.2f GB/s\n' $((3500000 / (dimension * 15))) "$fetch"
report server_fetch "$fetch" 1 1 at-least

curl -sS -H 'Api-Key: bench' -H 'Content-Type: application/json' -o "$directory/reply" "http://127.0.0.1:$small/vectors/upsert" \
	-d '{"vectors":[{"id":"a","values":[1,2,3,4],"metadata":{"genre":"drama"}},{"id":"b","values":[4,3,2,1]}]}'
rate() {
	wrk -t1 -c16 -d3s -H 'Api-Key: bench' "$@" | awk '/Requests\/sec/ { print $2 } /Non-2xx/ { exit 1 }'
}
fetches=$(rate "http://127.0.0.1:$small/vectors/fetch?ids=a")
cat >"$directory/query.lua" <<'LUA'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"topK":2,"vector":[1,2,2,1],"includeMetadata":true}'
LUA
queries=$(rate -s "$directory/query.lua" "http://127.0.0.1:$small/query")
printf 'small requests: %.0f fetches/s, %.0f queries/s\n' "$fetches" "$queries"
report server_requests "$(calculate "$fetches < $queries ? $fetches : $queries")" 10000 1 at-least
