# start.sh
#	The servers of the demo, for scripts that have sourced test/cluster.sh:
#
#	demo_start				start PostgreSQL and pinecone-local with the demo's index
#	"${psql[@]}" ARG...		run psql there; an error ends it

export PSQLRC=/dev/null
psql=(psql -X -q -v ON_ERROR_STOP=1)

demo_start() {
	cluster_begin
	cluster_postgres
	# The records go through a file, as a development store of one's own would
	"${psql[@]}" -f test/demo/embed.sql
	"${psql[@]}" -At -f test/demo/records.sql -f test/demo/export.sql >"$CLUSTER_DIR/catalog.jsonl"
	cluster_pinecone --index catalog:256:cosine --load "$CLUSTER_DIR/catalog.jsonl"
}
