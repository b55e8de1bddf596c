#!/usr/bin/env bash
#
# What users install: files of "make install" and of Debian's packages, what the
# module exports, what META.json says, and what is left behind.
#
#	test/package/run.sh
#
# The Debian packages are built in a copy, and unpacked over a private PostgreSQL
# (links to the one in /usr/lib/postgresql), where the extension talks to the packaged
# pinecone-local.  test/package/chroot.sh installs and removes them for real.
# Wants the tree built.  Prints TAP.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
# shellcheck source=test/cluster.sh
source test/cluster.sh
tests=0
status=0

result() { # STATUS WHAT
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		status=1
	fi
}

# Nothing is printed by what follows, or else it is shown and fails
silent() { # WHAT COMMAND...
	local what=$1 output
	shift
	output=$("$@" 2>&1)
	[ -z "$output" ]
	result $? "$what"
	[ -z "$output" ] || head -n 20 <<<"$output" | sed 's/^/# /'
}

# Files of this tree, without what builds have left
files_of_tree() {
	if [ -e .git ]; then
		git ls-files --cached --others --exclude-standard
	else
		find . -type f -printf '%P\n' | grep -vE '\.(o|so|bc)$|node_modules/'
	fi | while IFS= read -r file; do [ ! -e "$file" ] || echo "$file"; done | sort
}

everything_in() {
	(cd "$1" && find . ! -path './.git/*' | sort)
}

# ---- make install, uninstall ----

install_and_uninstall() {
	local into=$CLUSTER_DIR/installed
	make -s install DESTDIR="$into" >"$log" 2>&1 || cat "$log"
	[ -e "$into$("$PG_CONFIG" --pkglibdir)/pinecone_fdw.so" ] || echo "the module was not installed"
	[ -e "$into$("$PG_CONFIG" --sharedir)/extension/pinecone_fdw.control" ] || echo "the control file was not installed"
	make -s uninstall DESTDIR="$into" >"$log" 2>&1 || cat "$log"
	find "$into" ! -type d
}

# ---- What is exported ----

exports() {
	local module
	module=$("$PG_CONFIG" --pkglibdir)/pinecone_fdw.so
	{
		printf '%s\n' Pg_magic_func _PG_init pinecone_launcher_main pinecone_worker_main
		sed -nE 's/^PG_FUNCTION_INFO_V1\((\w+)\);$/\1\npg_finfo_\1/p' src/*.c src/*/*.c
	} | sort >"$CLUSTER_DIR/wanted"
	nm -D --defined-only "$module" | awk '{ print $3 }' | sort | diff "$CLUSTER_DIR/wanted" -
}

# ---- Debian packages ----

build_packages() {
	(
		cd "$copy" && unset MAKEFLAGS PG_CONFIG
		pg_buildext updatecontrol &&
			DEB_BUILD_OPTIONS="noautodbgsym parallel=$(nproc)" dpkg-buildpackage -b -us -uc && git status --porcelain >"$CLUSTER_DIR/left" && debian/rules clean
	) >"$log" 2>&1 || {
		tail -n 30 "$log"
		return 1
	}
}

# Paths of a package that no rule names
strange_paths() { # PACKAGE
	local module="/usr/lib/postgresql/[0-9]+/lib/(pinecone_fdw\.so|bitcode/pinecone_fdw(\.index\.bc|/src/.*\.bc))"
	local script='/usr/share/postgresql/[0-9]+/extension/pinecone_fdw(\.control|--[0-9.]+(--[0-9.]+)?\.sql)'
	local document="/usr/share/doc/$1/.*"
	local paths
	case $1 in
		pinecone-local) paths="/usr/bin/pinecone-local|/usr/share/man/man1/pinecone-local\.1\.gz|/etc/default/pinecone-local|(/usr)?/lib/systemd/system/pinecone-local\.service" ;;
		*) paths="$module|$script" ;;
	esac
	dpkg-deb --fsys-tarfile "$CLUSTER_DIR/$1"_*.deb | tar -t | sed 's/^\.//' | grep -v '/$' | grep -vE "^($paths|$document)$"
}

