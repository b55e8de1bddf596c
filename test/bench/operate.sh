#!/bin/bash
# What a DBA pays for and gains by: the benchmarks in test/bench/operate.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for part in test/bench/operate/*.sh; do
	bash "$part"
done
