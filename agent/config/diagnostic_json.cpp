// SPDX-License-Identifier: Apache-2.0
// Diagnostics for programs: a plain JSON list, and SARIF 2.1.0 (OASIS) for editors and code hosts.
#include <array>
#include <cstdio>

#include "base/text.hpp"
#include "config/diagnostic.hpp"

namespace ronda::config {
namespace {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : repair_utf8(text, text.size() * 3)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string_view level(const Diagnostic& diagnostic) {
  return diagnostic.severity == Severity::error ? "error" : "warning";
}

std::string full_message(const Diagnostic& diagnostic, const Sources& sources) {
  if (!diagnostic.first) return diagnostic.message;
  return diagnostic.message + "; the first is at " + place_text(*diagnostic.first, sources);
}

/// RFC 3986 path: what is not unreserved or a slash is percent-encoded.
std::string uri_path(std::string_view path) {
  constexpr std::string_view plain = "-._~/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += code.data();
  }
  return out;
}

std::string sarif_location(Place place, const Sources& sources) {
  if (place.file >= sources.size()) return {};
  std::string out = R"({"physicalLocation":{"artifactLocation":{"uri":)" +
                    json_string(uri_path(sources[place.file].path)) + "}";
  if (place.line > 0) {
    out += R"(,"region":{"startLine":)" + std::to_string(place.line);
    if (place.column > 0) out += R"(,"startColumn":)" + std::to_string(place.column);
    out += "}";
  }
  return out + "}}";
}

std::string sarif_result(const Diagnostic& diagnostic, const Sources& sources) {
  std::string out = R"({"ruleId":"config","level":")" + std::string(level(diagnostic)) +
                    R"(","message":{"text":)" + json_string(full_message(diagnostic, sources)) +
                    R"(},"locations":[)" + sarif_location(diagnostic.where, sources) + "]";
  if (diagnostic.first) out += R"(,"relatedLocations":[)" + sarif_location(*diagnostic.first, sources) + "]";
  return out + "}";
}

}  // namespace

std::string to_json(const Diagnostics& diagnostics, const Sources& sources) {
  std::string out = "[";
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (out.size() > 1) out += ",";
    out += "{";
    const Place where = diagnostic.where;
    if (where.file < sources.size()) out += R"("file":)" + json_string(sources[where.file].path) + ",";
    if (where.line > 0) out += R"("line":)" + std::to_string(where.line) + ",";
    if (where.column > 0) out += R"("column":)" + std::to_string(where.column) + ",";
    out += R"("severity":")" + std::string(level(diagnostic)) + R"(","message":)" +
           json_string(full_message(diagnostic, sources)) + "}";
  }
  return out + "]";
}

std::string to_sarif(const Diagnostics& diagnostics, const Sources& sources, std::string_view version) {
  std::string results;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (!results.empty()) results += ",";
    results += sarif_result(diagnostic, sources);
  }
  return R"({"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":)"
         R"({"name":"ronda","version":)" +
         json_string(version) +
         R"(,"rules":[{"id":"config"}]}},"columnKind":"unicodeCodePoints","results":[)" + results + "]}]}\n";
}

}  // namespace ronda::config
