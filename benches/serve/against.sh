#!/usr/bin/env bash
# `stirtrace serve` beside secsipidx's HTTP server: the same token, in turn, on the same machine (Debian: wrk, curl, secsipidx).
#     benches/serve/against.sh [SECONDS] [CONNECTIONS] [BINARY] [ROUNDS]
# secsipidx runs twice: once checking certificates up to a root (its mode 5, the certificate in its cache: what compares
# with us, though it reads no CRL, no TNAuthList and no call), and once with a key from a file and no certificate at all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-5} connections=${2:-16} binary=${3:-target/dist/stirtrace} rounds=${4:-5}
for tool in wrk curl openssl secsipidx; do
    command -v "$tool" >/dev/null || { echo "$tool is not there; nothing is measured" >&2; exit 1; }
done
source benches/serve/service.sh
folder=$(mktemp -d)
trap 'stop_service; kill "${with_certificate:-}" "${with_key:-}" 2>/dev/null; rm -rf "$folder"' EXIT
configure_by_lab
start_service

# Starts secsipidx on a port, with what it goes by; $started is its process.
start_secsipidx() {
    local port=$1
    shift
    secsipidx -http-srv "127.0.0.1:$port" -expire 86400 "$@" >/dev/null 2>&1 &
    started=$!
    timeout 20 bash -c "until curl -s -o /dev/null http://127.0.0.1:$port/; do sleep 0.1; done" ||
        { echo "secsipidx does not start" >&2; exit 1; }
}
certificate=certs/archive/certificates.lab.example/twill.pem
mkdir "$folder/cache"
# A cache is what it has against fetching for each call; the name is the one that it gives this URL.
cp "$certificate" "$folder/cache/https_certificates.lab.example_twill.pem"
start_secsipidx 18090 -cert-verify 5 -ca-file certs/roots.pem -cache-dir "$folder/cache" -cache-expire 86400
with_certificate=$started
openssl x509 -in "$certificate" -pubkey -noout >"$folder/public.pem"
start_secsipidx 18091 -fpubkey "$folder/public.pem"
with_key=$started

now=$(date +%s)
identity=$(signed_identity "$now")
post_by_wrk "$(verification "$identity" "$now")" >"$folder/stirtrace.lua"
post_by_wrk "$identity" text/plain >"$folder/secsipidx.lua"

# Processor time that a process has taken, in hundredths of a second.
processor() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
# Loads one of them: its name, its process, the script and the URL. Leaves requests a second in $rate.
load() {
    local before after bad
    before=$(processor "$2")
    wrk -t 1 -c "$connections" -d "$seconds" --latency -s "$folder/$3.lua" "$4" >"$folder/out"
    after=$(processor "$2")
    bad=$(awk '/Non-2xx/ { print $NF }' "$folder/out")
    [ -z "$bad" ] || { echo "$1: $bad answers are no 200" >&2; exit 1; }
    rate=$(awk '/^Requests\/sec/ { print $2 }' "$folder/out")
    awk -v name="$1" -v ticks=$((after - before)) '
        / 99%/ { p99 = $2 }
        /requests in/ { requests = $1 }
        /^Requests\/sec/ { rate = $2 }
        END { printf "%-28s %7.0f/s  p99 %-9s %4.0f us of its processors each\n", name, rate, p99, ticks * 10000 / requests }
    ' "$folder/out"
}
for ((round = 1; round <= rounds; round++)); do
    load stirtrace "$service" stirtrace "$url/verification"
    ours=$rate
    load "secsipidx, certificate" "$with_certificate" secsipidx http://127.0.0.1:18090/v1/check
    certified=$rate
    load "secsipidx, key from a file" "$with_key" secsipidx http://127.0.0.1:18091/v1/check
    awk "BEGIN { printf \"stirtrace serves %.1f times the one and %.1f times the other\n\", $ours / $certified, $ours / $rate }"
done
