#!/usr/bin/env bash
#
# The extension against the real service: reads, writes and searches compared with a
# local table, and answers to what the service's documentation leaves open.
#
#	PINECONE_API_KEY=... PINECONE_INDEX_HOST=... test/live/run.sh
#	PINECONE_API_KEY=... PINECONE_INDEX=...      test/live/run.sh
#
# The index has dense vectors, of any dimension and metric; indexes of documents are
# refused.  All happens in a namespace of its own, some 150 records and 300 requests,
# which is removed again, even when this is interrupted or killed.  Nothing else in
# the index is written, and only its statistics are read.  Takes a minute or two.
# PINECONE_CONTROL_HOST is where PINECONE_INDEX is looked up (https://api.pinecone.io).
#
# Wants the extension installed.  Prints TAP, and the answers as comments.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
if [ -z "${PINECONE_API_KEY:-}" ] || [ -z "${PINECONE_INDEX_HOST:-}${PINECONE_INDEX:-}" ]; then
	echo "# left out: the real service, for want of PINECONE_API_KEY and PINECONE_INDEX_HOST (or PINECONE_INDEX)"
	echo '0 passed, 0 failed'
	exit
fi
exec test/live/live.pl