# A PostgreSQL whose files are those that are installed, but for the extension's
private_postgres() { # MAJOR
	local directory
	for directory in "usr/lib/postgresql/$1" "usr/share/postgresql/$1"; do
		mkdir -p "$root/$directory" && cp -rsT "/$directory" "$root/$directory" || return
	done
	(cd "$root" && find . -path '*pinecone_fdw*' ! -type d -delete)
	# they look for the others from where they are
	rm "$root/usr/lib/postgresql/$1/bin"/* && cp "/usr/lib/postgresql/$1/bin"/* "$root/usr/lib/postgresql/$1/bin"
}

query() {
	psql -qXAt -v ON_ERROR_STOP=1 "$@" 2>&1
}

try_installed() {
	query <<-END
		CREATE EXTENSION pinecone_fdw;
		CREATE SERVER local FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (index 'movies', control_host '$PINECONE_LOCAL_URL');
		CREATE USER MAPPING FOR CURRENT_USER SERVER local OPTIONS (api_key '$PINECONE_LOCAL_KEY');
		CREATE FOREIGN TABLE movies (id text, embedding real[], year int) SERVER local OPTIONS (namespace 'm');
		INSERT INTO movies VALUES ('a', '{1,0,0}', 1990), ('b', '{0,1,0}', 2000), ('c', '{0,1,1}', 2010);
		SELECT id FROM movies WHERE year > 1995 ORDER BY embedding <=> '{0,1,2}' LIMIT 2;
	END
}

# Code that the server inlines finds what is in the module
try_inlined() {
	query <<-END
		CREATE TABLE rows AS SELECT ARRAY[i, i + 1, 2]::real[] AS v, jsonb_build_object('a', i) AS j, i::float8 AS m FROM generate_series(1, 5) i;
		CREATE TEMP TABLE plain AS SELECT v <=> '{1,2,3}' AS a, v <-> '{1,2,3}' AS b, v <#> '{1,2,3}' AS c, pinecone_match(j, '{"a": {"\$gt": 3}}') AS d FROM rows;
		SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0;
		SELECT count(*) FROM (SELECT v <=> '{1,2,3}', v <-> '{1,2,3}', v <#> '{1,2,3}', pinecone_match(j, '{"a": {"\$gt": 3}}') FROM rows EXCEPT SELECT * FROM plain) x;
		SELECT huf_hhi(m) BETWEEN 0 AND 1 AND huf_entropy(m) > 0 AND huf_mrl(v) > 0 FROM rows;
	END
}

cluster_begin || exit
log=$CLUSTER_DIR/log
copy=$CLUSTER_DIR/copy
root=$CLUSTER_DIR/root

mapfile -t files < <(files_of_tree)
test/package/meta.pl "${files[@]}" >"$log" 2>&1
result $? 'META.json'
grep -A5 '^not ok' "$log"
silent 'make uninstall leaves no file of make install' install_and_uninstall
silent 'the module exports what is looked up by name' exports

[ -e .git ] || {
	echo "# left out: Debian packages, for this is no checkout"
	echo "1..$tests"
	exit "$status"
}
for command in dpkg-buildpackage pg_buildext dh help2man git; do
	command -v "$command" >/dev/null || {
		echo "# left out: Debian packages, for want of $command"
		echo "1..$tests"
		exit "$status"
	}
done

mkdir "$copy" && tar -c --null -T <(printf '%s\0' "${files[@]}") | tar -x --no-same-owner -C "$copy"
(cd "$copy" && git init -q && git add -A && git -c user.name=x -c user.email=x@localhost commit -qm 'as it stands')
everything_in "$copy" >"$CLUSTER_DIR/before"
(cd "$copy" && make -s dist) && silent 'make dist has all files, and no other' diff <(printf '%s\n' "${files[@]}") \
	<(python3 -m zipfile -l "$copy"/pinecone_fdw-*.zip | awk 'NR > 1 && $1 !~ /\/$/ { sub("^[^/]*/", "", $1); print $1 }' | sort)
rm -f "$copy"/*.zip
build_packages
result $? 'Debian packages are built'
[ "$status" = 0 ] || exit 1
silent 'git sees none of what a build makes' grep -v ' debian/control$' "$CLUSTER_DIR/left"
silent 'make clean leaves nothing' diff "$CLUSTER_DIR/before" <(everything_in "$copy")
if command -v lintian >/dev/null; then
	silent 'lintian has no errors and no warnings' lintian --allow-root --tag-display-limit 0 --display-level '>=warning' "$CLUSTER_DIR"/*.changes
else
	echo "# left out: lintian is not here"
fi
mapfile -t packages < <(cd "$CLUSTER_DIR" && ls ./*.deb | sed 's|^\./||; s/_.*//')
for package in "${packages[@]}"; do
	silent "$package has nothing that does not belong there" strange_paths "$package"
done

# ---- Installed ----

chmod 755 "$CLUSTER_DIR"
for package in "${packages[@]}"; do
	major=${package#postgresql-}
	major=${major%-pinecone-fdw}
	[ "$major" != "$package" ] && [ -x "/usr/lib/postgresql/$major/bin/initdb" ] || continue
	private_postgres "$major" && dpkg-deb -x "$CLUSTER_DIR/$package"_*.deb "$root" && dpkg-deb -x "$CLUSTER_DIR"/pinecone-local_*.deb "$root"
	PG_CONFIG=$root/usr/lib/postgresql/$major/bin/pg_config PINECONE_LOCAL=$root/usr/bin/pinecone-local
	cluster_postgres && cluster_pinecone --index movies:3:cosine || {
		result 1 "PostgreSQL $major starts"
		break
	}
	result 0 "PostgreSQL $major with the packaged module, and the packaged pinecone-local"
	silent 'a search' diff <(printf 'c\nb\n') <(try_installed)
	silent 'code that is inlined' diff <(printf '0\nt\n') <(try_inlined)
	query -c 'DROP EXTENSION pinecone_fdw CASCADE' >/dev/null 2>&1
	test/package/upgrade.pl "$root/usr/share/postgresql/$major/extension" "$root/usr/lib/postgresql/$major/lib/pinecone_fdw.so" >"$log" 2>&1
	result $? "updates of the extension ($(grep -c '^ok' "$log") tests)"
	grep -A8 '^not ok' "$log"
	break
done
echo "1..$tests"
exit "$status"
