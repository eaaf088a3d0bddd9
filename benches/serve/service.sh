# What the load scripts share: a service that starts or says why not, and the request that wrk repeats.
# Wants $binary and $folder; run from the project's root.

url=http://127.0.0.1:18080/stir/v1

# The configuration of a service with the lab's certificates, one of which signs.
configure_by_lab() {
    local lab=$PWD/certs
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
}

# Starts it, with more arguments if there are any, and waits until it listens.
start_service() {
    if ! [[ -x $binary ]]; then
        echo "$binary is no program: build it with cargo build --profile dist, or name another" >&2
        exit 2
    fi
    local lines
    : >>"$folder/log"
    lines=$(grep -c '"listening"' "$folder/log") || true
    "$binary" serve --config "$folder/stirtrace.toml" --format json "$@" 2>>"$folder/log" &
    service=$!
    for ((try = 0; try < 300; try++)); do
        if [[ $(grep -c '"listening"' "$folder/log") -gt $lines ]]; then return; fi
        if ! kill -0 "$service" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "the service does not start:" >&2
    tail -n 20 "$folder/log" >&2
    exit 1
}

stop_service() {
    if [[ -n ${service:-} ]]; then
        kill "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
}

post() { curl -s -H 'Content-Type: application/json' -d "$2" "$url/$1"; }

# An Identity value for the tests' usual call, made by the service at a time.
signed_identity() {
    post signing '{"signingRequest": {"attest": "A", "orig": {"tn": "12155550112"}, "dest": {"tn": ["12155550131"]},
        "iat": '"$1"', "origid": "4f5b1c0e-6a3d-4c2b-9f81-2f6f0c7d9a11"}}' | sed -E 's/.*"identity":"([^"]*)".*/\1/'
}

# The request for the tests' usual call: an Identity value, and when it was made.
verification() {
    printf '{"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]}, "time": %s, "identity": "%s"}}' \
        "$2" "$1"
}

# A script for wrk that posts one body, JSON unless another type is named.
post_by_wrk() {
    printf 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "%s"\nwrk.body = [[%s]]\n' "${2:-application/json}" "$1"
}
