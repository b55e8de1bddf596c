# cluster.sh
#	A private PostgreSQL cluster and a pinecone-local in a temporary directory,
#	for scripts that source this file:
#
#	source test/cluster.sh
#	cluster_begin				make $CLUSTER_DIR; remove it again when the script exits
#	cluster_postgres [LINE...]	start PostgreSQL, with lines for postgresql.conf
#	cluster_pinecone [ARG...]	start pinecone-local, with more arguments
#	cluster_pgbouncer			start pgbouncer in front of PostgreSQL, in transaction mode
#	cluster_end					stop all and remove the directory (the exit trap does it)
#
# cluster_postgres exports PGHOST, PGPORT, PGUSER and PGDATABASE, and puts the
# programs of this PostgreSQL first on the PATH.  cluster_pinecone exports
# PINECONE_LOCAL_PORT, PINECONE_LOCAL_URL (of its control plane) and
# PINECONE_LOCAL_KEY.  cluster_pgbouncer sets CLUSTER_BOUNCER_PORT, of 127.0.0.1; it has
# three backends a database, and what follows each other goes to another of them.
# PG_CONFIG chooses the PostgreSQL.
#
# PINECONE_LOCAL_ARGS are arguments for each pinecone-local that is started, and
# how suites run with other ones: --small-limits, --approximate SEED.
#
# PINECONE_LOCAL is the program, if it is not the one that is built here.
# CLUSTER_TEMPLATES is a directory for data directories as initdb leaves them, which
# the servers' user can write to: initdb then runs once for each PostgreSQL.
# CLUSTER_STOP is how PostgreSQL is stopped, instead of "immediate"; CLUSTER_LOGS
# a file that gets the logs of all servers when they end.
#
# PostgreSQL listens on a socket in the directory alone, pinecone-local on free
# ports of the loopback interface.  Both run as the user who runs the script;
# for root, who may not run PostgreSQL, as "postgres" or else "nobody".  The
# directory is made in TMPDIR, or in /tmp.  To leave them running, forget the
# trap (trap - EXIT) and keep $CLUSTER_DIR: cluster_end with CLUSTER_DIR set
# stops them from any other script.

CLUSTER_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CLUSTER_PGPORT=5432
CLUSTER_DATA=data # of the server that cluster_postgres starts; a script may start others
CLUSTER_MAX_SOCKET=107 # by law of Linux
cluster_as=() # the command in front of server processes

cluster_user() {
	getent passwd postgres >/dev/null && echo postgres || echo nobody
}

cluster_set_user() {
	local user
	cluster_as=()
	if [ "$(id -u)" = 0 ]; then
		user=$(cluster_user)
		cluster_as=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --init-groups)
	fi
	# Where "." may be closed to that user, and HOME too
	cluster_as+=(env -C "$CLUSTER_DIR" "HOME=$CLUSTER_DIR")
}

cluster_begin() {
	PG_CONFIG=$("$CLUSTER_SOURCE/test/pg_config.sh" --path) || return
	export PG_CONFIG
	CLUSTER_DIR=$(cd "${TMPDIR:-/tmp}" && mktemp -d "$PWD/pinecone_fdw.XXXXXX") || return
	export CLUSTER_DIR
	trap cluster_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ "$(id -u)" != 0 ] || chown "$(cluster_user):" "$CLUSTER_DIR"
	cluster_set_user
	cluster_check_directory
}

