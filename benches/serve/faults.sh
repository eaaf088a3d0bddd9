#!/usr/bin/env bash
# Faults of what `stirtrace serve` leans on, while wrk repeats a warm call (Debian: wrk, curl, openssl, python3; as root for
# a full disk).
#     benches/serve/faults.sh [SECONDS] [BINARY]
# For each fault, SECONDS of load: p50, p99 and the slowest of the warm calls, beside those without a fault; the codes of
# the cold calls that the fault is for, and the slowest of them; what the service counted meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-10} binary=${2:-target/dist/stirtrace}
source benches/serve/service.sh
folder=$(mktemp -d)
cold=24 at_once=6 connections=8
names=(good mute slow endless 500 404 301 no-certificate other-key expired other-name unknown-root)

finish() {
    stop_service
    exec 3>&- 2>/dev/null || true
    if mountpoint -q "$folder/disk"; then umount "$folder/disk"; fi
    rm -rf "$folder"
}
trap finish EXIT
mkdir -p "$folder/tls" "$folder/disk" "$folder/bodies"

# TLS: one authority, one certificate for all addresses, and those that are wrong.
make() { # FILE SUBJECT-ALTERNATIVE-NAMES AUTHORITY DAYS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=lab" -keyout "$folder/key" -out "$folder/request"
    openssl x509 -req -in "$folder/request" -CA "$folder/$3.pem" -CAkey "$folder/$3.key" -CAcreateserial -days "$4" \
        -extfile <(echo "subjectAltName=$2") -out "$folder/leaf"
    cat "$folder/leaf" "$folder/key" >"$folder/tls/$1.pem"
}
{
    for authority in root stranger; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$authority of the lab" -days 2 \
            -keyout "$folder/$authority.key" -out "$folder/$authority.pem"
    done
    places=$(for number in $(seq 1 20); do printf ',IP:127.77.1.%s' "$number"; done)
    make good "${places#,}" root 2
    make expired "${places#,}" root 0
    make other-name DNS:other.example root 2
    make unknown-root "${places#,}" stranger 2
} 2>"$folder/openssl.log" || { cat "$folder/openssl.log" >&2; exit 1; }
cp certs/archive/certificates.lab.example/{twill,cascade}.pem "$folder/tls/"

