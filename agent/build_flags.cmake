# SPDX-License-Identifier: Apache-2.0
# Standard, warnings and hardening in one target, linked PRIVATE by everything of ours.
add_library(ronda_build_flags INTERFACE)
target_compile_features(ronda_build_flags INTERFACE cxx_std_20 c_std_11)
target_compile_options(ronda_build_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Wunused -Woverloaded-virtual
  -Wconversion -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${RONDA_WERROR}>:-Werror>)
# C has neither of these
foreach(flag -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual)
  get_target_property(options ronda_build_flags INTERFACE_COMPILE_OPTIONS)
  string(REPLACE "${flag}" "$<$<COMPILE_LANGUAGE:CXX>:${flag}>" options "${options}")
  set_target_properties(ronda_build_flags PROPERTIES INTERFACE_COMPILE_OPTIONS "${options}")
endforeach()
# in a unity build, which presets dev and release are, every source is an included file to g++
if(CMAKE_UNITY_BUILD)
  target_compile_options(ronda_build_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(RONDA_HARDEN AND NOT RONDA_SANITIZED)
  target_compile_options(ronda_build_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
    -fstack-clash-protection -fcf-protection=full -fno-delete-null-pointer-checks -fno-strict-overflow
    $<$<CXX_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero>)
  target_link_options(ronda_build_flags INTERFACE
    -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()
# Of the programs that are installed, in every preset: what the tests run is linked as what ships. Plugins have theirs from
# ronda_add_plugin().
add_library(ronda_program_flags INTERFACE)
target_link_options(ronda_program_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
if(RONDA_SANITIZED)
  target_compile_definitions(ronda_build_flags INTERFACE RONDA_SANITIZED=1)
endif()
