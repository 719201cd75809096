/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a manifest into a plugin as an ELF note: owner RONDA, type 0x524F, readable with `readelf -n` and
 * without running anything. Allocated, so that it lies in a segment and survives strip.
 * ronda_add_plugin() of CMake does it by itself. Elsewhere: -DRONDA_MANIFEST='"plugin.toml"' and include
 * this in one source file (or `-include ronda/manifest.h`); the path is relative to the compiler's directory.
 */
#ifndef RONDA_MANIFEST
#error "define RONDA_MANIFEST as the manifest's path, in quotes"
#else
__asm__(
    ".pushsection .note.ronda.plugin, \"a\", @note\n"
    ".balign 4\n"
    ".long 2f - 1f, 4f - 3f, 0x524F\n"
    "1: .asciz \"RONDA\"\n"
    "2: .balign 4\n"
    "3: .incbin \"" RONDA_MANIFEST "\"\n"
    "4: .balign 4\n"
    ".popsection\n");
#endif
