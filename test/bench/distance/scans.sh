# scans.sh
#	Whole namespaces read: RECORDS (50,000) records of 64 dimensions whose ids
#	have different shapes, and 20,000 of 768.  For test/bench/distance.sh.

write_scan_records() {
	awk -v n="${RECORDS:-50000}" 'BEGIN {
		srand(1)
		for (i = 0; i < 1024; i++) pool[i] = sprintf("%.5f", rand() * 2 - 1)
		hex = "0123456789abcdef"
		for (s = 1; s <= split("uuid numbered chunks random", shapes, " "); s++)
			for (i = 0; i < n; i++) {
				id = ""
				if (s == 1) {
					for (j = 0; j < 32; j++) id = id (j == 8 || j == 12 || j == 16 || j == 20 ? "-" : "") substr(hex, int(rand() * 16) + 1, 1)
				} else if (s == 2)
					id = sprintf("doc-%06d", i)
				else if (s == 3)
					id = sprintf("doc%d#chunk%d", i / 10, i % 10)
				else
					for (j = 0; j < 12; j++) id = id sprintf("%c", 97 + int(rand() * 26))
				printf "{\"index\":\"far\",\"namespace\":\"%s\",\"id\":\"%s\",\"values\":[1", shapes[s], id
				at = int(rand() * 1024)
				for (j = 1; j < 64; j++) printf ",%s", pool[(at + j * 7) % 1024]
				printf "],\"metadata\":{\"n\":%d,\"year\":%d,\"category\":\"c%d\"}}\n", i, 1990 + i % 30, i % 20
			}
		for (i = 0; i < n * 2 / 5; i++) {
			printf "{\"index\":\"wide\",\"namespace\":\"\",\"id\":\"doc-%06d\",\"values\":[1", i
			at = int(rand() * 1024)
			for (j = 1; j < 768; j++) printf ",%s", pool[(at + j * 7) % 1024]
			printf "],\"metadata\":{\"n\":%d,\"category\":\"c%d\"}}\n", i, i % 20
		}
	}' >"$CLUSTER_DIR/records.jsonl"
}

scans_of_64() {
	local shape at_least=15
	[ "$limited" = unlimited ] || at_least=7
	in_both far <<-END
		$(for shape in uuid numbered chunks random; do
			echo "CREATE FOREIGN TABLE $shape (id text COLLATE \"C\", embedding real[], n int, year int, category text) SERVER s OPTIONS (namespace '$shape');"
		done)
	END
	for shape in uuid numbered chunks random; do
		compare "scan_$shape" "$at_least" "SELECT count(embedding) FROM $shape"
		compare "ids_$shape" "$at_least" "SELECT count(id) FROM $shape WHERE id ~ '.'"
	done
	compare distinct "$at_least" 'SELECT DISTINCT category FROM numbered'
	compare group_by "$at_least" 'SELECT category, avg(n) FROM numbered GROUP BY category'
	compare analyze "$at_least" 'ANALYZE numbered'
}

scans_of_768() {
	in_both wide <<-'END'
		CREATE FOREIGN TABLE wide (id text COLLATE "C", embedding real[], n int, category text) SERVER s;
	END
	compare scan_768 3 'SELECT count(embedding) FROM wide'
	compare metadata_768 25 'SELECT sum(n) FROM wide'
}

write_scan_records
start_service --index far:64:cosine --index wide:768:cosine
scans_of_64
scans_of_768
