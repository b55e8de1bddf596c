#!/usr/bin/env bash
#
# deploy/, as far as it can be tried without a container runtime or a cluster of
# Kubernetes: the chart is rendered (by helm where there is one, else by a
# stand-in, render.go), its manifests are validated by Kubernetes' schemas and
# types, and what its Job runs is run, twice, as are the SQL files of the compose
# example.  image.sh, outside of the suites, runs the steps of the images.
#
#	test/deploy/run.sh
#
# The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh
PATH=$PWD/test/.tools/usr/bin:$PATH
chart=deploy/helm/pinecone-fdw
schema=$chart/values.schema.json
passed=0
failed=0

check() { # WHAT COMMAND...
	local output
	if output=$("${@:2}" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s\nnot ok - %s\n' "$output" "$1"
	fi
}

refused() { # MESSAGE COMMAND...
	local output
	if output=$("${@:2}" 2>&1); then
		echo 'was accepted'
		return 1
	fi
	grep -qF -- "$1" <<<"$output" || {
		printf 'refused, but not with "%s": %s\n' "$1" "$output"
		return 1
	}
}

is() { # EXPECTED GOT
	[ "$1" = "$2" ] || {
		printf 'expected: %s\ngot: %s\n' "$1" "$2"
		return 1
	}
}

render() { # VALUES...
	local file
	if command -v helm >/dev/null; then
		local args=()
		for file in "$@"; do args+=(-f "$file"); done
		helm template test "$chart" "${args[@]}"
	else
		"$CLUSTER_DIR/render" "$chart" "$@"
	fi
}

values() { # TEXT...: a file of them
	printf '%s\n' "$@" >"$CLUSTER_DIR/values.yaml"
	echo "$CLUSTER_DIR/values.yaml"
}

cluster_begin || exit
(cd test/deploy && npm ci --silent --no-audit --no-fund >/dev/null 2>&1) || {
	echo "Kubernetes' schemas cannot be installed"
	exit 1
}
if command -v helm >/dev/null; then
	echo 'rendered by helm'
else
	echo 'rendered by a stand-in for helm'
	# the package of other Debian releases has the version in its path
	cp test/deploy/render.go "$CLUSTER_DIR/render.go"
	[ ! -d /usr/share/gocode/src/github.com/Masterminds/sprig/v3 ] || sed -i 's|Masterminds/sprig"|Masterminds/sprig/v3"|' "$CLUSTER_DIR/render.go"
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$CLUSTER_DIR/go go build -o "$CLUSTER_DIR/render" "$CLUSTER_DIR/render.go" || exit
fi

# ---- The chart ----

check 'values of the chart' node test/deploy/check.mjs --values "$schema" "$chart/values.yaml"
check 'values of the tests' node test/deploy/check.mjs --values "$schema" "$chart/values.yaml" test/deploy/values.yaml
check 'a misspelt value' refused additional node test/deploy/check.mjs --values "$schema" "$chart/values.yaml" "$(values 'replica: {enabled: true}')"
check 'a number that is none' refused integer node test/deploy/check.mjs --values "$schema" "$chart/values.yaml" "$(values 'replicas: {min: two}')"
check 'no password' refused 'auth.password or auth.existingSecret is needed' render
render test/deploy/values.yaml >"$CLUSTER_DIR/all.yaml"
check 'everything on' node test/deploy/check.mjs "$CLUSTER_DIR/all.yaml"
least=$(values 'auth: {existingSecret: a}' 'apiKey: {existingSecret: b}' 'metrics: {enabled: false}' 'networkPolicy: {enabled: false}' 'podDisruptionBudget: {enabled: false}' 'setup: {monitoring: false}')
render "$least" >"$CLUSTER_DIR/least.yaml"
check 'as little as possible' node test/deploy/check.mjs "$CLUSTER_DIR/least.yaml"
check 'and no Secret of its own' is 0 "$(grep -c '^kind: Secret' "$CLUSTER_DIR/least.yaml")"
sed 's/^\( *\)image: postgres/\1imagee: postgres/' "$CLUSTER_DIR/least.yaml" >"$CLUSTER_DIR/wrong.yaml"
check 'the check finds an unknown key' refused imagee node test/deploy/check.mjs "$CLUSTER_DIR/wrong.yaml"
check 'files of the chart are those of deploy/monitoring' cmp "$chart/files/monitoring.sql" deploy/monitoring/monitoring.sql

# ---- What the Job runs ----

cluster_postgres "shared_preload_libraries = 'pinecone_fdw'" >/dev/null || exit
cluster_pinecone --index movies:3:cosine || exit
printf '%s\n' "$PINECONE_LOCAL_KEY" >"$CLUSTER_DIR/api-key"
chmod 600 "$CLUSTER_DIR/api-key"
[ "$(id -u)" != 0 ] || chown "$(cluster_user)" "$CLUSTER_DIR/api-key"
export REPLICATION_PASSWORD="repl'ica" MONITOR_PASSWORD="moni'tor"

# As the Job does, with the files of rendered values
apply() { # VALUES...
	local file
	rm -rf "$CLUSTER_DIR/setup"
	mkdir "$CLUSTER_DIR/setup"
	render test/deploy/values.yaml "$@" >"$CLUSTER_DIR/job.yaml" &&
		node test/deploy/check.mjs --data "$CLUSTER_DIR/job.yaml" test-pinecone-fdw-setup "$CLUSTER_DIR/setup" &&
		sed -i "s|/etc/pinecone/api-key|$CLUSTER_DIR/api-key|" "$CLUSTER_DIR/setup/setup.sql" &&
		psql -qXAt -v ON_ERROR_STOP=1 -d postgres -f "$CLUSTER_DIR/setup/database.sql" &&
		for file in setup monitoring tables; do
			psql -qXAt -v ON_ERROR_STOP=1 -d "app's" -f "$CLUSTER_DIR/setup/$file.sql" || return
		done
}

ask() {
	psql -qXAt -d "app's" -c "$1"
}

options="SELECT string_agg(srvname || ' ' || coalesce(array_to_string(srvoptions, ' '), '-'), '; ' ORDER BY srvname) FROM pg_foreign_server"
first=$(values 'setup:' '  servers:' '    - name: pinecone' "      options: {index: movies, control_host: \"$PINECONE_LOCAL_URL\", rate_limits: \"query 50\"}" "    - {name: 'second \"server', options: {}}")
check 'the Job' apply "$first"
check 'options are those of the values' is "pinecone control_host=$PINECONE_LOCAL_URL index=movies rate_limits=query 50; second \"server -" "$(ask "$options")"
check 'the table can be written' ask "INSERT INTO movies VALUES ('m1', '{1,0,0}', 'Alien')"
check 'and read' is 'm1|Alien' "$(ask 'SELECT id, title FROM movies')"
check 'the Job once more' apply "$first"
check 'nothing has changed' is 'm1|Alien' "$(ask 'SELECT id, title FROM movies')"
second=$(values 'setup:' '  servers:' '    - name: pinecone' "      options: {index: movies, control_host: \"$PINECONE_LOCAL_URL\", request_timeout: \"5s\"}")
check 'with other values' apply "$second"
check 'an option is added, one has gone' is "pinecone control_host=$PINECONE_LOCAL_URL index=movies request_timeout=5s; second \"server -" "$(ask "$options")"
check 'roles have their passwords' is 'pinecone_monitor,replicator' \
	"$(ask "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_authid WHERE rolname IN ('replicator', 'pinecone_monitor') AND rolpassword LIKE 'SCRAM-%'")"
check 'the exporter sees the table' is 'movies' "$(psql -qXAt -d "app's" -U pinecone_monitor -c "SELECT DISTINCT \"table\" FROM pinecone_monitoring.counted() WHERE \"table\" = 'movies'" 2>&1 || true)"

# A key that is rotated is read again, without anything being started anew
rotate() {
	local session out=$CLUSTER_DIR/rotated
	mkfifo "$CLUSTER_DIR/statements"
	psql -qXAt -d "app's" <"$CLUSTER_DIR/statements" >"$out" 2>&1 &
	session=$!
	exec 7>"$CLUSTER_DIR/statements"
	echo 'SELECT count(*) FROM movies WHERE title IS NOT NULL;' >&7
	until grep -q . "$out"; do sleep 0.1; done
	echo wrong-key >"$CLUSTER_DIR/api-key"
	echo 'SELECT count(*) FROM movies WHERE title IS NOT NULL;' >&7
	echo "\\! echo $PINECONE_LOCAL_KEY >$CLUSTER_DIR/api-key" >&7
	echo 'SELECT count(*) FROM movies WHERE title IS NOT NULL;' >&7
	exec 7>&-
	wait "$session"
	grep -q 'API key' "$out" && is 1 "$(tail -n 1 "$out")"
}
check 'a key in the mounted file is rotated in a running session' rotate

# ---- The compose example ----

compose() {
	createdb compose &&
		sed "s|http://pinecone:5080|$PINECONE_LOCAL_URL|; s|local-key|$PINECONE_LOCAL_KEY|; s|real\\[\\], title|real[], title|" deploy/compose/setup.sql >"$CLUSTER_DIR/compose.sql" &&
		curl -fsS -X POST -H "Api-Key: $PINECONE_LOCAL_KEY" -H 'X-Pinecone-API-Version: 2025-10' -H 'Content-Type: application/json' \
			-d '{"name":"films","dimension":4,"metric":"cosine","spec":{"serverless":{"cloud":"aws","region":"us-east-1"}}}' "$PINECONE_LOCAL_URL/indexes" &&
		sed -i "s/index 'movies'/index 'films'/; s/FOR postgres/FOR CURRENT_USER/" "$CLUSTER_DIR/compose.sql" &&
		psql -qX -v ON_ERROR_STOP=1 -d compose -f "$CLUSTER_DIR/compose.sql" -f deploy/monitoring/monitoring.sql -f deploy/compose/monitor.sql
}
check 'the SQL of the compose example' compose
check 'its table' is 'Alien' "$(psql -qXAt -d compose -c "SELECT title FROM movies ORDER BY embedding <=> '{1,0,0,0}' LIMIT 1")"
compose_file() {
	node --input-type=module -e '
		import {createRequire} from "node:module";
		const yaml = createRequire(process.cwd() + "/test/deploy/")("js-yaml");
		const fs = await import("node:fs");
		const {services} = yaml.load(fs.readFileSync("deploy/compose.yaml", "utf8"));
		for (const [name, service] of Object.entries(services)) {
			for (const volume of service.volumes ?? []) {
				const path = volume.split(":")[0];
				if (path.startsWith(".") && !fs.existsSync("deploy/" + path)) throw new Error(`${name}: there is no ${path}`);
			}
			for (const port of service.ports ?? []) if (!port.startsWith("127.0.0.1:")) throw new Error(`${name} listens beyond loopback`);
			if (service.build && !fs.existsSync(service.build.dockerfile)) throw new Error(`${name}: there is no ${service.build.dockerfile}`);
		}'
}
check 'files and ports of the compose example' compose_file
check 'its Prometheus' promtool check config --syntax-only deploy/compose/prometheus.yml

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
