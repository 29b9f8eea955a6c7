#!/usr/bin/env bash
# Makes sure that programs, or files by their whole path, are there: need.sh PROGRAM_OR_FILE:PACKAGE...
# On Debian as root it installs the packages that are missing; elsewhere it says what to install.
set -euo pipefail

packages=()
programs=()
for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || [ -f "${pair%%:*}" ] || { programs+=("${pair%%:*}"); packages+=("${pair#*:}"); }
done
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${packages[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null; }
else
    echo "missing: ${programs[*]}. Please install (Debian: apt-get install ${packages[*]})." >&2
    exit 1
fi
