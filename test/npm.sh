# npm.sh
#	For scripts that source this file: npm packages at the versions of a lock file.
#
#	npm_packages DIRECTORY WHAT [ARG...]	"npm ci" in DIRECTORY, for WHAT ("the frameworks' packages")
#
# Returns 1 when that failed, with a line "not ok", and 2 when npm cannot reach its
# registry, which is no failure of ours: that is said in a line "# left out".  What has
# been installed so is not installed again.

npm_packages() {
	local errors lines
	! cmp -s "$1/package-lock.json" "$1/node_modules/.installed" || return 0
	errors=$(npm ci --prefix "$1" --no-audit --no-fund --ignore-scripts --prefer-offline --fetch-retries=1 --fetch-timeout=60000 "${@:3}" 2>&1 >/dev/null) && cp "$1/package-lock.json" "$1/node_modules/.installed" && return
	lines=$(grep -E '^npm (error|ERR)' <<<"$errors" | head -5 | sed 's/^/# /')
	if grep -qE 'E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|NETUNREACH|HOSTUNREACH)|ERR_SOCKET_TIMEOUT|CERT|E(403|407|429|5[0-9][0-9])' <<<"$errors"; then
		printf '# left out: npm cannot reach its registry, from which come %s:\n%s\n' "$2" "$lines"
		return 2
	fi
	printf 'not ok 0 - npm could not install %s:\n%s\n' "$2" "$lines"
	return 1
}
