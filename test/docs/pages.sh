#!/usr/bin/env bash
#
# Run every SQL block of README.md and docs/*.md (the governance pages have run.sh,
# the runbook test/t/098_runbook.pl, which brings about what it is for).
#
#	test/docs/pages.sh [PAGE...]
#
# A page's blocks run in their order in one new database, after
# test/docs/pages/PAGE.sql, which makes what they take for granted.  What a
# reader has to fill in is filled in here: $1 and '{...}' are a vector, '...' a
# key, catalog's index is pinecone-local's.  The last line is the sum.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh

pages=("$@")
[ $# -gt 0 ] || pages=(README.md docs/*.md)
passed=0
failed=0

fill_in() {
	local vector="'{0.1, 0.2, 0.3, 0.4}'"
	sed -e "s|articles-abc.svc.aped-4627-b74a.pinecone.io|$articles|" -e 's/\(vector(\|"dimension": \)1536/\14/' \
		-e "s|\\\$1|$vector::real[]|g" -e "s|'{\.\.\.}'|$vector|g" -e "s|'\[\.\.\.\]'|'[0.1, 0.2, 0.3, 0.4]'|g" -e "s|'{0.1, \.\.\.}'|$vector|g" \
		-e "s/(index '\(catalog\|frameworks\|films\|library\|library-documents\|passages\)')/(index '\1', control_host '${PINECONE_LOCAL_URL//\//\\/}')/" \
		-e "s|http://127.0.0.1:5080|$PINECONE_LOCAL_URL|" \
		-e "s|api_key '\.\.\.'|api_key '$PINECONE_LOCAL_KEY'|" -e "s|api_key 'secret'|api_key '$PINECONE_LOCAL_KEY'|" \
		-e "s|/tmp/docs.csv|$CLUSTER_DIR/docs.csv|"
}

run_page() {
	local page=$1 name blocks block setup n=0
	name=$(basename "$page" .md)
	setup=test/docs/pages/$name.sql
	blocks=$CLUSTER_DIR/blocks
	rm -rf "$blocks"
	mkdir "$blocks"
	awk -v dir="$blocks" '
		/^```$/ && on { on = 0; close(file); next }
		on { print >file }
		/^```sql( search)?$/ { on = 1; file = sprintf("%s/%03d.sql", dir, ++n) }' "$page"
	compgen -G "$blocks/*.sql" >/dev/null || return 0
	createdb "page_$name"
	if [ -f "$setup" ]; then
		fill_in <"$setup" >"$CLUSTER_DIR/setup.sql"
		psql -Xq -v ON_ERROR_STOP=1 -d "page_$name" -f "$CLUSTER_DIR/setup.sql" >"$CLUSTER_DIR/out" 2>&1 || {
			cat "$CLUSTER_DIR/out"
			echo "$setup fails"
			failed=$((failed + 1))
			return 0
		}
	fi
	for block in "$blocks"/*.sql; do
		n=$((n + 1))
		fill_in <"$block" >"$block.filled"
		if psql -Xq -v ON_ERROR_STOP=1 -d "page_$name" -f "$block.filled" >"$CLUSTER_DIR/out" 2>&1 </dev/null; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			sed "s|$block.filled|$page, block $n|" "$CLUSTER_DIR/out"
		fi
	done
}

cluster_begin
cluster_postgres
cat >"$CLUSTER_DIR/articles.json" <<'END'
{"fields": {"title": {"type": "string", "full_text_search": {}}, "body": {"type": "string", "full_text_search": {}},
	"embedding": {"type": "dense_vector", "dimension": 4, "metric": "cosine"}, "terms": {"type": "sparse_vector"}}}
END
chmod 644 "$CLUSTER_DIR/articles.json"
cluster_pinecone --index catalog:4:cosine --index frameworks:4:cosine --index movies:4:cosine --index library:4:cosine \
	--index "articles:$CLUSTER_DIR/articles.json"
curl -sSf -o "$CLUSTER_DIR/made.json" -H "Api-Key: $PINECONE_LOCAL_KEY" -H 'Content-Type: application/json' "$PINECONE_LOCAL_URL/indexes/create-for-model" \
	-d '{"name": "passages", "cloud": "aws", "region": "us-east-1", "embed": {"model": "llama-text-embed-v2", "field_map": {"text": "chunk_text"}}}'
articles=$(curl -sS -H "Api-Key: $PINECONE_LOCAL_KEY" "$PINECONE_LOCAL_URL/indexes/articles" | sed 's/.*"host":"\([^"]*\)".*/\1/')
"${cluster_as[@]}" tee "$CLUSTER_DIR/docs.csv" >/dev/null <<<'c1,"{0.1,0.2,0.3,0.4}",From a file'

for page in "${pages[@]}"; do
	[[ "$page" = docs/governance*.md || "$page" = docs/runbook.md ]] || run_page "$page"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
