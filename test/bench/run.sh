#!/usr/bin/env bash
#
# Benchmarks, each measured side by side in one run and told as a ratio:
#
#	test/bench/run.sh			all
#	test/bench/run.sh NAME...	some: the names of the scripts beside this one
#
# Installs what is missing here for them (test/install.sh), and builds.
# Lines "bench NAME ratio R target T met|missed" sum up; nothing fails by time.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
test/install.sh bench || exit
PG_CONFIG=$(test/pg_config.sh --path) || exit
export PG_CONFIG
as=()
[ -w "$("$PG_CONFIG" --pkglibdir)" ] || [ "$(id -u)" = 0 ] || as=(sudo)
make -s "PG_CONFIG=$PG_CONFIG" && "${as[@]}" make -s install "PG_CONFIG=$PG_CONFIG" && make -s -C test/server || exit
if [ $# = 0 ]; then
	for script in test/bench/*.sh; do
		name=$(basename "$script" .sh)
		[ "$name" = run ] || set -- "$@" "$name"
	done
fi
for name in "$@"; do
	if [ ! -e "test/bench/$name.sh" ]; then
		printf 'no benchmark %s\n' "$name" >&2
		exit 2
	fi
	printf '== %s\n' "$name"
	bash "test/bench/$name.sh"
done
