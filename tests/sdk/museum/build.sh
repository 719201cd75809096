#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh: adds the pieces of the SDK's present minor to the museum, once, when that minor is released. They are never
# built again: what counts is that the old bytes still run. The test is museum_test.cpp.
set -eu
cd "$(dirname "$0")"
sdk=../../../sdk
minor=$(sed -n 's/^#define RONDA_ABI_MINOR //p' $sdk/include/ronda/version.h)
version=$(sed -n 's/^#define RONDA_VERSION "\(.*\)"/\1/p' $sdk/include/ronda/version.h)
hall=1.$minor arch=$(uname -m)
[ "$arch" = x86_64 ] || { echo "build.sh: the museum shows x86_64; this is $arch" >&2; exit 1; }
[ ! -e "$hall" ] || { echo "build.sh: $hall is in the museum; its pieces stay as they are" >&2; exit 1; }

flags="-Os -ffunction-sections -fdata-sections -fPIC -fvisibility=hidden -Wall -Wextra -Wno-type-limits -I$sdk/include -DRONDA_TARGET_MINOR=$minor"
link="-shared -s -Wl,--gc-sections,-z,noseparate-code -Wl,--version-script=$sdk/cmake/ronda_plugin.map -Wl,-z,defs,-z,now,-z,relro,-z,noexecstack -Wl,--build-id"
mkdir "$hall"
gcc -std=c11 $flags -DRONDA_MANIFEST='"check.toml"' \
  -include ronda/manifest.h check.c -o "$hall/check-c-$arch.so" $link
g++ -std=c++17 $flags -fvisibility-inlines-hidden -fno-gnu-unique -DRONDA_MANIFEST='"kinds.toml"' -include ronda/manifest.h kinds.cpp \
  -o "$hall/kinds-cpp-$arch.so" $link
chmod 644 "$hall"/*.so

{
  echo "built $(date -u +%F) with SDK $version, ABI 1.$minor"
  gcc --version | head -1
  g++ --version | head -1
  ld --version | head -1
  (cd "$hall" && sha256sum -- *.so)
} > "$hall/BUILT"
ls -l "$hall"
cat "$hall/BUILT"
