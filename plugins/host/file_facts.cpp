// SPDX-License-Identifier: Apache-2.0
#include "file_facts.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "text.hpp"

namespace host {
namespace {

constexpr auto bad = ronda::status::critical;

void judge_numbers(const FileFacts& facts, const FileWishes& wishes, Verdict& verdict) {
  const auto size = ronda::human_bytes(static_cast<double>(facts.size));
  if (wishes.min_size && facts.size < *wishes.min_size) {
    verdict.add(bad, "too small: " + size);
  }
  if (wishes.max_size && facts.size > *wishes.max_size) {
    verdict.add(bad, "too large: " + size);
  }
  if (wishes.owner && facts.owner != *wishes.owner) {
    verdict.add(bad, ronda::text("owner is ", facts.owner, ", not ", *wishes.owner));
  }
  if (wishes.group && facts.group != *wishes.group) {
    verdict.add(bad, ronda::text("group is ", facts.group, ", not ", *wishes.group));
  }
}

void judge_content(const FileFacts& facts, const FileWishes& wishes, Verdict& verdict) {
  if (facts.sha256 == wishes.sha256) return;
  if (!facts.sha256.empty()) {
    verdict.add(bad, "sha256 is " + facts.sha256 + ", not the expected one");
  } else if (facts.read_error == 0) {
    verdict.add(bad, "is no regular file: it has no content whose sha256 could be the expected one");
  } else {
    verdict.add(ronda::status::unknown, "its content was not compared: " + cannot_read(facts.read_error));
  }
}

using Line = std::pair<std::string_view, std::string>;

std::array<Line, 7> baseline_lines(const FileFacts& facts) {
  return {{{"type", facts.type},
           {"target", shown(facts.target, 4096)},
           {"mode", mode_text(facts.mode)},
           {"owner", std::to_string(facts.owner)},
           {"group", std::to_string(facts.group)},
           {"size", std::to_string(facts.size)},
           {"sha256", facts.sha256}}};
}

}  // namespace

std::string cannot_read(int error) {
  std::string text = std::strerror(error);
  if (error == EACCES) text += R"(; let its user read it, or give the check user = "root", which trust.toml has to allow)";
  return text;
}

Verdict judge_file(const FileFacts& facts, const FileWishes& wishes, std::int64_t now_s) {
  Verdict verdict;
  const std::int64_t age_s = now_s - facts.changed_s;
  const std::string age =
      age_s < 0 ? "changed " + span_text(-age_s) + " in the future" : span_text(age_s) + " old";
  const bool too_old = wishes.max_age_s && age_s > *wishes.max_age_s;
  verdict.add(too_old ? bad : ronda::status::ok,
              too_old ? age + ", more than " + span_text(*wishes.max_age_s)
                      : age + ", " + ronda::human_bytes(static_cast<double>(facts.size)));
  judge_numbers(facts, wishes, verdict);
  if (wishes.mode && facts.mode != *wishes.mode) {
    verdict.add(bad, "mode is " + mode_text(facts.mode) + ", not " + mode_text(*wishes.mode));
  }
  if (!wishes.sha256.empty()) judge_content(facts, wishes, verdict);
  return verdict;
}

std::optional<std::uint32_t> parse_mode(std::string_view text) {
  std::uint32_t mode = 0;
  if (text.empty() || text.size() > 5) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (mode > 07777) return std::nullopt;
  return mode;
}

std::string mode_text(std::uint32_t mode) {
  std::array<char, 16> out;
  std::snprintf(out.data(), out.size(), "%04o", mode & 07777U);
  return out.data();
}

std::optional<std::uint32_t> find_id(std::string_view text, std::string_view name_or_number) {
  if (const auto number = to_u64(name_or_number)) return static_cast<std::uint32_t>(*number);
  std::string_view line;
  while (next_line(text, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || line.substr(0, first) != name_or_number) continue;
    const std::string_view rest = line.substr(second + 1);
    const auto id = to_u64(rest.substr(0, rest.find(':')));
    if (id) return static_cast<std::uint32_t>(*id);
  }
  return std::nullopt;
}

std::string format_baseline(const FileFacts& facts) {
  std::string out;
  for (const auto& [name, value] : baseline_lines(facts)) out += std::string(name) + " " + value + "\n";
  return out;
}

std::vector<std::string> drift(std::string_view baseline, const FileFacts& facts) {
  std::vector<std::string> out;
  for (const auto& [name, now] : baseline_lines(facts)) {
    std::string_view line;
    if (!next_line(baseline, line) || line.substr(0, name.size()) != name || line.size() <= name.size()) {
      return {"the baseline cannot be read"};
    }
    const std::string_view before = line.substr(name.size() + 1);
    if (before == now) continue;
    const auto said = [](std::string_view value) {
      return value.empty() ? "none" : shown(value.substr(0, 64));
    };
    out.push_back(std::string(name) + " " + said(now) + ", was " + said(before));
  }
  return out;
}

}  // namespace host
