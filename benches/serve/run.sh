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

cat >"$folder/stirtrace.toml" <<TOML
trust = ["$PWD/certs/roots.pem"]
certificates = "$PWD/certs/archive"
crl = ["$PWD/certs/crl/indirect.pem"]
crl_signer = ["$PWD/certs/crl-signer.pem"]
[service]
listen = "127.0.0.1:18080"
[service.verification]
max_age = 86400
[[service.signer]]
name = "twill"
key = "$PWD/certs/keys/twill.pem"
certificate = "$PWD/certs/archive/certificates.lab.example/twill.pem"
x5u = "https://certificates.lab.example/twill.pem"
TOML
start_service

url=http://127.0.0.1:18080/stir/v1
post() { curl -s -H 'Content-Type: application/json' -d "$2" "$url/$1"; }
now=$(date +%s)
signed=$(post signing '{"signingRequest": {"attest": "A", "orig": {"tn": "12155550112"}, "dest": {"tn": ["12155550131"]},
    "iat": '"$now"', "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}}')
identity=$(sed -E 's/.*"identity":"([^"]*)".*/\1/' <<<"$signed")
body=$(verification "$identity" "$now")
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
