#!/usr/bin/env bash
#
# The images of deploy/docker where no container can be run: the steps of both
# Dockerfiles in chroots of Debian 12, stage by stage, and then what is in them:
# the extension in PostgreSQL 15 (Debian's, in place of the official image) reads
# and writes the pinecone-local of the other image.
#
#	test/deploy/image.sh
#
# Needs root and mmdebstrap; takes some minutes.  MIRROR is the Debian mirror, by
# default the one of this machine's apt.  The last line is the sum.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
DIR=$(mktemp -d)
passed=0
failed=0
pids=()

leave() {
	local pid
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait
	rm -rf --one-file-system "$DIR"
}
trap leave EXIT

result() { # WHAT STATUS
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $1"
	else
		failed=$((failed + 1))
		echo "not ok - $1"
	fi
}

# What Dockerfiles begin with; the official image of PostgreSQL says PG_MAJOR
make_bases() {
	local mirror options
	mirror=${MIRROR:-$(test/apt_mirror.sh)}
	# a mirror may be a snapshot: the signatures are checked, not their age
	options=(--mode=root --variant=apt --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"')
	mmdebstrap --quiet "${options[@]}" bookworm "$DIR/debian" "$mirror"
	mmdebstrap --quiet "${options[@]}" --include=postgresql-15 bookworm "$DIR/postgres" "$mirror"
	ln -sf /usr/lib/postgresql/15/bin/* "$DIR/postgres/usr/local/bin/"
}

# The steps of a Dockerfile; the last stage becomes $DIR/NAME.
build() { # NAME DOCKERFILE BASE
	local name=$1 base=$3 stage='' root='' line directory=/ words from to
	while IFS= read -r line; do
		read -ra words <<<"$line"
		case ${words[0]:-} in
			FROM)
				stage=${words[3]:-final}
				root=$DIR/$name.$stage
				cp -a "$DIR/$base" "$root"
				directory=/
				;;
			RUN)
				env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive PG_MAJOR=15 \
					chroot "$root" sh -ec "cd $directory; ${line#RUN }" >"$DIR/log" 2>&1 || {
					tail -n 20 "$DIR/log"
					return 1
				}
				;;
			COPY)
				if [[ ${words[1]} = --from=* ]]; then
					from=$DIR/$name.${words[1]#--from=}${words[2]}
					to=$root${words[3]}
					if [ -d "$from" ]; then cp -a "$from/." "$to"; else cp -a "$from" "$to"; fi
				else
					mkdir -p "$root${words[2]}"
					git archive HEAD | tar -x -C "$root${words[2]}"
				fi
				;;
			WORKDIR) directory=${words[1]} ;;
			ARG | LABEL | USER | EXPOSE | HEALTHCHECK | CMD | ENTRYPOINT) ;;
			'' | '#'*) ;;
			*)
				echo "unknown step: $line"
				return 1
				;;
		esac
	done < <(grep -v '^#' "$2" | sed -e ':a' -e '/\\$/N; s/\\\n//; ta')
	mv "$DIR/$name.final" "$DIR/$name"
}

as_user() { # ROOT USER COMMAND...
	chroot --userspec="$2" "$1" env -i PATH=/usr/local/bin:/usr/bin:/bin PGHOST=/tmp PGUSER=postgres "${@:3}"
}

make_bases || exit
status=0
build extension deploy/docker/postgres.Dockerfile postgres || status=$?
result 'steps of postgres.Dockerfile' $status
status=0
build local deploy/docker/pinecone-local.Dockerfile debian || status=$?
result 'steps of pinecone-local.Dockerfile' $status
[ "$failed" = 0 ] || exit 1

for root in extension local; do
	mkdir -p "$DIR/$root/dev" && mount --bind /dev "$DIR/$root/dev"
	[ ! -d "$DIR/$root/usr/include/postgresql" ] && [ ! -x "$DIR/$root/usr/bin/gcc" ]
	result "$root: no compiler in the last stage" $?
done
trap 'umount "$DIR/extension/dev" "$DIR/local/dev"; leave' EXIT

as_user "$DIR/local" 10001 pinecone-local --port 0 --port-file /tmp/port --api-key local-key --index movies:4:cosine >/dev/null 2>&1 &
pids+=($!)
for _ in $(seq 100); do
	[ -s "$DIR/local/tmp/port" ] && break
	sleep 0.1
done
port=$(cat "$DIR/local/tmp/port")
status=0
as_user "$DIR/local" 10001 curl -fsS -o /dev/null "http://127.0.0.1:$port/_local/settings" || status=$?
result 'pinecone-local is healthy, as a user without rights' $status

as_user "$DIR/extension" postgres initdb -D /tmp/data >/dev/null
as_user "$DIR/extension" postgres postgres -D /tmp/data -c shared_preload_libraries=pinecone_fdw -c listen_addresses= -c unix_socket_directories=/tmp >/dev/null 2>&1 &
pids+=($!)
for _ in $(seq 100); do
	as_user "$DIR/extension" postgres pg_isready -q && break
	sleep 0.1
done
status=0
sed "s|http://pinecone:5080|http://127.0.0.1:$port|" deploy/compose/setup.sql | as_user "$DIR/extension" postgres psql -qX -v ON_ERROR_STOP=1 || status=$?
result 'the extension writes to it' $status
found=$(as_user "$DIR/extension" postgres psql -qXAtc "SELECT title FROM movies ORDER BY embedding <=> '{0,1,0,0}' LIMIT 1")
status=0
[ "$found" = 'Blade Runner' ] || status=1
result 'and searches it' $status

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
