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
parts=("$@")
[ $# -gt 0 ] || parts=(clients client9 aliases backups server documents text models stress fuzz)

make -s -C ../server || exit
export PINECONE_LOCAL=$PWD/../server/pinecone-local
passed=0
failed=0

# Install the official clients: 0, or 1 when that failed, 2 when it is the network.
install_clients() {
	local errors
	errors=$(npm ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000 2>&1 >/dev/null) && return
	if grep -qE 'E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)|ERR_SOCKET_TIMEOUT|CERT|E(403|407|429|5[0-9][0-9])' <<<"$errors"; then
		echo "# left out: npm cannot reach its registry, from which the clients of \"$1\" come:"
		grep -E '^npm (error|ERR)' <<<"$errors" | head -5 | sed 's/^/# /'
		return 2
	fi
	echo "not ok npm could not install the clients of \"$1\":"
	sed 's/^/# /' <<<"$errors"
	return 1
}

for part in "${parts[@]}"; do
	if [[ $part =~ ^(clients|client9|aliases|backups)$ ]]; then
		install_clients "$part"
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
