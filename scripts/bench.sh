#!/usr/bin/env bash
# Prints the figures of the README's performance section, with the machine they
# are of. Some seven minutes. Usage: bench.sh [REGEXP]
set -euo pipefail
cd "$(dirname "$0")/.."
which=${1:-.}

# bench runs the benchmarks of a package. -cpu 1 where what counts is one core.
bench() { go test -run '^$' -bench "$which" -timeout 5h "$@" | sed -E '/^(goos|goarch|pkg|cpu|PASS|ok)/d'; }

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo)
echo "machine: ${cpu:-unknown processor}, $(nproc) cores, $memory memory, $(uname -s) $(uname -r | cut -d- -f1), $(go version | cut -d' ' -f3-)"
echo
echo 'AMI bytes to messages, one core'
bench -benchtime 3s -cpu 1 ./ami
echo 'ARI events to facts, one core: of the whole stream, and of those that state a fact'
bench -benchtime 3s -cpu 1 ./ari
echo 'AMI bytes to records, one core; memory of an open call; a fact that has to find its call among 20,000'
bench -benchtime 3s -cpu 1 ./record
echo 'Records committed, synchronous=FULL; one delivery, from written to settled'
bench -benchtime 3s ./store
echo 'Events and calls committed by the loop, synchronous=FULL; lag from arrival to the disk at 200 calls a second; a start with a long call open'
bench -benchtime 10s ./internal/ingest
echo 'CEL imported from MariaDB into records (skipped without a server); memory is the most that the import took'
bench -benchtime 1x ./internal/repair
echo 'From the hangup to the webhook received, on loopback'
bench -benchtime 3s ./internal/webhook
echo 'Changes from HTTP to committed at a centre, and a backlog of an edge, with PostgreSQL beside (skipped without it)'
bench -benchtime 5s ./internal/centre
echo 'Processor time of voipd beside Asterisk: a second at rest, and each call of 1, 10 and 100 a second'
bench -benchtime 20s ./internal/torture
echo "Pages of 100 out of ${BENCH_RECORDS:-1000000} records, made first, by each filter, each pair and each triple of them"
bench -benchtime 1x ./internal/api
[ "$which" = . ] || exit 0
echo 'A morning of the demo, at ten times its speed'
go run ./cmd/voipd demo --once --speed 10 --listen 127.0.0.1:0 | tail -1
