#!/usr/bin/env bash
# Holds a running server against its own API document with schemathesis: no answer that the document does not list, none in
# another form, none of the server's fault; as nobody, and in a session of each role. `run.sh [EXAMPLES [SECONDS]]`: so many examples of each
# operation, or as many as fit in the time (each for a buyer and for nobody; a fifth of it for each other role).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
examples=${1:-10}
seconds=${2:-}
moa=${MOA:-$here/../../target/debug/moa}

# The tools live outside the checkout, in a folder named by what is in it.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/moa/api-$(sha256sum <"$here/requirements.txt" | cut -c1-12)
if [ ! -x "$tools/bin/schemathesis" ]; then
    python3 -m venv --clear "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT
serve() {
    : >"$work/out"
    "$moa" serve --listen 127.0.0.1:0 --data "$work/moa-data" --trace warn >"$work/out" 2>>"$work/log" &
    server=$!
    until url=$(sed -n 's/^listening on //p' "$work/out") && [ -n "$url" ]; do
        kill -0 $server || { cat "$work/log" >&2; exit 1; }
        sleep 0.05
    done
    export MOA_URL=$url
}
stop() {
    kill -TERM $server
    wait $server
    server=
}
export PYTHONDONTWRITEBYTECODE=1 MOA_KEY=$work/operator.pem

# Who runs it for everyone is said where it does not run.
serve
number=$("$tools/bin/python" "$here/device.py" "$MOA_KEY")
stop
"$moa" operator appoint "$number" --data "$work/moa-data"
serve

# Left out: that a body which fits the schema is accepted (a code can be well-formed and wrong), and that one which does not fit
# is refused (readers ignore what they do not know).
options=(--phases examples,coverage,fuzzing,stateful --request-timeout 40 --no-color --generation-deterministic)
excluded=positive_data_acceptance,negative_data_rejection
run() {
    local most=(--max-examples "$1")
    [ -z "$seconds" ] || most+=(--max-time "$((seconds / $2))")
    shift 2
    "$tools/bin/schemathesis" run "$url/openapi.json" "${options[@]}" "${most[@]}" "$@"
}
cd "$work"
run "$examples" 1 --exclude-checks $excluded,ignored_auth
export SCHEMATHESIS_HOOKS=$here/device.py
MOA_ROLE=buyer run "$examples" 1 --exclude-checks $excluded
for role in staff owner group_admin operator browser service; do
    echo "as $role"
    MOA_ROLE=$role run $((examples / 5 + 1)) 5 --exclude-checks $excluded
done

# It is well, its books are right, and it had no trouble of its own.
stop
"$moa" verify --data "$work/moa-data"
if grep ' ERROR ' "$work/log"; then exit 1; fi
