# shapes.sh
#	Namespaces in which nothing is to be gained, and which must not lose: ids with
#	two levels of prefixes, one id, ids alike but for their last bytes, ids of 512
#	bytes, three records, a thousand namespaces.  For test/bench/distance.sh.
#	MILLION=1 adds a million ids, which takes the older build some nine minutes.

write_shape_records() {
	awk -v million="${MILLION:-0}" '
		function record(space, id, n) {
			printf "{\"index\":\"shapes\",\"namespace\":\"%s\",\"id\":\"%s\",\"values\":[1,%.4f,%.4f,%.4f],\"metadata\":{\"n\":%d}}\n", space, id, rand(), rand(), rand(), n
		}
		BEGIN {
			srand(3)
			for (i = 0; i < 512 - 6; i++) long = long "x"
			for (i = 0; i < 8000; i++) record("levels", sprintf("tenant-%d/part-%d/%d", i % 40, i % 7, i), i)
			record("one", "only", 1)
			for (i = 0; i < 57; i++) record("last", "the-same-but-for-the-last-" sprintf("%c", 35 + i), i)
			for (i = 0; i < 3000; i++) record("long", long sprintf("%06d", i), i)
			for (i = 0; i < 3; i++) record("three", "r" i, i)
			for (i = 0; i < 3000; i++) record("ns" i % 1000, "r" i, i)
			for (i = 0; i < million * 1000000; i++) record("million", sprintf("doc-%07d", i), i)
		}' >"$CLUSTER_DIR/records.jsonl"
}

scans_of_shapes() {
	local shape
	in_both shapes <<-END
		$(for shape in levels one last long three million; do
			echo "CREATE FOREIGN TABLE $shape (id text COLLATE \"C\", embedding real[], n int) SERVER s OPTIONS (namespace '$shape');"
		done)
		CREATE FOREIGN TABLE everything (id text COLLATE "C", ns text OPTIONS (role 'namespace'), embedding real[], n int) SERVER s;
	END
	for shape in levels one last long three; do
		compare "shape_$shape" 0.95 "SELECT sum(n) FROM $shape"
		compare "shape_${shape}_vectors" 0.95 "SELECT count(embedding) FROM $shape"
		compare "shape_${shape}_ids" 0.95 "SELECT count(id) FROM $shape WHERE id ~ '.'"
	done
	compare shape_namespaces 0.95 "SELECT sum(n) FROM everything WHERE ns LIKE 'ns%'"
	[ "${MILLION:-0}" = 0 ] || compare million_ids 25 "SELECT count(id) FROM million WHERE id ~ '.'"
}

write_shape_records
start_service --index shapes:4:cosine
scans_of_shapes
