# uploads.sh
#	Large uploads through proxies that speak HTTP/2, as they come with Debian: nginx,
#	nghttpx and haproxy, LATENCY ms away by test/bench/delay.c.  COPY of UPLOADS
#	(20,000) records of 768 dimensions through each takes so many times what it
#	takes through the same proxy when that offers HTTP/1.1 alone; for comparison, what
#	the older build takes (BEFORE=0 leaves it out).  For test/bench/distance.sh.  Proxies
#	that are not installed are left out, too.

upload_pids=()

# The program of a name: installed, or unpacked by test/install.sh
proxy_program() {
	local dir
	for dir in ${PATH//:/ } /usr/sbin "$PWD/test/.tools/usr/sbin"; do
		[ ! -x "$dir/$1" ] || {
			echo "$dir/$1"
			return
		}
	done
	return 1
}

free_port() {
	perl -MIO::Socket::IP -e 'print IO::Socket::IP->new(Listen => 1, LocalHost => "127.0.0.1")->sockport'
}

# Start what is to listen on a port, to be ended by end_proxies
start_proxy() { # PORT COMMAND...
	local port=$1
	shift
	LD_LIBRARY_PATH=$(echo "$PWD"/test/.tools/usr/lib/*-linux-gnu) "$@" >>"$CLUSTER_DIR/proxy.log" 2>&1 </dev/null &
	upload_pids+=($!)
	for _ in $(seq 100); do
		! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
		sleep 0.05
	done
	cat "$CLUSTER_DIR/proxy.log" >&2
	return 1
}

end_proxies() {
	kill "${upload_pids[@]}" 2>/dev/null || true
	wait "${upload_pids[@]}" 2>/dev/null || true
	upload_pids=()
}

# A proxy on a port, which offers HTTP/2 or not
start_nginx() { # PROGRAM PORT h2|http/1.1
	local http2=
	[ "$3" = http/1.1 ] || http2=http2
	mkdir -p "$CLUSTER_DIR/nginx.$2"
	cat >"$CLUSTER_DIR/nginx.$2/conf" <<-END
		daemon off;
		master_process off;
		pid $CLUSTER_DIR/nginx.$2/pid;
		events {}
		http {
			access_log off;
			client_max_body_size 4m;
			$(for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $CLUSTER_DIR/nginx.$2/$kind;"; done)
			server {
				listen 127.0.0.1:$2 ssl $http2;
				ssl_certificate $CLUSTER_DIR/cert.pem;
				ssl_certificate_key $CLUSTER_DIR/key.pem;
				location / { proxy_pass http://127.0.0.1:$data_port; }
			}
		}
	END
	start_proxy "$2" "$1" -p "$CLUSTER_DIR/nginx.$2" -e "$CLUSTER_DIR/proxy.log" -c "$CLUSTER_DIR/nginx.$2/conf"
}

start_nghttpx() { # PROGRAM PORT h2|http/1.1
	local offered=http/1.1
	[ "$3" = http/1.1 ] || offered=h2,http/1.1
	start_proxy "$2" "$1" "-f127.0.0.1,$2" "-b127.0.0.1,$data_port" --no-ocsp --conf=/dev/null "--npn-list=$offered" \
		"$CLUSTER_DIR/key.pem" "$CLUSTER_DIR/cert.pem"
}

start_haproxy() { # PROGRAM PORT h2|http/1.1
	local offered=http/1.1
	[ "$3" = http/1.1 ] || offered=h2,http/1.1
	cat >"$CLUSTER_DIR/haproxy.$2" <<-END
		defaults
		  mode http
		  timeout connect 10s
		  timeout client 60s
		  timeout server 60s
		frontend f
		  bind 127.0.0.1:$2 ssl crt $CLUSTER_DIR/both.pem alpn $offered
		  default_backend b
		backend b
		  server s 127.0.0.1:$data_port
	END
	start_proxy "$2" "$1" -db -f "$CLUSTER_DIR/haproxy.$2"
}

write_uploads() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$CLUSTER_DIR/key.pem" -out "$CLUSTER_DIR/cert.pem" -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost >/dev/null 2>&1
	cat "$CLUSTER_DIR/cert.pem" "$CLUSTER_DIR/key.pem" >"$CLUSTER_DIR/both.pem"
	chmod 644 "$CLUSTER_DIR/cert.pem"
	on tree psql -qX <<-END
		CREATE TABLE uploads AS SELECT 'r' || i AS id, ARRAY(SELECT (random() * 2 - 1)::real FROM generate_series(1, 768) WHERE i > 0) AS embedding, i AS n
		  FROM generate_series(1, ${UPLOADS:-20000}) i;
		COPY uploads TO '$CLUSTER_DIR/uploads.binary' (FORMAT binary);
		DROP TABLE uploads;
	END
	chmod 644 "$CLUSTER_DIR/uploads.binary"
	cc -O2 -o "$CLUSTER_DIR/delay" test/bench/delay.c
}

# Seconds that the COPY takes through a port, in a session of its own
upload() { # BUILD PORT
	on "$1" psql -qX -c 'SET client_min_messages = error' -f - <<-END
		DROP EXTENSION IF EXISTS pinecone_fdw CASCADE;
		CREATE EXTENSION pinecone_fdw;
		CREATE SERVER s FOREIGN DATA WRAPPER pinecone_fdw OPTIONS (host 'https://localhost:$2', ca_file '$CLUSTER_DIR/cert.pem');
		CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (api_key '$PINECONE_LOCAL_KEY');
		CREATE FOREIGN TABLE uploaded (id text, embedding real[], n int) SERVER s;
	END
	on "$1" milliseconds "COPY uploaded FROM '$CLUSTER_DIR/uploads.binary' (FORMAT binary)" | awk '{print $1 / 1000}'
}

# Both ways through a proxy
upload_through() { # NAME
	local name=$1 program offered port far round before=
	declare -A ports
	[[ uploads_$name =~ ${ONLY:-.} ]] || return 0
	program=$(proxy_program "$name") || {
		echo "uploads_$name: $name is not installed"
		return 0
	}
	for offered in h2 http/1.1; do
		port=$(free_port)
		"start_$name" "$program" "$port" "$offered" || return 0
		far=$(free_port)
		start_proxy "$far" "$CLUSTER_DIR/delay" "$((DISTANCE / 2))" "$far" "$port"
		ports[$offered]=$far
		: >"$CLUSTER_DIR/${offered/\//}.s"
	done
	for round in $(seq "$ROUNDS"); do
		for offered in h2 http/1.1; do
			upload tree "${ports[$offered]}" >>"$CLUSTER_DIR/${offered/\//}.s"
		done
	done
	[ "${BEFORE:-1}" = 0 ] || before=", the older build $(upload base "${ports[h2]}") s"
	end_proxies
	printf 'uploads_%s: %s s where HTTP/2 is offered, %s s where HTTP/1.1 alone is%s\n' "$name" \
		"$(median <"$CLUSTER_DIR/h2.s")" "$(median <"$CLUSTER_DIR/http1.1.s")" "$before"
	report "uploads_$name" "$(median <"$CLUSTER_DIR/h2.s")" "$(median <"$CLUSTER_DIR/http1.1.s")" 1.2 at-most
}

DISTANCE=$LATENCY
: >"$CLUSTER_DIR/records.jsonl"
LATENCY=0 start_service --index far:768:cosine
# the rate limits are the same either way
if [ "$limited" = unlimited ]; then
	data_port=$(index_host far)
	data_port=${data_port##*:}
	write_uploads
	for proxy in nginx nghttpx haproxy; do
		upload_through "$proxy"
	done
fi
