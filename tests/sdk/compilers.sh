#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compilers.sh BUILD_DIR gcc|clang|c|refused: one check, built with each compiler, language, standard library and set of flags
# that an author may have, must give the same answers through the C border, alone and all of them in one agent. What cannot work
# is refused, with the reason.
set -euo pipefail
build=$1 part=$2
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/live.sh
. "$here/../support/live.sh"
live_bin=$build/bin live_plugins=$live_dir/plugins
live_options=(--config "$live_dir/conf.d" --plugins "$live_plugins" --state "$live_dir/state" --socket "$live_dir/ronda.sock")
mkdir -p "$live_plugins" "$live_dir/conf.d" "$live_dir/refused"

cmake --install "$build" --component sdk --prefix "$live_dir/prefix" >"$live_dir/install.log" || { cat "$live_dir/install.log"; exit 1; }
PKG_CONFIG_PATH=$(dirname "$(find "$live_dir/prefix" -name ronda-sdk.pc)")
export PKG_CONFIG_PATH
read -ra cflags < <(pkg-config --cflags ronda-sdk)
read -ra libs < <(pkg-config --libs ronda-sdk)

failed=0
complain() { echo "compilers: $*" >&2; failed=1; }
has() { command -v "$1" >/dev/null; }

# links FILE NAME COMPILER FLAG ...: the plugin NAME, with a manifest of its own; what the compiler says is in $live_dir/compiler.log
links() {
  local file=$1 name=$2
  shift 2
  sed "s/^\(id\|name\) = \"\(.*everything\)\"/\1 = \"\2-$name\"/" "$here/compilers/plugin.toml" >"$live_dir/$name.toml"
  "$@" "${cflags[@]}" "-DRONDA_MANIFEST=\"$live_dir/$name.toml\"" -include ronda/manifest.h -o "$file" "${libs[@]}" >"$live_dir/compiler.log" 2>&1
}

# answers FILE: what three runs give, without what is different each time; a run that ends badly exits so, and what it says is compared
answers() {
  local end
  for end in result error odd; do
    "$live_bin/ronda" plugin run "$1" --set end=$end --output json 2>&1 |
      sed -E 's/"procedure":"everything-[a-z0-9-]+",//; s/"duration_ns":[0-9]+,//' || true
  done
}

# holds NAME COMPILER FLAG ...: it compiles without a warning, and does the same as all others
holds() {
  local name=$1 file=$live_plugins/$1.so
  echo "$*"
  links "$file" "$name" "${@:2}" -Wall -Wextra -Werror || { complain "$*: does not compile: $(cat "$live_dir/compiler.log")"; return; }
  local judged
  # of a library that is within the file lint sees what it calls, and warns
  if ! judged=$("$live_bin/ronda" plugin lint "$file" 2>&1) || { [[ $name != *-static && $name != libcxx-* ]] && [ "$judged" != "$file: nothing to correct" ]; }; then
    complain "$*: $judged"
  fi
  "$live_bin/ronda" plugin test "$file" >"$live_dir/test.log" 2>&1 || complain "$*: $(grep -v ^pass "$live_dir/test.log")"
  answers "$file" | diff "$here/compilers/expected.json" - >"$live_dir/diff.log" || complain "$*: answers differ: $(cat "$live_dir/diff.log")"
  printf '[check.%s]\nuse = "everything-%s"\nevery = "1h"\n' "$name" "$name" >"$live_dir/conf.d/$name.toml"
}

# NAME is what its flags say: it asks the libraries for this, or not
asks() {
  local all
  all=$(nm -D --undefined-only "$live_plugins/$1.so" && readelf -dW "$live_plugins/$1.so")
  [[ $all == *"$2"* ]]
}
shows() { asks "$1" "$2" || complain "$1 does not ask for $2"; }
lacks() { ! asks "$1" "$2" || complain "$1 asks for $2"; }

