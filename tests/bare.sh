#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A bare Debian 12 with nothing but git: ./dev run and ./dev test do all their own set-up and build; the one shows live checks, the
# other runs tests (all of them are built; which are run is a choice of time). Needs root (a
# root directory of its own, in a mount namespace of its own) and a Debian mirror: the host's own, or RONDA_MIRROR.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then echo 'needs root and debootstrap'; exit 77; fi
# everything that is mounted below goes with this namespace
[ "${1:-}" = inside ] || exec unshare --mount --propagation private "$0" inside

mirror=${RONDA_MIRROR:-$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
  sed -nE 's|^(URIs:\|deb( \[[^]]*\])?) *(https?://[^ ]*/debian)/?( .*)?$|\3|p' | head -1)}
[ -n "$mirror" ] || { echo 'no Debian mirror among the sources of apt'; exit 77; }

root=$(mktemp -d "${TMPDIR:-/tmp}/ronda-bare.XXXXXX")
chmod 755 "$root"  # it is the root directory of servers that do not run as root
clean() {
  umount -l "$root/proc" "$root/sys" "$root/dev" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap clean EXIT

debootstrap --variant=minbase --include=git bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -20 "$root.log"; rm -f "$root.log"; exit 1; }
rm -f "$root.log"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mount --bind /proc "$root/proc"
mount --bind /sys "$root/sys"
mount --rbind /dev "$root/dev"
git clone -q --bare . "$root/ronda.git"

env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" /bin/sh -c '
  cd /root && git clone -q /ronda.git ronda && cd ronda && ./dev run </dev/null' >"$root/out" 2>&1 ||
  { tail -60 "$root/out"; echo './dev run failed'; exit 1; }
tail -25 "$root/out"
for want in 'OK       shop' 'OK       pg ' 'OK       processes'; do
  grep -q "$want" "$root/out" || { echo "nothing of $want in the output"; exit 1; }
done

env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" /bin/sh -c '
  cd /root/ronda && ./dev test "^(base|cases|config|postgresql|whole_start)$" </dev/null' >"$root/out" 2>&1 ||
  { tail -60 "$root/out"; echo './dev test failed'; exit 1; }
tail -12 "$root/out"
grep -q '100% tests passed, 0 tests failed out of 6' "$root/out" || { echo 'not all six tests passed'; exit 1; }
echo 'ok'
