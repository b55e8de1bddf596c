# copy.sh
#	A copy of the source in a temporary directory, and a PostgreSQL of its own that
#	is links to the one of PG_CONFIG, for scripts that build another extension than
#	the one that is installed:
#
#	source test/copy.sh
#	copy_begin NAME		make $COPY_DIR; remove it again when the script exits
#	copy_postgres		make the PostgreSQL; PG_CONFIG, exported, is its own
#	copy_source			copy the source, and go there
#	copy_choose WHAT...	set COPY_SUITES to what check.sh is to run in the copy: suites, and
#						files of test/t and test/random, which others are removed for

copy_begin() {
	COPY_DIR=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX") || return
	trap 'rm -rf "$COPY_DIR"' EXIT
	chmod 755 "$COPY_DIR"
	export CCACHE_BASEDIR=$COPY_DIR # where there is ccache: the next copy is another directory
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

copy_choose() {
	local what file chosen=()
	COPY_SUITES=()
	for what; do
		case $what in
			test/t/*.pl) COPY_SUITES+=(tap) && chosen+=("$what") ;;
			test/random/*.*) COPY_SUITES+=(random) && chosen+=("$what") ;;
			*) COPY_SUITES+=("$what") && continue ;;
		esac
		[ -e "$what" ] || {
			echo "there is no file \"$what\"" >&2
			return 1
		}
	done
	mapfile -t COPY_SUITES < <(printf '%s\n' "${COPY_SUITES[@]}" | awk '!seen[$0]++')
	[ ${#chosen[@]} = 0 ] || for file in test/t/[0-9]*.pl test/random/*.*; do
		[[ " ${chosen[*]} " == *" $file "* ]] || rm "$file"
	done
}
