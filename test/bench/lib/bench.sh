# bench.sh
#	What the benchmarks share, for scripts that source this file:
#
#	median						of the numbers on standard input, one a line
#	report NAME VALUE BASE TARGET at-most|at-least
#								the line that sums up: VALUE as a ratio to BASE, and
#								whether the target is met
#	index_host INDEX			the URL of an index of pinecone-local
#	official_client				the module name of the official TypeScript client; it is
#								installed, or the status is 1
#	milliseconds QUERY [ARG...]	that the query takes in a session of its own, after
#								what psql's arguments say

median() {
	sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

report() {
	awk -v n="$1" -v a="$2" -v b="$3" -v t="$4" -v d="$5" 'BEGIN {
		r = a / b; ok = d == "at-most" ? r <= t : r >= t
		printf "bench %s ratio %.2f target %s %s\n", n, r, t, ok ? "met" : "missed" }'
}

index_host() {
	curl -sS -H "Api-Key: $PINECONE_LOCAL_KEY" "$PINECONE_LOCAL_URL/indexes/$1" | sed 's/.*"host":"\([^"]*\)".*/\1/'
}

official_client() {
	(cd test/contract && npm ci --silent --no-audit --no-fund >/dev/null 2>&1) || {
		echo "the official client cannot be installed" >&2
		return 1
	}
	grep -o '"[^"]*": *"npm:@pinecone-database/pinecone@7[^"]*"' test/contract/package.json | cut -d '"' -f 2
}

milliseconds() {
	psql -qXAt -v ON_ERROR_STOP=1 "${@:2}" -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1
}
