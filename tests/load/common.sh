# What the load commands share; sourced by them from the root of the repository. They set `work`, where everything is kept, and for each
# server `dir` and `settings`.
# shellcheck shell=bash

say() { printf 'load: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

target=$(realpath -m -- "${CARGO_TARGET_DIR:-target}")
pelatis=$target/release/pelatis
load=$target/release/pelatis-load
# two workers and 16 connections on both sides, whatever the machine has
workers=2
connections=16
email=load@pelatis.example
password="$(head -c 18 /dev/urandom | base64 | tr -d '/+=')-Φ9"
workspace=load

work=
services=
# process ids of servers that this script started and has not ended
running=()

is_running() { [ "$(realpath "/proc/$1/exe" 2>/dev/null || true)" = "$2" ]; }

# end PID: numbers of processes are used again, so only our own programs are ended.
end() {
    local pid=$1 left=() other program
    for other in "${running[@]}"; do [ "$other" = "$pid" ] || left+=("$other"); done
    running=("${left[@]}")
    for program in "$pelatis" "$load"; do
        is_running "$pid" "$program" || continue
        kill -s TERM "$pid"
        for _ in $(seq 350); do
            is_running "$pid" "$program" || return 0
            sleep 0.1
        done
        say "process $pid does not end by itself and is killed"
        kill -s KILL "$pid" || true
    done
}

clean_up() {
    local code=$? pid
    trap - EXIT
    for pid in "${running[@]}"; do end "$pid" || true; done
    if [ -n "$services" ] && [ -e "$services/.services" ]; then tests/services stop "$services" || true; fi
    if [ -n "$work" ] && [ -z "$keep" ]; then rm -rf -- "$work"; fi
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

install_wrk() {
    command -v wrk >/dev/null || tests/packages wrk
    command -v wrk >/dev/null || die "wrk is missing (install the package wrk)"
}

# One package at a time: built together, the server would get features of its dependencies that only the other one wants.
build() {
    say "building"
    cargo build --release --package pelatis --bin pelatis
    cargo build --release --package pelatis-load
}

note() { "$load" note --file "$work/record" --engine "$engine" --what "$1" --value "$2" --unit "$3" ${4:+--below "$4"}; }

# start OUTPUT COMMAND…: sets pid, port and took. It knows of the environment only what stands in settings.
start() {
    local output=$1 started
    shift
    started=$("$load" start --folder "$dir" --output "$output" "${settings[@]/#/--env=}" -- "$@")
    read -r pid port took <<<"$started"
    running+=("$pid")
}

most_resident_mb() { awk '$1 == "VmHWM:" { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

resident_mb() { awk '$1 == "VmRSS:" { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

seconds_since() { awk -v began="$1" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.2f", now - began }'; }

# Makes the working folder: the one that is to be kept, or one of its own.
make_work() {
    if [ -n "$keep" ]; then
        mkdir -p "$keep"
        [ -z "$(ls -A "$keep")" ] || die "$keep is not empty"
        work=$(realpath -- "$keep")
    else
        work=$(mktemp -d "${TMPDIR:-/tmp}/pelatis-load.XXXXXX")
    fi
    remarks=()
    if [ "$(stat -f -c %T "$work")" = tmpfs ]; then
        remarks+=(--remark "$work is in memory: what a commit costs on a disk is not in these figures. Set TMPDIR to a folder on a disk.")
    fi
}

# Starts a private PostgreSQL that keeps what it commits.
start_postgres() {
    services=$(mktemp -d "${TMPDIR:-/tmp}/pelatis-load-services.XXXXXX")
    PELATIS_SERVICES_DURABLE=1 tests/services start "$services"
    # shellcheck source=/dev/null
    . "$services/env"
    [ -n "${PELATIS_TEST_POSTGRES:-}" ] || die "there is no PostgreSQL; --engine sqlite does without"
}

# settle_on DATABASE: the settings of a server in dir. How long it takes does not depend on what the caller's shell holds.
settle_on() {
    settings=("HOME=$dir" "DATABASE_URL=$1" "PELATIS_DATA_DIR=$dir/data"
        "PELATIS_DATABASE_CONNECTIONS=$connections" "PELATIS_WORKERS=$workers" PELATIS_LOG=warn
        PELATIS_RATE_LIMIT_PER_MINUTE=1000000 PELATIS_BULK_PER_MINUTE=10000 PELATIS_UPLOADS_PER_MINUTE=10000 PELATIS_ACCESS_TOKEN_MINUTES=1440
        # nobody listens there: mails, and their jobs, stay to be looked at
        "SMTP_URL=smtp://127.0.0.1:9?tls=none" PELATIS_MAIL_FROM=load@pelatis.example)
    case $1 in postgres*) settings+=("DATABASE_OWNER_URL=$1") ;; esac
}

# set_up OUTPUT: the first administrator and workspace of the server at port, whose set-up code stands in OUTPUT; the token in dir.
set_up() {
    "$load" setup --server "127.0.0.1:$port" --output "$1" --email "$email" --password "$password" \
        --workspace "$workspace" >"$dir/token"
}

# import CSV: brings clients in through the program, while the server runs.
import() {
    (cd "$dir" && env -i "PATH=$PATH" "${settings[@]}" "$pelatis" import csv "$1" --workspace "$workspace" --as "$email") \
        >"$dir/import.log" 2>&1 || { tail -n 20 "$dir/import.log" >&2; die "the import failed"; }
}