declare -A place=([closed]=https://127.77.1.20:8443 [no-name]=https://certificates.invalid)
hosts=()
allow=(--fetch-allow 127.77.1.20=127.77.1.20)
for number in "${!names[@]}"; do
    address=127.77.1.$((number + 1))
    place[${names[$number]}]=https://$address:8443
    hosts+=("${names[$number]}=$((number + 1))")
    allow+=(--fetch-allow "$address=$address")
done
mkfifo "$folder/end"
python3 benches/serve/hosts.py "$folder/tls" "${hosts[@]}" <"$folder/end" >"$folder/ready" 2>"$folder/hosts.log" &
exec 3>"$folder/end"
for ((try = 0; try < 100; try++)); do
    if [[ -s $folder/ready ]]; then break; fi
    sleep 0.1
done
if ! [[ -s $folder/ready ]]; then cat "$folder/hosts.log" >&2; exit 1; fi

cat >"$folder/stirtrace.toml" <<TOML
trust = ["$PWD/certs/roots.pem"]
[service]
listen = "127.0.0.1:18081"
fetch_cache = "$folder/disk/cache"
fetch_archive = "$folder/disk/archive"
[service.verification]
max_age = 86400
TOML
serve() { start_service --fetch --fetch-root "$folder/root.pem" "${allow[@]}"; }
serve

url=http://127.0.0.1:18081
sign() { # URL
    "$binary" sign -q --key certs/keys/twill.pem --certificate certs/archive/certificates.lab.example/twill.pem \
        --x5u "$1" --orig 12155550112 --dest 12155550131 --attest A
}
# The body of a call that is warm from here on.
now=$(date +%s)
verification "$(sign "${place[good]}/warm.pem")" "$now" >"$folder/warm.json"
post_by_wrk "$(<"$folder/warm.json")" >"$folder/post.lua"
ask() { # FILE: in one piece, for many write to one file.
    local answer
    answer=$(curl -s -m 30 -H 'Content-Type: application/json' -d "@$1" -w '\t%{time_total}' "$url/stir/v1/verification")
    printf '%s\n' "$answer"
}
export -f ask
export url folder
warm_up() {
    local answer
    answer=$(ask "$folder/warm.json")
    if ! grep -q TN-Validation-Passed <<<"$answer"; then
        echo "the warm call does not pass: $answer" >&2
        tail -n 5 "$folder/log" >&2
        exit 1
    fi
}
warm_up

count() { # What the service counts that is about calls and faults.
    curl -s -m 10 "$url/metrics" |
        grep -E '^stirtrace_(verdicts|fetches|fetch_[a-z_]*|refused|abandoned|evidence_[a-z]*|log_lost)_total' | sort
}

load() { # NAME: wrk for so many seconds; what it says is kept.
    wrk -t 1 -c "$connections" -d "$seconds" --latency -s "$folder/post.lua" "$url/stir/v1/verification" >"$folder/wrk" 2>&1
}

row() { # NAME: what wrk and the cold calls came to.
    local slowest codes
    codes=$(sed -nE 's/.*"reasonCode":([0-9]+).*/\1/p; s/.*TN-Validation-Passed.*/passed/p' "$folder/cold" | sort | uniq -c | xargs)
    slowest=$(cut -f 2 "$folder/cold" | sort -n | tail -n 1)
    printf '%-16s p50 %8s  p99 %8s  max %8s  %7s calls/s  cold: %s; slowest %s s\n' "$1" \
        "$(awk '$1 == "50%" { print $2 }' "$folder/wrk")" "$(awk '$1 == "99%" { print $2 }' "$folder/wrk")" \
        "$(awk '$1 == "Latency" && $4 ~ /[0-9]/ { print $4 }' "$folder/wrk")" "$(awk '/Requests\/sec/ { print $2 }' "$folder/wrk")" \
        "${codes:--}" "${slowest:--}"
    grep -E 'Non-2xx|Socket errors' "$folder/wrk" || true
}

tell_counts() { # BEFORE AFTER: by how much what counted.
    awk 'NR == FNR { before[$1] = $2; next } $2 != before[$1] { printf "    %s +%d\n", $1, $2 - before[$1] }' \
        <(echo "$1") <(echo "$2")
}

suffer() { # NAME URL: cold calls for as long as the load lasts.
    local before under_load
    rm -f "$folder/bodies/"*
    for number in $(seq "$cold"); do
        verification "$(sign "$2/$1-$number.pem")" "$now" >"$folder/bodies/$number"
    done
    before=$(count)
    load "$1" &
    under_load=$!
    pause=$(awk "BEGIN { print $seconds * $at_once / $cold * 0.8 }")
    export pause
    find "$folder/bodies" -type f | xargs -P "$at_once" -I {} bash -c 'ask {}; sleep "$pause"' >"$folder/cold"
    wait "$under_load"
    row "$1"
    tell_counts "$before" "$(count)"
}

: >"$folder/cold"
load none
row 'no fault'
for name in closed "${names[@]:1}" no-name; do
    suffer "$name" "${place[$name]}"
done

# A small disk for cache, archive and evidence, which is written from here on.
stop_service
printf '[service.evidence]\nfolder = "%s"\n' "$folder/disk/evidence" >>"$folder/stirtrace.toml"
if mount -t tmpfs -o size=256m tmpfs "$folder/disk" 2>/dev/null; then
    serve
    warm_up
    # Somebody else takes what is left; dd goes on until there is nothing.
    dd if=/dev/zero of="$folder/disk/filler" bs=4k 2>/dev/null || true
    suffer full-disk "${place[good]}"
    rm "$folder/disk/filler"
    suffer room-again "${place[good]}"
else
    echo 'full-disk        left out: it takes a tmpfs, which only root can mount'
    serve
    warm_up
fi

load killed &
under_load=$!
sleep "$(awk "BEGIN { print $seconds / 2 }")"
kill -9 "$service"
wait "$service" 2>/dev/null || true
began=$(date +%s%N)
serve
warm_up
printf 'kill -9          the first call passed %d ms after the new start began\n' $((($(date +%s%N) - began) / 1000000))
wait "$under_load" || true
: >"$folder/cold"
load again
row 'after it'
echo 'log, by message:'
sed -nE 's/.*"level":"(WARN|ERROR)".*"message":"([^"]*)".*/\1 \2/p' "$folder/log" | sort | uniq -c
