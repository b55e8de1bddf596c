# two_builds.sh
#	Two builds of the extension side by side: that of this tree and that of an
#	older commit, each in a PostgreSQL server of its own, for scripts that have
#	sourced test/cluster.sh and called cluster_begin:
#
#	two_builds COMMIT [LINE...]	build COMMIT, and start both servers, with lines for
#								postgresql.conf
#	on base|tree COMMAND...		run a command with one of the servers as psql's
#	stop_both					stop the servers, so that single-user mode may follow
#	single_user_instructions base|tree FILE
#								instructions of a backend alone, by callgrind, for a file
#								of statements, one a line
#
# COMMIT is installed into a copy of the PostgreSQL in $CLUSTER_DIR; nothing else
# changes.  A clone without history does not have it.

two_builds() {
	local commit=$1 source=$CLUSTER_DIR/base/source copy=$CLUSTER_DIR/base base_config headers
	shift
	git cat-file -e "$commit^{commit}" 2>/dev/null || {
		echo "commit $commit is not in this clone: git fetch --unshallow" >&2
		return 1
	}
	mkdir -p "$source"
	git archive "$commit" | tar -x -C "$source"
	cp -aL --parents "$("$PG_CONFIG" --bindir)" "$("$PG_CONFIG" --pkglibdir)" "$("$PG_CONFIG" --sharedir)" "$copy" 2>/dev/null || true
	base_config=$copy$("$PG_CONFIG" --bindir)/pg_config
	chmod -R a+rX "$copy"
	headers=$("$base_config" --includedir-server)
	mkdir -p "$(dirname "$headers")"
	ln -s "$("$PG_CONFIG" --includedir-server)" "$headers"
	make -s -C "$source" "PG_CONFIG=$base_config" with_llvm=no
	make -s -C "$source" "PG_CONFIG=$base_config" with_llvm=no install
	(PG_CONFIG=$base_config CLUSTER_DATA=data_base CLUSTER_PGPORT=5433 && cluster_postgres "$@") || return
	cluster_postgres "$@"
}

on() {
	local port=5432
	[ "$1" = tree ] || port=5433
	shift
	PGPORT=$port "$@"
}

stop_both() {
	local data
	for data in data data_base; do
		"${cluster_as[@]}" pg_ctl -D "$CLUSTER_DIR/$data" -m fast -w stop >/dev/null
	done
}

single_user_instructions() { # BUILD FILE
	local bindir data=$CLUSTER_DIR/data
	bindir=$("$PG_CONFIG" --bindir)
	if [ "$1" = base ]; then
		bindir=$CLUSTER_DIR/base$bindir
		data=$CLUSTER_DIR/data_base
	fi
	"${cluster_as[@]}" valgrind --tool=callgrind "--callgrind-out-file=$CLUSTER_DIR/callgrind.$1" \
		"$bindir/postgres" --single -D "$data" postgres <"$2" >"$CLUSTER_DIR/single.out" 2>&1 ||
		cat "$CLUSTER_DIR/single.out" >&2
	! grep ERROR "$CLUSTER_DIR/single.out" >&2
	sed -n 's/^summary: \([0-9]*\).*/\1/p' "$CLUSTER_DIR/callgrind.$1"
}
