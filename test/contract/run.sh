#!/usr/bin/env bash
#
# Drive pinecone-local with the official TypeScript client, in two versions,
# and with requests of our own for what the clients do not show.
#
#	test/contract/run.sh			all
#	test/contract/run.sh clients	the clients alone; or: client9, aliases, backups, server, documents,
#				text, models, stress, fuzz
#
# Needs node and npm.  The last line is "N passed, N failed".  Where npm cannot reach
# its registry the parts that need the clients are left out, which is said, and is no
# failure.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=test/npm.sh
source ../npm.sh
parts=("$@")
[ $# -gt 0 ] || parts=(clients client9 aliases backups server documents text models stress fuzz)

make -s -C ../server || exit
export PINECONE_LOCAL=$PWD/../server/pinecone-local
passed=0
failed=0

for part in "${parts[@]}"; do
	if [[ $part =~ ^(clients|client9|aliases|backups)$ ]]; then
		npm_packages . "the clients of \"$part\""
		case $? in
			1) failed=$((failed + 1)) && continue ;;
			2) continue ;;
		esac
	fi
	output=$(node "$part.mjs" 2>&1) || true
	echo "$output"
	last=$(tail -n 1 <<<"$output")
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
