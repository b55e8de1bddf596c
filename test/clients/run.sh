#!/usr/bin/env bash
#
# Real clients, asking pinecone_fdw what clients ask: each lists the tables, filters,
# searches with a bound vector, joins, pages, counts, writes and cancels, once directly
# and once through pgbouncer in transaction mode.  Answers are compared with those of a
# local copy, and the requests that questions cost with the table of docs/clients.md.
#
#	test/clients/run.sh				all
#	test/clients/run.sh CLIENT...	some: the names of the folders here
#
# A client is CLIENT/client.mjs (or .py, .sh, .R, .java, .pl).  It finds the server by
# PGHOST, PGPORT, PGUSER and PGDATABASE, VIA tells whether that is "direct" or
# "pgbouncer", and DIRECT_PORT is where there is no pgbouncer.  setup.sql says what it
# finds there.  It prints
#	ok N - ..., not ok N - ...
#	# version: 3.3.0		the client's
#	# lists: yes			whether it finds foreign tables by itself, for the table
# and calls SQL's question('knn') before what is counted under that name, and
# question(NULL) after; the names are those of QUESTIONS.  What cannot run here says why
# in needs.sh, and is left out.
#
# The last line is "N passed, N failed".  TABLE=1 prints the lines of the table as they
# should be.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/npm.sh
source test/npm.sh

readonly HERE=test/clients QUESTIONS=(filter knn join pages 'count(*)' 'count(1)' distinct limit insert update delete)
passed=0
failed=0

say() {
	echo "$2 $((passed + failed)) - $1"
}

check() { # WHAT COMMAND...
	if "${@:2}"; then
		passed=$((passed + 1)) && say "$1" ok
	else
		failed=$((failed + 1)) && say "$1" 'not ok'
	fi
}

start() {
	cluster_begin || return
	CLUSTER_PGPORT=$(cluster_free_port)
	cluster_postgres "listen_addresses = '127.0.0.1'" || return
	psql -Xqf $HERE/items.sql &&
		psql -XqAtc "SELECT jsonb_build_object('index', 'clients', 'namespace', 'items', 'id', id, 'values', embedding, 'metadata', metadata)
			FROM items_local ORDER BY id" >"$CLUSTER_DIR/items.jsonl" &&
		# so far away that requests are what counts, as they are to the service
		cluster_pinecone --latency 10 --index clients:8:cosine --load "$CLUSTER_DIR/items.jsonl" &&
		psql -Xq -v "url=$PINECONE_LOCAL_URL" -v "key=$PINECONE_LOCAL_KEY" -f $HERE/setup.sql &&
		cluster_pgbouncer
}

# The command for a client's program, in "command".
command_of() {
	case $1 in
		*.mjs) command=(node "$1") ;;
		*.py) command=(/usr/bin/python3 "$1") ;;
		*.sh) command=(bash "$1") ;;
		*.R) command=(Rscript --vanilla "$1") ;;
		*.pl) command=(perl -I test/lib "$1") ;;
		*.java) command=(java -cp "$(echo /usr/share/java/postgresql.jar)" "$1") ;;
	esac
}

run_client() { # NAME VIA
	local command port=$PGPORT output status name=$1 good bad
	[ "$2" = direct ] || port=$CLUSTER_BOUNCER_PORT
	command_of "$(echo "$HERE/$name"/client.*)"
	psql -XqAt >/dev/null <<-END
		SELECT slow(0), question(NULL);
		TRUNCATE notes_local;
		DELETE FROM notes;
		UPDATE asking SET client = '$name', via = '$2', question = NULL;
	END
	# What backends know of the index is not a question's; a cancel through pgbouncer ends one of them
	[ "$2" = direct ] || cluster_fill_pool 'SELECT count(*) FROM items'
	output=$(VIA=$2 DIRECT_PORT=$PGPORT PGHOST=127.0.0.1 PGPORT=$port timeout 120 "${command[@]}" 2>&1 </dev/null)
	status=$?
	good=$(grep -cE '^ok [0-9]' <<<"$output")
	bad=$(grep -cE '^not ok [0-9]' <<<"$output")
	good=$((good - $(grep -ciE '^ok [0-9].*# skip' <<<"$output")))
	[ "$good$bad" != 00 ] && { [ "$status" = 0 ] || [ "$bad" != 0 ]; } || bad=$((bad + 1))
	passed=$((passed + good))
	failed=$((failed + bad))
	printf '# %s, %s: %d passed, %d failed\n' "$name" "$2" "$good" "$bad"
	[ "$bad" = 0 ] || printf '%s\n# exit status %d\n' "$output" "$status"
	[ "$2" != direct ] || {
		version=$(sed -n 's/^# version: //p' <<<"$output")
		lists=$(sed -n 's/^# lists: //p' <<<"$output")
	}
}

