#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# third_party.sh BUILD_DIR PART: builds plugins as an author would who has nothing but what
# `cmake --install` put into a prefix, outside our tree.
set -eu
build=$1 part=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
fail() { echo "third_party: $*" >&2; exit 1; }

cmake --install "$build" --component sdk --prefix "$prefix" > "$work/install.log" || fail "install: $(cat "$work/install.log")"
if grep -rlF "$root" "$prefix"; then fail "the files above name the build tree"; fi
share=$prefix/share/ronda/sdk
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name ronda-sdk.pc)")
export PKG_CONFIG_PATH

# by_cmake DIR NAME: configure, build, test
by_cmake() {
  cmake -S "$1" -B "$1/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug > "$1.log" 2>&1 &&
    cmake --build "$1/build" >> "$1.log" 2>&1 &&
    (cd "$1/build" && ctest --output-on-failure >> "$1.log" 2>&1) || fail "$2: $(cat "$1.log")"
  "$here/plugin_file.sh" "$1/build/$2.so" "$1/plugin.toml"
}

# from_template KIND NAME: as the guide says
from_template() {
  (cd "$work" && "$(pkg-config --variable=templatedir ronda-sdk)/new.sh" "$1" "$2" > new.log 2>&1) || fail "new.sh: $(cat "$work/new.log")"
  if grep -rn '@[A-Z]*@' "$work/$2"; then fail "a placeholder is left"; fi
}

case $part in
  check) from_template check disk-space; by_cmake "$work/disk-space" disk-space
    grep -q 'struct DiskSpace : ronda::check' "$work/disk-space/disk-space.cpp" || fail "the class has another name"
    for wrong in "check Upper" "check a/b" "checks x" "check" "check disk-space" "check x no-dot"; do
      (cd "$work" && "$share/template/new.sh" $wrong > /dev/null 2>&1) && fail "new.sh takes '$wrong'"
    done
    (cd "$work/disk-space/build" && cpack > cpack.log 2>&1) || fail "cpack: $(cat "$work/disk-space/build/cpack.log")"
    tar -tzf "$work"/disk-space/build/disk-space-0.1.0-*.tar.gz | grep -q 'lib.*/ronda/plugins/disk-space.so$' ||
      fail "the package lacks the plugin" ;;
  # agent and SDK in one prefix: new, build, run, with nothing but what is there; the build has its lint
  installed) cmake --install "$build" --prefix "$prefix" > "$work/install.log" || fail "install: $(cat "$work/install.log")"
    chmod 755 "$work"
    cd "$work"
    { "$prefix/bin/ronda" plugin new check disk-space &&
      cmake -S disk-space -B disk-space/build -DCMAKE_PREFIX_PATH="$prefix" && cmake --build disk-space/build --verbose; } > three.log 2>&1 ||
      fail "new, configure, build: $(cat three.log)"
    "$prefix/bin/ronda" plugin run disk-space/build/disk-space.so --set warn_at=100% --set crit_at=100% > run.log 2>&1 || fail "run: $(cat run.log)"
    grep -q '^OK - disk-space: / is .* full | used=' run.log || fail "run says: $(cat run.log)"
    if grep -qF "$root" three.log run.log; then fail "something of the build tree was used: $(cat three.log run.log)"; fi
    # what CMake itself does not look at: the manifest is no TOML
    printf 'this is no TOML\n' >> disk-space/plugin.toml
    if cmake --build disk-space/build > wrong.log 2>&1; then fail "a manifest that is no TOML builds"; fi
    grep -q 'bad_manifest\|plugin.toml\|manifest' wrong.log || fail "the lint does not say it: $(cat wrong.log)"
    cmake -S disk-space -B disk-space/build -DRONDA_PROGRAM=OFF > off.log && cmake --build disk-space/build >> off.log 2>&1 ||
      fail "the lint cannot be left out: $(cat off.log)" ;;
  task) from_template task tidy; by_cmake "$work/tidy" tidy ;;
  notifier) from_template notifier say; by_cmake "$work/say" say ;;
  cpp) cp -r "$share/examples/cpp-check" "$work/cpp"; by_cmake "$work/cpp" loadavg ;;
  c) cp -r "$share/examples/c-check" "$work/c"
    cmake -S "$work/c" -B "$work/c/build" -DCMAKE_PREFIX_PATH="$prefix" > "$work/c.log" 2>&1 &&
      cmake --build "$work/c/build" >> "$work/c.log" 2>&1 || fail "c: $(cat "$work/c.log")"
    "$here/plugin_file.sh" "$work/c/build/entropy.so" "$work/c/plugin.toml"
    "$build/tests/sdk/sdk_run_plugin" "$work/c/build/entropy.so" ronda.check/1 entropy low=0 |
      grep -q '^status 0: [0-9]* bits of entropy$' || fail "the C check does not run"
    if readelf -d "$work/c/build/entropy.so" | grep -q 'libstdc++'; then fail "a C plugin needs libstdc++"; fi ;;
  pkg-config) cp -r "$share/examples/c-check" "$work/c"
    make -C "$work/c" > "$work/make.log" 2>&1 || fail "make: $(cat "$work/make.log")"
    "$here/plugin_file.sh" "$work/c/entropy.so" "$work/c/plugin.toml"
    from_template check plain
    # shellcheck disable=SC2046
    (cd "$work/plain" && c++ -std=c++17 $(pkg-config --cflags ronda-sdk) -DRONDA_MANIFEST='"plugin.toml"' \
      -include ronda/manifest.h plain.cpp -o plain.so $(pkg-config --libs ronda-sdk)) || fail "c++"
    "$here/plugin_file.sh" "$work/plain/plain.so" "$work/plain/plugin.toml" ;;
  rust) command -v cargo > /dev/null || { echo "skipped: there is no cargo"; exit 77; }
    cp -r "$share/examples/rust-check" "$work/rust"
    (cd "$work/rust" && cargo build --offline --release > ../rust.log 2>&1) || fail "rust: $(cat "$work/rust.log")"
    "$here/plugin_file.sh" "$work/rust/target/release/libuptime.so" "$work/rust/plugin.toml"
    "$build/tests/sdk/sdk_run_plugin" "$work/rust/target/release/libuptime.so" ronda.check/1 uptime young=600000000000 |
      grep -q '^status [01]: up for [0-9]* s$' || fail "the Rust check does not run" ;;
  *) fail "no such part: $part" ;;
esac
