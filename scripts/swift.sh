#!/usr/bin/env bash
# Runs `swift` with the arguments given, at the checkout's root: the machine's own where there is one. A Debian
# without it, as root, gets the next Debian's in a folder of its own beside the caches: 2.6 GB, once.
#   MOA_SWIFT_ROOT: that folder (default: moa/swift-trixie in the user's cache)
set -euo pipefail

cd "$(dirname "$0")/.."
if command -v swift >/dev/null; then
    exec swift "$@"
fi

root=${MOA_SWIFT_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/moa/swift-trixie}

# What is mounted below is seen by this process and its children alone, and gone with them.
if [ "${MOA_SWIFT_MOUNTS:-}" != own ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing: swift. Please install Swift 6 (https://www.swift.org/install), or run this as root on Debian." >&2
        exit 1
    fi
    MOA_SWIFT_MOUNTS=own exec unshare --mount --propagation private "$0" "$@"
fi

# The mirror that this machine's packages come from.
mirror() {
    {
        awk '$1 == "URIs:" { print $2 }' /etc/apt/sources.list.d/*.sources
        awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; next } }' \
            /etc/apt/sources.list /etc/apt/sources.list.d/*.list
    } 2>/dev/null | grep -m1 '/debian/\?$'
}

# Processes need /proc, and /dev for the null device and randomness.
mount_system() {
    mkdir -p "$1/proc" "$1/dev"
    mount --rbind /proc "$1/proc"
    mount --rbind /dev "$1/dev"
}

install_swift() {
    local new=$root.new from
    from=$(mirror) || true
    scripts/need.sh debootstrap:debootstrap
    echo "installing Swift into $root" >&2
    rm -rf --one-file-system "$new"
    mkdir -p "$new"
    debootstrap --variant=minbase --include=ca-certificates trixie "$new" ${from:+"$from"} >"$new.log" 2>&1 ||
        { tail "$new.log" >&2; exit 1; }
    cp -r /etc/apt/apt.conf.d/. "$new/etc/apt/apt.conf.d/"
    cp /etc/resolv.conf "$new/etc/" 2>/dev/null || true
    mount_system "$new"
    DEBIAN_FRONTEND=noninteractive chroot "$new" sh -ec '
        apt-get update -qq
        apt-get install -qq -y --no-install-recommends swiftlang libc6-dev libstdc++-14-dev >/dev/null
        apt-get clean' >&2
    umount --recursive "$new/proc" "$new/dev"
    mv -T "$new" "$root"
}

# It comes to its place whole or not at all; of two who want it, one installs it.
mkdir -p "$(dirname "$root")"
exec 9>"$root.lock"
flock 9
[ -d "$root" ] || install_swift
flock --unlock 9

# The checkout stands in there under the path that it has out here, so that messages name files that exist.
checkout=$PWD
mount_system "$root"
mount -t tmpfs tmp "$root/tmp" # Swift leaves its temporary folders behind.
mkdir -p "$root$checkout"
mount --bind "$checkout" "$root$checkout"
exec chroot "$root" /usr/bin/env --chdir="$checkout" HOME=/root swift "$@"
