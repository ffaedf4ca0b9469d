# What the commands of this folder have in common; they are run from the root of the repository.
# shellcheck shell=bash

say() { printf 'contract: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# A part that cannot be run here ends so, and tests/contract/run names it. With CI=true that is a failure.
left_out=3
leave_out() {
    say "left out: $*"
    exit "$left_out"
}

target=$(realpath -m -- "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target
# nothing that is made lies among the sources
export PYTHONDONTWRITEBYTECODE=1
# what the caller's shell happens to hold must not decide what is tested
unset DATABASE_URL DATABASE_OWNER_URL REDIS_URL STORAGE_URL SMTP_URL

# The program under test. PELATIS_BIN names one that is built already.
build_pelatis() {
    if [ -n "${PELATIS_BIN:-}" ]; then
        [ -x "$PELATIS_BIN" ] || die "PELATIS_BIN is no program: $PELATIS_BIN"
        return
    fi
    local locked=()
    [ "${CI:-}" != true ] || locked=(--locked)
    # with the whole workspace's features, as in tests/run: otherwise it would be built a second time
    cargo build --quiet "${locked[@]}" --workspace --bin pelatis || die "the program cannot be built"
    export PELATIS_BIN=$target/debug/pelatis
}
