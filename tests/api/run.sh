#!/usr/bin/env bash
# Holds a running server against its own API document with schemathesis: no answer that the document does not list, none in
# another form, none of the server's fault; as a device with a session and as nobody. `run.sh [EXAMPLES [SECONDS]]`: so many examples of each
# operation, or as many as fit in the time (each for two runs).
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
: >"$work/out"
"$moa" serve --listen 127.0.0.1:0 --data "$work/moa-data" --trace warn >"$work/out" 2>"$work/log" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$work"' EXIT
until url=$(sed -n 's/^listening on //p' "$work/out") && [ -n "$url" ]; do
    kill -0 $server || { cat "$work/log" >&2; exit 1; }
    sleep 0.05
done

# Left out: that a body which fits the schema is accepted (a code can be well-formed and wrong), and that one which does not fit
# is refused (readers ignore what they do not know).
options=(--phases examples,coverage,fuzzing,stateful --max-examples "$examples" --request-timeout 40 --no-color
    --exclude-checks positive_data_acceptance,negative_data_rejection
    --generation-deterministic)
[ -z "$seconds" ] || options+=(--max-time "$seconds")
cd "$work"
MOA_URL=$url SCHEMATHESIS_HOOKS=$here/device.py PYTHONDONTWRITEBYTECODE=1 \
    "$tools/bin/schemathesis" run "$url/openapi.json" "${options[@]}"
"$tools/bin/schemathesis" run "$url/openapi.json" "${options[@]}" --exclude-checks positive_data_acceptance,negative_data_rejection,ignored_auth

# It is well, its books are right, and it had no trouble of its own.
kill -TERM $server
wait $server
"$moa" verify --data "$work/moa-data"
if grep ' ERROR ' "$work/log"; then exit 1; fi
