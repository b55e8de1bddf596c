#!/usr/bin/env bash
# psql: what it lists, completes and describes, cursors, \copy, and Ctrl-C.
# complete.py presses the keys.
set -uo pipefail

n=0
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
version=$(psql --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
echo "# version: $version"

# What it prints has to be this, or to match, or not to.
is() { # NAME GOT EXPECTED
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		bad=1
		printf 'not ok %d - %s\n' "$n" "$1"
		diff <(echo "$3") <(echo "$2") | head -20 | sed 's/^/# /'
	fi
}
like() { # NAME TEXT REGEX
	n=$((n + 1))
	if grep -qE -- "$3" <<<"$2"; then
		echo "ok $n - $1"
	else
		bad=1
		printf 'not ok %d - %s: no %s in\n%s\n' "$n" "$1" "$3" "$(head -20 <<<"$2" | sed 's/^/# /')"
	fi
}
unlike() { # NAME TEXT REGEX
	is "$1" "$(grep -E -- "$3" <<<"$2")" ''
}

sql() {
	psql -XqAt 2>&1
}

# The same script, with :t for the foreign table and then for the local one, prints the
# same, and something; QUESTION is what its requests are counted as.
same() { # QUESTION SCRIPT [TABLE]
	local there here table=${3:-items}
	there=$(printf "SELECT count(*) FROM items \\\\g /dev/null\nSELECT count(*) FROM notes \\\\g /dev/null\nSELECT question('%s') \\\\g /dev/null\n%s\n;SELECT question(NULL) \\\\g /dev/null\n" "$1" "$2" | psql -XAt -v "t=$table" 2>&1)
	here=$(psql -XAt -v "t=${table}_local" <<<"$2" 2>&1)
	is "$1" "$there" "$here"
	[ -n "$here" ] && ! grep 'ERROR' <<<"$here" | grep -qv 'division by zero' || is "$1 brings something" "$here" something
}

notes() {
	psql -XqAt <<-'END'
		SELECT (SELECT json_agg(n ORDER BY id) FROM (SELECT id, embedding, title, year FROM notes) AS n)::text =
			(SELECT json_agg(n ORDER BY id) FROM (SELECT id, embedding, title, year FROM notes_local) AS n)::text;
	END
}

asked() {
	psql -XqAtc "SELECT requests FROM asked WHERE question = '$1' AND via = '$VIA' AND client = 'psql' ORDER BY ctid DESC LIMIT 1"
}

# Lists
shown=
for command in '\d' '\dE' '\det'; do
	like "$command lists them" "$(sql <<<"$command")" 'items\|(foreign table\|postgres|clients)'
	shown+="\`$command\` "
done
unlike '\dt does not' "$(sql <<<'\dt')" '\|items\|'
echo "# lists: ${shown% }, not \`\\dt\`"
like '\d TABLE shows the server and its options' "$(psql -Xc '\d items')" "Server: clients|FDW options: \(namespace 'items'\)"
like '\d+ TABLE' "$(sql <<<'\d+ items')" 'embedding\|real\[\]'
like '\dew' "$(sql <<<'\dew')" 'pinecone_fdw\|postgres\|pinecone_fdw_handler'
like '\des+' "$(sql <<<'\des+')" "clients\|postgres\|pinecone_fdw.*index 'clients'"
unlike '\deu+ hides nothing that it should' "$(PGOPTIONS='' sql <<<'\deu')" 'test-key'
like '\dx+ lists what the extension has' "$(sql <<<'\dx+ pinecone_fdw')" 'function pinecone_match'
like '\df' "$(sql <<<'\df pinecone_ping')" 'pinecone_ping'

# Completion
completed() { # TEXT
	/usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/complete.py" "$1"
}
for start in 'SELECT * FROM ite' 'TABLE ite' 'UPDATE ite' 'INSERT INTO ite' 'DELETE FROM ite' 'ANALYZE ite' 'TRUNCATE ite' 'ALTER FOREIGN TABLE ite' 'DROP FOREIGN TABLE ite' \
	'\d ite' '\det ite' 'COMMENT ON FOREIGN TABLE ite'; do
	like "$start<Tab>" "$(completed "$start")" "$(sed 's/[\\*]/\\&/g' <<<"$start")ms"
done

# Questions
same filter "SELECT id, title, price FROM :t WHERE category = 'books' AND year >= 2015 ORDER BY id"
same knn "SELECT id, title FROM :t ORDER BY embedding <=> '{0.9,-0.2,0.4,0.1,-0.7,0.3,0.5,-0.6}'::real[] LIMIT 10"
if [ "$version" -ge 16 ]; then
	same 'kNN, \bind' "SELECT id FROM :t ORDER BY embedding <=> \$1::real[] LIMIT 10 \\bind '{0.9,-0.2,0.4,0.1,-0.7,0.3,0.5,-0.6}' \\g"
fi
same 'kNN, PREPARE' "BEGIN; PREPARE near (real[]) AS SELECT id FROM :t ORDER BY embedding <=> \$1 LIMIT 10;
EXECUTE near('{0.9,-0.2,0.4,0.1,-0.7,0.3,0.5,-0.6}'); DEALLOCATE near; COMMIT"
same join "SELECT o.number, i.title FROM orders o JOIN :t i ON i.id = o.item_id WHERE o.customer = 'customer 1' ORDER BY o.number"
same pages "SELECT id, year FROM :t ORDER BY id LIMIT 100;
SELECT id, year FROM :t ORDER BY id LIMIT 100 OFFSET 100;
SELECT id, year FROM :t ORDER BY id LIMIT 100 OFFSET 200"
same 'count(*)' "SELECT count(*) FROM :t"
same 'count(1)' "SELECT count(1) FROM :t WHERE category = 'maps'"
same distinct "SELECT DISTINCT category FROM :t ORDER BY category"
read=$(printf "SELECT count(*) FROM items \\\\g /dev/null\nSELECT question('limit') \\\\g /dev/null\n\\\\copy (SELECT id, embedding, title, category, year, price, tags, metadata FROM items LIMIT 1000) TO '$dir/limit'\nSELECT question(NULL) \\\\g /dev/null\n" | sql)
is 'LIMIT 1000, by \copy' "$read$(sort -u "$dir/limit" | wc -l)$(grep -vxFf <(psql -Xqc "COPY items_local TO STDOUT") "$dir/limit" | head -1)" 1000

# in a transaction, for it is a statement to prepare and another to describe
same '\gdesc' "BEGIN;
SELECT * FROM items \\gdesc
COMMIT" items
is '\gdesc asks nothing' "$(asked '\gdesc')" 0
same '\gset' "SELECT title, year FROM :t WHERE id = 'item-00042' \\gset
\\echo :title :year"
same '\crosstabview' "SELECT category, year, count(*) FROM :t WHERE year < 1993 GROUP BY 1, 2 ORDER BY 1, 2 \\crosstabview"
# by the order of the listing, as of more records than searches bring
unswept='BEGIN; SET LOCAL pinecone_fdw.enable_sweep = off;'
same FETCH_COUNT "\\set FETCH_COUNT 100
$unswept
SELECT id, embedding FROM :t ORDER BY id;
COMMIT"
printf "SELECT question('early') \\\\g /dev/null\n\\\\set FETCH_COUNT 100\n$unswept\nSELECT id, embedding FROM items ORDER BY id \\\\g | head -150 >$dir/early\nCOMMIT;SELECT question(NULL) \\\\g /dev/null\n" | sql >/dev/null
is 'FETCH_COUNT, and a pager that is left' "$(cat "$dir/early")" "$(psql -XqAtc 'SELECT id, embedding FROM items_local ORDER BY id LIMIT 150')"
is 'no more is read than it shows, and a little' "$(psql -XqAtc "SELECT $(asked early) < $(asked FETCH_COUNT) / 2")" t

# Writes
values="SELECT 'note-' || lpad(i::text, 3, '0'), ARRAY(SELECT ((i + d) / 16.0 + 0.125)::real FROM generate_series(0, 7) AS d), 'Note ' || i, 2000 + i % 20 FROM generate_series(0, 49) AS i"
same insert "INSERT INTO :t (id, embedding, title, year) $values" notes
same 'RETURNING' "UPDATE :t SET title = title || '!' WHERE id IN ('note-007', 'note-008') RETURNING id, title" notes
same update "UPDATE :t SET title = 'changed' WHERE year = 2003" notes
same delete "DELETE FROM :t WHERE id IN ('note-001', 'note-002', 'note-030')" notes
psql -XqAtc "COPY ($values LIMIT 5) TO STDOUT" | sed 's/note-/copied-/' >"$dir/copied"
for t in notes notes_local; do
	psql -XqAtc "\\copy $t (id, embedding, title, year) FROM '$dir/copied'"
done
is '\copy ... FROM' "$(notes)" t
same 'a transaction that is rolled back' "BEGIN;
UPDATE :t SET title = 'lost' WHERE id = 'note-004';
SELECT id, title FROM :t WHERE id BETWEEN 'note-003' AND 'note-005' ORDER BY id;
ROLLBACK;
SELECT id, title FROM :t WHERE id BETWEEN 'note-003' AND 'note-005' ORDER BY id" notes
same 'ON_ERROR_ROLLBACK' "\\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO :t (id, embedding, title) VALUES ('note-100', '{1,2,3,4,5,6,7,8}', 'kept');
SELECT 1 / 0;
COMMIT;
SELECT id, title FROM :t WHERE id >= 'note-05' ORDER BY id" notes

# Ctrl-C
sql <<<'SELECT slow(30000)' >/dev/null
began=$SECONDS
psql -XqAtc "SELECT id FROM items ORDER BY embedding <=> '{0.9,-0.2,0.4,0.1,-0.7,0.3,0.5,-0.6}'::real[] LIMIT 3" >"$dir/cancelled" 2>&1 &
pid=$!
while kill -0 $pid 2>/dev/null && [ $((SECONDS - began)) -lt 20 ]; do
	sleep 0.2
	kill -INT $pid 2>/dev/null
done
like 'Ctrl-C' "$(cat "$dir/cancelled")" 'canceling statement due to user request'
is 'is prompt' "$((SECONDS - began < 15))" 1
sql <<<'SELECT slow(0)' >/dev/null

echo "1..$n"
exit $bad
