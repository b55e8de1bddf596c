#!/usr/bin/env bash
#
# The governance aggregates against decimals of high precision, on random data;
# sketches in hostile binary forms; and the simulation of the case study, whose
# figures must come out.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/cluster.sh
source test/cluster.sh
cluster_begin
cluster_postgres
psql -qX -c 'CREATE EXTENSION IF NOT EXISTS pinecone_fdw'
/usr/bin/python3 test/huf/compare.py "${1:-200}"
/usr/bin/python3 test/huf/hostile.py
/usr/bin/python3 test/huf/simulate.py
