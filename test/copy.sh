# copy.sh
#	A copy of the source in a temporary directory, and a PostgreSQL of its own that
#	is links to the one of PG_CONFIG, for scripts that build another extension than
#	the one that is installed:
#
#	source test/copy.sh
#	copy_begin NAME		make $COPY_DIR; remove it again when the script exits
#	copy_postgres		make the PostgreSQL; PG_CONFIG, exported, is its own
#	copy_source			copy the source, and go there

copy_begin() {
	COPY_DIR=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX") || return
	trap 'rm -rf "$COPY_DIR"' EXIT
	chmod 755 "$COPY_DIR"
}

# The programs find libraries and shared files by where they are themselves
copy_postgres() {
	local of path
	for of in bindir pkglibdir libdir sharedir includedir includedir-server; do
		path=$("$PG_CONFIG" "--$of") || return
		[ -e "$COPY_DIR/pg$path" ] && continue
		mkdir -p "$(dirname "$COPY_DIR/pg$path")"
		case $of in
			bindir) cp -rL "$path" "$COPY_DIR/pg$path" ;;
			libdir) mkdir -p "$COPY_DIR/pg$path" && cp -rs "$path"/libpq* "$COPY_DIR/pg$path" 2>/dev/null ;;
			*) cp -rs "$path" "$COPY_DIR/pg$path" ;;
		esac
	done
	PG_CONFIG=$COPY_DIR/pg$("$PG_CONFIG" --bindir)/pg_config
	export PG_CONFIG
}

copy_source() {
	mkdir "$COPY_DIR/source" &&
		tar -c --exclude='./.*' --exclude=node_modules --exclude='./src/*.o' --exclude='*.bc' --exclude='*.so' \
			--exclude=./results --exclude=./test/.tools/cassert . | tar -x --no-same-owner -C "$COPY_DIR/source" &&
		cd "$COPY_DIR/source"
}
