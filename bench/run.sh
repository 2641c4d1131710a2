#!/usr/bin/env bash
# make bench: every figure of the table in one run on one machine, as ratios where there is something to compare with.
#   bench/run.sh BUILD_DIR
set -eu
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
echo "# $(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg), $(date -u +%F)"
echo
echo "## engine: append against a bare loop of memcpy and CRC-32 into a pre-faulted mapping"
"$build/bench/engine_bench"
echo
echo "## tools and daemon"
python3 bench/tools_bench.py "$build/bin"
echo
echo "## many clients"
python3 bench/many_clients.py "$build/bin"
echo
echo "## mqdump on a large store"
python3 bench/verify_bench.py "$build/bin"
