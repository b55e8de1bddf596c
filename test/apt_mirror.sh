#!/usr/bin/env bash
#
# The Debian mirror that this machine's apt is set up with, for chroots made from it.
set -euo pipefail

apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
	awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
