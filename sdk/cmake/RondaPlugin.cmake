# SPDX-License-Identifier: Apache-2.0
# ronda_add_plugin(name SOURCES a.cpp .. MANIFEST plugin.toml [LIBRARIES x::y ..])
# Builds name.so: the manifest in an ELF note, one export, hidden visibility, missing symbols as link
# errors. It links the SDK and the given libraries, never anything of the agent. Where RONDA_PROGRAM is a `ronda` (the package
# ronda-sdk looks for it in its own prefix), each build ends with its lint, and an error of that is one of the build.
# Plugins of Ronda's own tree go to <build>/plugins, others to their own binary directory.

# Refuses what the loader would refuse for its form alone; `ronda plugin lint` judges the content.
function(ronda_check_manifest manifest)
  if(NOT EXISTS ${manifest})
    message(FATAL_ERROR "ronda_add_plugin: there is no manifest ${manifest}")
  endif()
  file(SIZE ${manifest} size)
  if(size GREATER 65536)
    message(FATAL_ERROR "ronda_add_plugin: ${manifest} has ${size} bytes; a manifest has at most 65536")
  endif()
  file(READ ${manifest} text)
  if(NOT text MATCHES "(^|\n)manifest *= *1")
    message(FATAL_ERROR "ronda_add_plugin: ${manifest} lacks the line \"manifest = 1\"")
  endif()
  file(READ ${manifest} octets HEX)
  if(octets MATCHES "^(..)*00")
    message(FATAL_ERROR "ronda_add_plugin: ${manifest} holds a NUL byte")
  endif()
endfunction()

# A source file that puts the manifest into the note; C for plugins of C alone, which need no C++ compiler.
function(ronda_manifest_source out name manifest sources)
  set(language cpp)
  if(NOT sources MATCHES "\\.(cc|cpp|cxx)(;|$)")
    set(language c)
  endif()
  set(note ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest.${language})
  file(CONFIGURE OUTPUT ${note} @ONLY
    CONTENT "#define RONDA_MANIFEST \"${manifest}\"\n#include <ronda/manifest.h>\n")
  # joined with others it would not be built anew when the manifest changes
  set_source_files_properties(${note} PROPERTIES OBJECT_DEPENDS ${manifest} SKIP_UNITY_BUILD_INCLUSION ON)
  set(${out} ${note} PARENT_SCOPE)
endfunction()

function(ronda_add_plugin name)
  cmake_parse_arguments(arg "" "MANIFEST" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT arg_SOURCES OR NOT arg_MANIFEST OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "usage: ronda_add_plugin(name SOURCES a.cpp .. MANIFEST plugin.toml [LIBRARIES ..])")
  endif()
  get_filename_component(manifest ${arg_MANIFEST} ABSOLUTE)
  ronda_check_manifest(${manifest})
  ronda_manifest_source(note ${name} ${manifest} "${arg_SOURCES}")

  add_library(${name} MODULE ${arg_SOURCES} ${note})
  target_link_libraries(${name} PRIVATE ronda::sdk ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX .so POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)

  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/ronda_plugin.map)
  set_target_properties(${name} PROPERTIES LINK_DEPENDS ${map})
  target_link_options(${name} PRIVATE -Wl,--version-script=${map} -Wl,-z,now,-z,relro,-z,noexecstack
    -Wl,--build-id)
  # a sanitizer's runtime is found only at load time
  if(NOT RONDA_SANITIZED AND NOT "${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS}" MATCHES "-fsanitize=")
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()

  if(RONDA_PROGRAM AND NOT CMAKE_CROSSCOMPILING)
    add_custom_command(TARGET ${name} POST_BUILD COMMAND ${RONDA_PROGRAM} plugin lint $<TARGET_FILE:${name}>
      COMMENT "ronda plugin lint ${name}.so" VERBATIM)
  endif()

  if(TARGET ronda_build_flags)
    target_link_libraries(${name} PRIVATE ronda_build_flags)
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  endif()
endfunction()