cluster_check_directory() {
	local socket=$CLUSTER_DIR/.s.PGSQL.$CLUSTER_PGPORT
	if [ "$(LC_ALL=C && echo "${#socket}")" -gt "$CLUSTER_MAX_SOCKET" ]; then
		echo "PostgreSQL's socket would be \"$socket\", and a socket's path can have $CLUSTER_MAX_SOCKET bytes: set TMPDIR to a directory of a shorter name" >&2
		return 1
	fi
	"${cluster_as[@]}" true || {
		echo "the user of the test servers cannot enter \"$CLUSTER_DIR\": set TMPDIR to a directory where all users can" >&2
		return 1
	}
}

# Copied where one was made before, as initdb takes a second
cluster_initdb() { # BINDIR
	local data=$CLUSTER_DIR/$CLUSTER_DATA template=
	[ ! -d "${CLUSTER_TEMPLATES:-}" ] || template=$CLUSTER_TEMPLATES/${1//\//_}
	if [ -n "$template" ] && [ -d "$template" ]; then
		"${cluster_as[@]}" cp -r "$template" "$data"
		return
	fi
	"${cluster_as[@]}" "$1/initdb" -D "$data" -U postgres -A trust --no-sync \
		--no-locale -E UTF8 >"$CLUSTER_DIR/initdb.log" 2>&1 || {
		cat "$CLUSTER_DIR/initdb.log" >&2
		return 1
	}
	[ -z "$template" ] || {
		# renamed when it is whole; another may have been faster
		"${cluster_as[@]}" cp -r "$data" "$template.$$" && "${cluster_as[@]}" mv -T "$template.$$" "$template" 2>/dev/null ||
			"${cluster_as[@]}" rm -rf "$template.$$"
	}
}

cluster_postgres() {
	local bindir
	bindir=$("$PG_CONFIG" --bindir)
	export PATH=$bindir:$PATH
	export PGHOST=$CLUSTER_DIR PGPORT=$CLUSTER_PGPORT PGUSER=postgres PGDATABASE=postgres
	unset PGSERVICE PGSERVICEFILE PGPASSWORD PGOPTIONS PGSSLMODE PGHOSTADDR

	cluster_initdb "$bindir" || return
	"${cluster_as[@]}" tee -a "$CLUSTER_DIR/$CLUSTER_DATA/postgresql.conf" >/dev/null <<-END
		listen_addresses = ''
		unix_socket_directories = '$CLUSTER_DIR'
		port = $PGPORT
		fsync = off
		max_connections = 50
		shared_buffers = 64MB
		log_line_prefix = '%m [%p] '
		$(printf '%s\n' "$@")
	END
	"${cluster_as[@]}" "$bindir/pg_ctl" -D "$CLUSTER_DIR/$CLUSTER_DATA" -l "$CLUSTER_DIR/${CLUSTER_DATA/#data/postgres}.log" -w start \
		>/dev/null 2>&1 || {
		cat "$CLUSTER_DIR/${CLUSTER_DATA/#data/postgres}.log" >&2
		return 1
	}
}

cluster_pinecone() {
	local pid port_file=$CLUSTER_DIR/pinecone.port
	export PINECONE_LOCAL_KEY=${PINECONE_LOCAL_KEY:-test-key} PINECONE_LOCAL_ARGS=${PINECONE_LOCAL_ARGS:-}

	# shellcheck disable=SC2086 # several arguments
	# A copy, for the user it runs as may not reach the original
	install -m 755 "${PINECONE_LOCAL:-$CLUSTER_SOURCE/test/server/pinecone-local}" "$CLUSTER_DIR/pinecone-local"
	rm -f "$port_file"
	"${cluster_as[@]}" "$CLUSTER_DIR/pinecone-local" --port 0 --port-file "$port_file" \
		--api-key "$PINECONE_LOCAL_KEY" "$@" $PINECONE_LOCAL_ARGS >>"$CLUSTER_DIR/pinecone.log" 2>&1 </dev/null &
	pid=$!
	disown "$pid"
	echo "$pid" >"$CLUSTER_DIR/pinecone.pid"

	for _ in $(seq 600); do
		if [ -s "$port_file" ]; then
			PINECONE_LOCAL_PORT=$(head -n 1 "$port_file")
			export PINECONE_LOCAL_PORT PINECONE_LOCAL_URL=http://127.0.0.1:$PINECONE_LOCAL_PORT
			return
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	cat "$CLUSTER_DIR/pinecone.log" >&2
	echo "pinecone-local did not start" >&2
	return 1
}

cluster_free_port() {
	perl -MIO::Socket::IP -e 'print IO::Socket::IP->new(Listen => 1, LocalHost => "127.0.0.1")->sockport'
}

# A backend is started when none is idle.
cluster_fill_pool() { # [SQL]
	local pids=() together="
		SELECT pg_advisory_xact_lock_shared(3);
		DO \$\$ BEGIN
			FOR i IN 1..1000 LOOP
				EXIT WHEN (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3) = 3;
				PERFORM pg_sleep(0.01);
			END LOOP;
			PERFORM pg_sleep(0.2);
		END \$\$;"
	for _ in 1 2 3; do
		PGHOST=127.0.0.1 PGPORT=$CLUSTER_BOUNCER_PORT psql -XqAtc "BEGIN; $together ${1:-SELECT 1}; COMMIT" >/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
}

cluster_pgbouncer() {
	local program pid
	program=$(PATH=$PATH:/usr/sbin:$CLUSTER_SOURCE/test/.tools/usr/sbin command -v pgbouncer) || {
		echo "pgbouncer is missing: test/install.sh check brings it" >&2
		return 1
	}
	CLUSTER_BOUNCER_PORT=$(cluster_free_port)
	echo "\"$PGUSER\" \"\"" >"$CLUSTER_DIR/users.txt"
	cat >"$CLUSTER_DIR/pgbouncer.ini" <<-END
		[databases]
		* = host=$CLUSTER_DIR port=$PGPORT
		[pgbouncer]
		listen_addr = 127.0.0.1
		listen_port = $CLUSTER_BOUNCER_PORT
		unix_socket_dir =
		auth_type = trust
		auth_file = $CLUSTER_DIR/users.txt
		pool_mode = transaction
		default_pool_size = 3
		server_round_robin = 1
		ignore_startup_parameters = extra_float_digits, options
	END
	LD_LIBRARY_PATH=$(echo "$CLUSTER_SOURCE"/test/.tools/usr/lib/*-linux-gnu) \
		"${cluster_as[@]}" "$program" "$CLUSTER_DIR/pgbouncer.ini" >"$CLUSTER_DIR/pgbouncer.log" 2>&1 </dev/null &
	pid=$!
	disown "$pid"
	echo "$pid" >"$CLUSTER_DIR/pgbouncer.pid"
	for _ in $(seq 200); do
		if PGHOST=127.0.0.1 PGPORT=$CLUSTER_BOUNCER_PORT psql -XqAtc 'SELECT' >/dev/null 2>&1; then
			cluster_fill_pool
			return
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	cat "$CLUSTER_DIR/pgbouncer.log" >&2
	echo "pgbouncer did not start" >&2
	return 1
}

cluster_end() {
	local status=$? pid running
	if [ -n "${CLUSTER_DIR:-}" ] && [ -d "$CLUSTER_DIR" ]; then
		[ ${#cluster_as[@]} -gt 0 ] || cluster_set_user
		for running in pgbouncer pinecone; do
			if [ -s "$CLUSTER_DIR/$running.pid" ]; then
				pid=$(cat "$CLUSTER_DIR/$running.pid")
				kill "$pid" 2>/dev/null || true
			fi
		done
		for running in "$CLUSTER_DIR"/*/postmaster.pid; do
			[ ! -e "$running" ] ||
				"${cluster_as[@]}" "$("$PG_CONFIG" --bindir)/pg_ctl" -D "$(dirname "$running")" -m "${CLUSTER_STOP:-immediate}" -w stop >/dev/null 2>&1 || true
		done
		[ -z "${CLUSTER_LOGS:-}" ] || cat "$CLUSTER_DIR"/*.log >>"$CLUSTER_LOGS"
		rm -rf "$CLUSTER_DIR"
	fi
	unset CLUSTER_DIR
	return "$status"
}
