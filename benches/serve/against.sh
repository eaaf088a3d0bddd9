#!/usr/bin/env bash
# `stirtrace serve` beside secsipidx's HTTP server: the same token, in turn, on the same machine (Debian: wrk, curl, secsipidx).
#     benches/serve/against.sh [SECONDS] [CONNECTIONS] [BINARY] [ROUNDS]
# secsipidx checks signature and age with the key from a file, no certificate and no call; stirtrace judges the call.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-5} connections=${2:-16} binary=${3:-target/dist/stirtrace} rounds=${4:-5}
for tool in wrk curl openssl secsipidx; do
    command -v "$tool" >/dev/null || { echo "$tool is not there; nothing is measured" >&2; exit 1; }
done
source benches/serve/service.sh
folder=$(mktemp -d)
trap 'stop_service; kill "${peer:-}" 2>/dev/null; rm -rf "$folder"' EXIT
configure_by_lab
start_service
openssl x509 -in certs/archive/certificates.lab.example/twill.pem -pubkey -noout >"$folder/public.pem"
secsipidx -http-srv 127.0.0.1:18090 -fpubkey "$folder/public.pem" -expire 86400 >/dev/null 2>&1 &
peer=$!
timeout 20 bash -c 'until curl -s -o /dev/null http://127.0.0.1:18090/; do sleep 0.1; done' ||
    { echo "secsipidx does not start" >&2; exit 1; }

now=$(date +%s)
identity=$(signed_identity "$now")
post_by_wrk "$(verification "$identity" "$now")" >"$folder/stirtrace.lua"
post_by_wrk "$identity" text/plain >"$folder/secsipidx.lua"
load() { wrk -t 1 -c "$connections" -d "$seconds" --latency -s "$folder/$1.lua" "$2" >"$folder/$1.out"; }
rate() { awk '/^Requests\/sec/ { print $2 }' "$folder/$1.out"; }
p99() { awk '/ 99%/ { print $2 }' "$folder/$1.out"; }
bad() { awk '/Non-2xx/ { print $NF }' "$folder/$1.out"; }
for ((round = 1; round <= rounds; round++)); do
    load stirtrace "$url/verification"
    load secsipidx http://127.0.0.1:18090/v1/check
    for each in stirtrace secsipidx; do
        [ -z "$(bad $each)" ] || { echo "$each: $(bad $each) answers are no 200" >&2; exit 1; }
    done
    printf 'stirtrace %8.0f/s, p99 %s   secsipidx %8.0f/s, p99 %s   ratio %.1f\n' "$(rate stirtrace)" "$(p99 stirtrace)" \
        "$(rate secsipidx)" "$(p99 secsipidx)" "$(awk "BEGIN { print $(rate stirtrace) / $(rate secsipidx) }")"
done
