#!/usr/bin/env bash
#
# A tour of pinecone_fdw on this machine: installs what is missing, builds,
# starts a private PostgreSQL cluster and pinecone-local, loads what
# PostgreSQL's catalog says about its functions, operators, types and settings,
# and shows statements with their results.
#
#	test/demo.sh			tour, then stop everything
#	test/demo.sh --keep		leave it running, and print the psql command
#	test/demo.sh --stop DIR	stop what --keep left running
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
# shellcheck source=test/demo/start.sh
source test/demo/start.sh

keep=
case "${1:-}" in
	'') ;;
	--keep) keep=yes ;;
	--stop)
		CLUSTER_DIR=${2:?give the directory that --keep named}
		[ -d "$CLUSTER_DIR/data" ] || {
			echo "no demo is running in $CLUSTER_DIR" >&2
			exit 1
		}
		PG_CONFIG=$(test/pg_config.sh --path)
		cluster_end
		exit
		;;
	*)
		echo "usage: test/demo.sh [--keep | --stop DIR]" >&2
		exit 2
		;;
esac

say() {
	printf '\n======== %s\n' "$*"
}

as_installer() {
	if [ "$(id -u)" = 0 ] || [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then "$@"; else sudo "$@"; fi
}

say "Install what is missing"
test/install.sh
PG_CONFIG=$(test/pg_config.sh --path)
export PG_CONFIG

say "Build and install pinecone_fdw for $("$PG_CONFIG" --version), build pinecone-local"
make -s "PG_CONFIG=$PG_CONFIG" >/dev/null
as_installer make -s install "PG_CONFIG=$PG_CONFIG" >/dev/null
make -s -C test/server >/dev/null

say "Start PostgreSQL and pinecone-local"
demo_start
echo "PostgreSQL in $CLUSTER_DIR, pinecone-local at $PINECONE_LOCAL_URL with $(wc -l <"$CLUSTER_DIR/catalog.jsonl") records"

say "The embedder"
cat test/demo/embed.sql
echo
"${psql[@]}" -a -v "url=$PINECONE_LOCAL_URL" -v "key=$PINECONE_LOCAL_KEY" -f test/demo/tour.sql 2>&1

if [ -n "$keep" ]; then
	trap - EXIT
	say "Still running"
	echo "Connect:  $(command -v psql) -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE"
	echo "Stop:     test/demo.sh --stop $CLUSTER_DIR"
else
	say "Done; test/demo.sh --keep leaves it running"
fi
