#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A bare Debian 12 with nothing but git, once for each: ./dev run and ./dev test do all their own set-up and build; the one shows
# live checks, the other runs tests (all of them are built; which are run is a choice of time). Needs root (root directories
# of its own, in a mount namespace of its own) and a Debian mirror: the host's own, or RONDA_MIRROR.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then echo 'needs root and debootstrap'; exit 77; fi
# everything that is mounted below goes with this namespace
[ "${1:-}" = inside ] || exec unshare --mount --propagation private "$0" inside

mirror=${RONDA_MIRROR:-$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
  sed -nE 's|^(URIs:\|deb( \[[^]]*\])?) *(https?://[^ ]*/debian)/?( .*)?$|\3|p' | head -1)}
[ -n "$mirror" ] || { echo 'no Debian mirror among the sources of apt'; exit 77; }

top=$(mktemp -d "${TMPDIR:-/tmp}/ronda-bare.XXXXXX")
bare=$top/bare
chmod 755 "$top"  # below it are root directories of servers that do not run as root
clean() {
  for root in "$top"/*/; do umount -l "$root/proc" "$root/sys" "$root/dev" 2>/dev/null || true; done
  rm -rf --one-file-system "$top"
}
trap clean EXIT

mkdir -m 755 "$bare"
debootstrap --variant=minbase --include=git bookworm "$bare" "$mirror" >"$top/log" 2>&1 || { tail -20 "$top/log"; exit 1; }
cp /etc/resolv.conf /etc/hosts "$bare/etc/"
git clone -q --bare . "$bare/ronda.git"

# in_bare VERB OUTPUT WORDS: ./dev WORDS in a clone, in a root of its own, in which nobody has set up or built anything yet
in_bare() {
  local root=$top/$1 out=$2
  cp -a "$bare" "$root"
  mount --bind /proc "$root/proc"
  mount --bind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" /bin/sh -c '
    cd /root && git clone -q /ronda.git ronda && cd ronda && ./dev "$@" </dev/null' dev "${@:3}" >"$out" 2>&1 ||
    { tail -60 "$out"; echo "./dev $1 failed"; exit 1; }
}

in_bare run "$top/run.out" run
tail -25 "$top/run.out"
for want in 'OK       shop' 'OK       pg ' 'OK       processes'; do
  grep -q "$want" "$top/run.out" || { echo "nothing of $want in the output"; exit 1; }
done

in_bare test "$top/test.out" test '^(base|cases|config|postgresql|whole_start)$'
tail -12 "$top/test.out"
grep -q '100% tests passed, 0 tests failed out of 5' "$top/test.out" || { echo 'not all five tests passed'; exit 1; }
echo 'ok'
