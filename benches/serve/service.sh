# What the load scripts share: a service that starts or says why not, and the request that wrk repeats.
# Wants $binary and $folder, with stirtrace.toml in it.

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

# The request for the tests' usual call: an Identity value, and when it was made.
verification() {
    printf '{"verificationRequest": {"from": {"tn": "12155550112"}, "to": {"tn": ["12155550131"]}, "time": %s, "identity": "%s"}}' \
        "$2" "$1"
}

# A script for wrk that posts one body.
post_by_wrk() {
    printf 'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[%s]]\n' "$1"
}
