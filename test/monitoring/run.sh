#!/usr/bin/env bash
#
# deploy/monitoring, as it runs: promtool's checks and the rules' own tests, the
# dashboard against Grafana's types, and then the real exporter and the real
# Prometheus on loopback (watch.pl).
#
#	test/monitoring/run.sh
#
# PICTURES=docs draws what each panel of the dashboard shows into that directory
# (needs gnuplot).  The last line is the sum.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PWD/test/.tools/usr/bin:$PATH
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

# It says what it counts, and what of it failed.
sum_up() {
	passed=$((passed + $(grep -cE '^ok [0-9]' <<<"$1")))
	failed=$((failed + $(grep -cE '^not ok [0-9]' <<<"$1")))
}

compile_dashboard() {
	local dir
	dir=$(mktemp -d)
	{
		echo 'import type { Dashboard } from "@grafana/schema";'
		printf 'export const dashboard: Partial<Dashboard> & Pick<Dashboard, "title"> = '
		cat deploy/monitoring/dashboard.json
	} >"$dir/dashboard.ts"
	ln -s "$PWD/test/monitoring/node_modules" "$dir/node_modules"
	node test/monitoring/node_modules/typescript/bin/tsc --noEmit --strict --skipLibCheck --moduleResolution bundler --module esnext \
		--target esnext "$dir/dashboard.ts"
	local status=$?
	rm -rf "$dir"
	return $status
}

for program in promtool prometheus prometheus-postgres-exporter; do
	command -v "$program" >/dev/null || {
		echo "$program is missing: test/install.sh check brings it"
		exit 1
	}
done
check 'configuration' promtool check config --syntax-only deploy/monitoring/prometheus.yml
check 'alert rules' promtool check rules deploy/monitoring/alerts.yml
check 'tests of the rules' promtool test rules deploy/monitoring/alerts_test.yml
(cd test/monitoring && npm ci --silent --no-audit --no-fund >/dev/null 2>&1) || echo "Grafana's types cannot be installed"
check "the dashboard by Grafana's types" compile_dashboard

output=$(perl test/monitoring/watch.pl 2>&1)
status=$?
printf '%s\n' "$output" | grep -vE '^ok [0-9]'
sum_up "$output"
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
