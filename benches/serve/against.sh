#!/usr/bin/env bash
# `stirtrace serve` beside secsipidx's HTTP server: the same token, in turn, on the same machine (Debian: wrk, curl, secsipidx).
#     benches/serve/against.sh [SECONDS] [CONNECTIONS] [BINARY] [ROUNDS]
# secsipidx checks signature and age with the key from a file, no certificate and no call; stirtrace judges the call.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-5} connections=${2:-16} binary=${3:-target/dist/stirtrace} rounds=${4:-5}
for tool in wrk curl openssl secsipidx "$binary"; do
    command -v "$tool" >/dev/null || { echo "$tool is not there; nothing is measured" >&2; exit 1; }
done
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
lab=$PWD/certs
cat >"$folder/stirtrace.toml" <<TOML
trust = ["$lab/roots.pem"]
certificates = "$lab/archive"
crl = ["$lab/crl/indirect.pem"]
crl_signer = ["$lab/crl-signer.pem"]
[service]
listen = "127.0.0.1:18080"
[service.verification]
max_age = 86400
[[service.signer]]
name = "twill"
key = "$lab/keys/twill.pem"
certificate = "$lab/archive/certificates.lab.example/twill.pem"
x5u = "https://certificates.lab.example/twill.pem"
TOML
"$binary" serve --config "$folder/stirtrace.toml" --format json 2>"$folder/log" &
openssl x509 -in "$lab/archive/certificates.lab.example/twill.pem" -pubkey -noout >"$folder/public.pem"
secsipidx -http-srv 127.0.0.1:18090 -fpubkey "$folder/public.pem" -expire 86400 >/dev/null 2>&1 &
await() { timeout 20 bash -c "until curl -s -o /dev/null $1; do sleep 0.1; done" || { cat "$folder/log" >&2; exit 1; }; }
await http://127.0.0.1:18080/health
await http://127.0.0.1:18090/

url=http://127.0.0.1:18080/stir/v1
now=$(date +%s)
call='"iat": '$now', "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"'
signed=$(curl -s -H 'Content-Type: application/json' "$url/signing" \
    -d '{"signingRequest": {"attest": "A", "orig": {"tn": "12155550112"}, "dest": {"tn": ["12155550131"]}, '"$call"'}}')
identity=$(sed -E 's/.*"identity":"([^"]*)".*/\1/' <<<"$signed")
request() { printf 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "%s"\nwrk.body = [[%s]]\n' "$1" "$2"; }
request application/json '{"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]},
    "time": '"$now"', "identity": "'"$identity"'"}}' >"$folder/stirtrace.lua"
request text/plain "$identity" >"$folder/secsipidx.lua"
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
