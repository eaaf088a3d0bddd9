#!/usr/bin/env bash
# Load on `stirtrace serve`: verifications over HTTP keep-alive, one warm certificate, by wrk (Debian: wrk, curl).
#     benches/serve/run.sh [SECONDS] [CONNECTIONS] [BINARY]
# Prints wrk's figures, and the memory of the service every 30 seconds (600 seconds show whether it stays).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-10} connections=${2:-16} binary=${3:-target/dist/stirtrace}
source benches/serve/service.sh
folder=$(mktemp -d)
trap 'stop_service; rm -rf "$folder"' EXIT

configure_by_lab
start_service

now=$(date +%s)
body=$(verification "$(signed_identity "$now")" "$now")
post verification "$body"; echo
post_by_wrk "$body" >"$folder/post.lua"

memory() { printf 'memory after %4d s: %s kB\n' "$1" "$(awk '/VmRSS/ { print $2 }' "/proc/$service/status")"; }
memory 0
wrk -t 1 -c "$connections" -d "$seconds" --latency -s "$folder/post.lua" "$url/verification" &
load=$!
step=$((seconds < 60 ? (seconds + 1) / 2 : 30))
for ((after = step; after < seconds; after += step)); do
    sleep "$step"
    memory "$after"
done
wait "$load"
memory "$seconds"