# What questions have cost, "| 1 | 1 | - ... |"; another cost for the same question shows as "1/2".
costs_of() { # NAME VIA
	psql -XqAt -v "name=$1" -v "via=$2" -v "questions={$(IFS=, && echo "${QUESTIONS[*]}")}" <<-'END'
		SELECT '| ' || string_agg(coalesce((SELECT string_agg(DISTINCT requests::text, '/') FROM asked
			WHERE client = :'name' AND via = :'via' AND question = q), '-'), ' | ' ORDER BY n) || ' |'
		FROM unnest(:'questions'::text[]) WITH ORDINALITY AS _ (q, n);
	END
}

costs_no_more() {
	awk -v a="$1" -v b="$2" 'BEGIN { n = split(a, pooled, / *\| */); split(b, direct, / *\| */)
		for (i = 1; i <= n; i++) if (pooled[i] != direct[i] && (pooled[i] ~ /[^0-9]/ || pooled[i] + 0 > direct[i] + 0)) exit 1 }'
}

# The line of the table says what was counted.  Versions that a lock file pins have to be there, too.
table_is_right() { # NAME
	local costs line cell name=$1
	costs=$(costs_of "$name" direct)
	[ -z "${TABLE:-}" ] || echo "| $name $version | $lists $costs"
	line=$(grep -E "^\| $name[ |]" docs/clients.md) || {
		echo "# docs/clients.md has no line for $name; it would begin: | $name $version | $lists $costs"
		return 1
	}
	# backends know the index already, which a client's new session has to ask for
	costs_no_more "$(costs_of "$name" pgbouncer)" "$costs" || {
		echo "# $name directly:          $costs"
		echo "# $name through pgbouncer: $(costs_of "$name" pgbouncer)"
		return 1
	}
	[[ $line == *"| $lists $costs"* ]] || {
		echo "# docs/clients.md says: $line"
		echo "# but what was found:   | $name $version | $lists $costs"
		psql -XqAtc "SELECT format('#   %s: %s', question, paths) FROM asked WHERE client = '$name' AND via = 'direct'"
		return 1
	}
	cell=${line%%"| $lists $costs"*}
	[[ ", ${cell#"| $name "}" =~ [\ ,]"$version"[\ ,] ]] || {
		echo "# docs/clients.md has not heard of $name $version"
		[ ! -e "$HERE/$name/client.mjs" ]
	}
}

clients=("$@")
[ $# -gt 0 ] || mapfile -t clients < <(cd $HERE && ls -d */client.* | sed 's,/.*,,' | grep -vx lib | sort -u)
if compgen -G "$HERE/*/client.mjs" >/dev/null && ls "${clients[@]/#/$HERE/}" | grep -q 'client\.mjs'; then
	npm_packages $HERE "the clients' packages"
	case $? in
		1) failed=1 ;;
		2) mapfile -t clients < <(for name in "${clients[@]}"; do [ -e "$HERE/$name/client.mjs" ] || echo "$name"; done) ;;
	esac
fi
start || {
	echo "not ok 0 - the servers start"
	echo "0 passed, 1 failed"
	exit 1
}
for name in "${clients[@]}"; do
	if [ -e "$HERE/$name/needs.sh" ] && ! reason=$(bash "$HERE/$name/needs.sh" 2>&1); then
		echo "# left out: $name: $reason"
		continue
	fi
	began=$SECONDS
	run_client "$name" direct
	run_client "$name" pgbouncer
	check "the table says what $name's questions cost" table_is_right "$name"
	echo "# $name took $((SECONDS - began)) s"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