# in_one_agent: all that were built, each in a runner of one and the same agent
in_one_agent() {
  local name line status count
  count=$(find "$live_plugins" -name '*.so' | wc -l)
  # shellcheck disable=SC2119
  live_agent || { complain "the agent does not start"; return; }
  for file in "$live_plugins"/*.so; do
    name=$(basename "$file" .so) status=0
    line=$(live_ronda check "$name") || status=$?
    case "$status $line" in
      "1 WARNING - $name: a name that is longer than any small string waits 90s, 12.5%, no more | share=12.5%"*) ;;
      *) complain "$name in the agent: exit $status: $line" ;;
    esac
  done
  [ "$(live_ronda status --output json | python3 -c 'import json, sys
print(sum(p["state"] == "running" for p in json.load(sys.stdin)["plugins"]))')" = "$count" ] ||
    complain "not all $count plugins run: $(live_ronda status)"
}

# refuses TEXT COMPILER FLAG ...: it does not compile, and says so
refuses() {
  local text=$1
  shift
  echo "$*"
  if "$@" "${cflags[@]}" -fsyntax-only >"$live_dir/compiler.log" 2>&1; then complain "$*: compiles"; fi
  grep -qF -- "$text" "$live_dir/compiler.log" || complain "$*: does not say '$text': $(head -5 "$live_dir/compiler.log")"
}

# The answers that all others give are not given by a plugin whose calls go wrong. This flag leaves no mark in the file: it is
# refused by nobody.
breaks_a_call() {
  links "$live_dir/refused/call.so" call gcc -std=c11 -O2 -fpcc-struct-return "${c[@]}" || { complain "$(cat "$live_dir/compiler.log")"; return; }
  if answers "$live_dir/refused/call.so" | diff -q "$here/compilers/expected.json" - >/dev/null; then
    complain "a broken call gives the same answers as a sound one"
  fi
}

# A sanitizer wants to be the first in its process: its plugin is not loaded, and the reason is told.
refuses_sanitizer() {
  local file=$live_dir/refused/asan.so status=0
  links "$file" asan gcc -std=c11 -O1 -fsanitize=address "${c[@]}" || { echo "there is no libasan: $(head -3 "$live_dir/compiler.log")"; return; }
  "$live_bin/ronda" plugin run "$file" >"$live_dir/asan.log" 2>&1 || status=$?
  if [ "$status" != 3 ] || ! grep -q '^UNKNOWN .* while it was loaded$' "$live_dir/asan.log" ||
    ! grep -q 'ASan runtime does not come first' "$live_dir/asan.log"; then
    complain "a plugin under ASan: exit $status: $(head -5 "$live_dir/asan.log")"
  fi
}

# The shared libc++ would meet the runner's libstdc++, which has functions of the same names for other exceptions.
refuses_shared_libcxx() {
  local file=$live_dir/refused/libcxx.so said status=0
  [ -d /usr/lib/llvm-14/include/c++/v1 ] || { complain "there is no libc++ for clang 14: install libc++-14-dev libc++abi-14-dev"; return; }
  links "$file" libcxx clang++-14 -stdlib=libc++ -std=c++17 -O1 "${cpp[@]}" || { complain "$(head -5 "$live_dir/compiler.log")"; return; }
  said=$("$live_bin/ronda" plugin run "$file" 2>&1) || status=$?
  if [ "$status" != 3 ] || [[ $said != *"needs the library 'libc++.so.1', which shares names with the libstdc++"* ]]; then
    complain "a plugin with the shared libc++: exit $status: $said"
  fi
  said=$("$live_bin/ronda" plugin lint "$file" 2>&1) && complain "lint takes a plugin with the shared libc++"
  [[ $said == *"-static-libstdc++"* ]] || complain "lint of a plugin with the shared libc++: $said"
}

cpp=("$here/compilers/everything.cpp")
c=("$here/compilers/everything.c")

# what both compilers can do with libstdc++: common PREFIX COMPILER FLAG ...
common() {
  local prefix=$1
  shift
  holds "$prefix-17-o0" "$@" -std=c++17 -O0 "${cpp[@]}"
  holds "$prefix-17-o2" "$@" -std=c++17 -O2 "${cpp[@]}"
  holds "$prefix-20-o3" "$@" -std=c++20 -O3 "${cpp[@]}"
  holds "$prefix-23-fast" "$@" -std=c++2b -Ofast "${cpp[@]}"
  holds "$prefix-flto" "$@" -std=c++17 -O2 -flto "${cpp[@]}"
  holds "$prefix-no-rtti" "$@" -std=c++20 -O1 -fno-rtti "${cpp[@]}"
  holds "$prefix-short" "$@" -std=c++17 -O2 -fshort-enums -fshort-wchar -funsigned-char "${cpp[@]}"
  holds "$prefix-hardened" "$@" -std=c++17 -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-all -fcf-protection=full -D_GLIBCXX_ASSERTIONS "${cpp[@]}"
}
of_libstdcxx() {
  local prefix=$1
  shift
  holds "$prefix-abi0" "$@" -std=c++17 -O1 -D_GLIBCXX_USE_CXX11_ABI=0 "${cpp[@]}"
  lacks "$prefix-abi0" __cxx11
  shows "$prefix-17-o2" __cxx11
  holds "$prefix-debug" "$@" -std=c++17 -O0 -D_GLIBCXX_DEBUG "${cpp[@]}"
  shows "$prefix-debug" __gnu_debug
  holds "$prefix-debug-abi0" "$@" -std=c++20 -O2 -D_GLIBCXX_DEBUG -D_GLIBCXX_USE_CXX11_ABI=0 "${cpp[@]}"
  holds "$prefix-static" "$@" -std=c++17 -O2 -static-libstdc++ -static-libgcc "${cpp[@]}"
  lacks "$prefix-static" libstdc++
  lacks "$prefix-static" libgcc
}
of_c() {
  local prefix=$1
  shift
  holds "$prefix-11-o0" "$@" -std=c11 -O0 "${c[@]}"
  holds "$prefix-11-o3" "$@" -std=c11 -O3 "${c[@]}"
  holds "$prefix-17-flto" "$@" -std=gnu17 -O2 -flto "${c[@]}"
  holds "$prefix-short" "$@" -std=c11 -O2 -fshort-enums -fshort-wchar -funsigned-char "${c[@]}"
  holds "$prefix-packed" "$@" -std=c11 -O2 -fpack-struct -Wno-address-of-packed-member "${c[@]}"
}
of_bare_cpp() {
  local prefix=$1
  shift
  holds "$prefix-bare" "$@" -std=c++17 -O2 -fno-exceptions -fno-rtti -x c++ "${c[@]}" -x none
  lacks "$prefix-bare" __gxx_personality
}

case $part in
  gcc)
    has g++ || { echo 'skipped: there is no g++'; exit 77; }
    for compiler in g++ g++-11 g++-13 g++-14; do  # those that are there
      has $compiler || continue
      prefix=${compiler//+/x}
      common "$prefix" $compiler -fno-gnu-unique
      of_libstdcxx "$prefix" $compiler -fno-gnu-unique
      holds "$prefix-unique" $compiler -std=c++17 -O0 "${cpp[@]}"  # the version script alone
    done
    in_one_agent ;;
  clang)
    has clang++-14 || { echo 'skipped: there is no clang++-14'; exit 77; }
    common clang clang++-14
    of_libstdcxx clang clang++-14
    if [ -d /usr/lib/llvm-14/include/c++/v1 ]; then
      common libcxx clang++-14 -stdlib=libc++ -static-libstdc++
      lacks libcxx-17-o2 libstdc++
      lacks libcxx-17-o2 libc++
    else
      complain "there is no libc++ for clang 14: install libc++-14-dev libc++abi-14-dev"
    fi
    in_one_agent ;;
  c)
    of_c gcc gcc
    of_bare_cpp gxx g++
    if has clang-14; then of_c clang clang-14; of_bare_cpp clangxx clang++-14; else complain "there is no clang-14"; fi
    in_one_agent ;;
  refused)
    for compiler in g++ clang++-14; do
      has $compiler || { complain "there is no $compiler"; continue; }
      refuses 'needs exceptions: leave out -fno-exceptions' $compiler -std=c++17 -fno-exceptions "${cpp[@]}"
      refuses 'needs C++17: give -std=c++17 or later' $compiler -std=c++14 "${cpp[@]}"
      refuses 'leave out -fpack-struct and #pragma pack' $compiler -std=c++17 -fpack-struct "${cpp[@]}"
      printf '#pragma pack(1)\n#include <ronda/plugin.hpp>\n' >"$live_dir/packed.cpp"
      refuses 'leave out -fpack-struct and #pragma pack' $compiler -std=c++20 "$live_dir/packed.cpp"
    done
    if [ "$(uname -m)" = x86_64 ]; then
      refuses 'without -mabi=ms' g++ -std=c++17 -mabi=ms "${cpp[@]}"
      refuses 'without -mabi=ms' gcc -std=c11 -mabi=ms "${c[@]}"
      echo '#include <ronda/abi.h>' >"$live_dir/small.c"
      refuses 'the agent loads 64-bit plugins only' gcc -std=c11 -m32 -ffreestanding "$live_dir/small.c"
      refuses 'the agent loads 64-bit plugins only' gcc -std=c11 -mx32 -ffreestanding "$live_dir/small.c"
      breaks_a_call
    fi
    refuses_shared_libcxx
    refuses_sanitizer ;;
  *) complain "no such part: $part" ;;
esac
exit "$failed"
