// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

namespace nagios {
namespace {

std::string cut(std::string_view text, std::size_t limit) {
  return text.size() <= limit ? std::string(text) : std::string(text.substr(0, limit)) + "...";
}

std::string seconds(std::int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ns) / 1e9);
  return text;
}

std::string signal_name(std::int32_t number) {
  const char* name = sigabbrev_np(number);
  return "signal " + std::to_string(number) + (name ? " (SIG" + std::string(name) + ")" : std::string());
}

/// Why the child did not end by itself; empty when it did.
std::string did_not_end(const Ended& ended) {
  if (ended.timed_out && ended.cancelled) return "cancelled after " + seconds(ended.duration_ns);
  if (ended.timed_out) return "no answer within " + seconds(ended.duration_ns) + ": it was ended";
  if (ended.signal != 0) return "it was killed by " + signal_name(ended.signal);
  return {};
}

void append_line(std::string& text, std::string_view line) {
  if (line.empty()) return;
  if (!text.empty()) text += '\n';
  text += line;
}

/// stderr, and how much of what was written is not here.
void append_rest(std::string& detail, const Ended& ended) {
  const auto err = split_output(ended.err);
  if (!err.summary.empty()) append_line(detail, "stderr: " + cut(ended.err, max_stderr_bytes));
  while (!detail.empty() && detail.back() == '\n') detail.pop_back();
  const auto lost = (ended.out_total > ended.out.size() ? ended.out_total - ended.out.size() : 0) +
                    (ended.err_total > ended.err.size() ? ended.err_total - ended.err.size() : 0);
  if (lost > 0) append_line(detail, std::to_string(lost) + " more bytes of output were not kept");
}

void note_perfdata(Verdict& verdict) {
  const auto& data = verdict.perfdata;
  if (data.malformed > 0)
    append_line(verdict.detail, std::to_string(data.malformed) + " pieces of perfdata could not be read");
  if (data.dropped > 0)
    append_line(verdict.detail, std::to_string(data.dropped) + " items of perfdata past " +
                                    std::to_string(max_items) + " were dropped");
}

/// The first thing the child said, to stdout or else to stderr.
std::string first_words(const Output& out, std::string_view err) {
  if (!out.summary.empty()) return out.summary;
  return split_output(err).summary;
}

std::string with_words(std::string reason, const std::string& words) {
  return words.empty() ? std::move(reason) : std::move(reason) + ": " + words;
}

bool contains(const std::vector<std::int64_t>& codes, std::int64_t code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

void append_quoted(std::string& out, std::string_view word) {
  constexpr std::string_view plain = "_-./:=@%+,";
  const bool safe = !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           plain.find(c) != std::string_view::npos;
  });
  if (safe) {
    out += word;
    return;
  }
  out += '\'';
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    char text[8];
    if (byte < 0x20 || byte == 0x7F)
      out.append(text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "\\x%02x", byte)));
    else
      out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  out += '\'';
}

}  // namespace

Verdict judge_plugin(const Ended& ended) {
  auto out = split_output(ended.out);
  Verdict verdict;
  verdict.detail = std::move(out.detail);
  if (const auto reason = did_not_end(ended); !reason.empty()) {
    verdict.summary = cut(with_words(reason, first_words(out, ended.err)), max_summary_bytes);
  } else if (ended.exit_code < 0 || ended.exit_code > 3) {
    verdict.summary = cut(with_words("exit code " + std::to_string(ended.exit_code) + " is none of 0 to 3",
                                     first_words(out, ended.err)),
                          max_summary_bytes);
  } else {
    verdict.state = static_cast<State>(ended.exit_code);
    verdict.summary = out.summary.empty() ? with_words("(no output)", split_output(ended.err).summary)
                                          : std::move(out.summary);
    verdict.summary = cut(verdict.summary, max_summary_bytes);
    verdict.perfdata = parse_perfdata(out.perfdata);
  }
  append_rest(verdict.detail, ended);
  note_perfdata(verdict);
  return verdict;
}

CommandVerdict judge_command(const Ended& ended, const ExitCodes& codes) {
  CommandVerdict verdict;
  const auto code = ended.exit_code;
  std::string what = did_not_end(ended);
  if (what.empty()) {
    what = "exit code " + std::to_string(code);
    if (contains(codes.unchanged, code))
      verdict.outcome = Outcome::unchanged;
    else if (contains(codes.success, code))
      verdict.outcome = Outcome::changed;
  }
  // its last line tells how a command ended, its first one only that it began
  auto text = std::string(ended.out);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  const bool failed = verdict.outcome == Outcome::failed;
  const auto err = split_output(ended.err).summary;
  const auto last = text.substr(text.rfind('\n') + 1);
  const auto& words = failed && !err.empty() ? err : (last.empty() ? err : last);
  verdict.summary = cut(failed || words.empty() ? with_words(what, words) : words, max_summary_bytes);
  verdict.detail = std::move(text);
  append_rest(verdict.detail, ended);
  return verdict;
}

std::string quoted_argv(const std::vector<std::string>& argv) {
  std::string out;
  for (const auto& word : argv) {
    if (!out.empty()) out += ' ';
    append_quoted(out, word);
  }
  return out;
}

}  // namespace nagios
