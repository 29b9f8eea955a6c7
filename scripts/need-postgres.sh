#!/usr/bin/env bash
# Makes sure that PostgreSQL's programs are there. The tests start a server of their own: where this installs the package, the
# package's own server is neither made nor started.
set -euo pipefail

have() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || { command -v initdb && command -v postgres; } >/dev/null; }
have && exit 0

here=$(dirname "$0")
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    "$here/need.sh" pg_createcluster:postgresql-common
    sed -i "s/^#\?create_main_cluster *=.*/create_main_cluster = false/" /etc/postgresql-common/createcluster.conf
fi
"$here/need.sh" initdb:postgresql || have
have
