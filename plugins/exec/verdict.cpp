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

/// The bytes of the character that a text begins with, 0 where it is none in UTF-8.
std::size_t character(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = at(0), second = at(1);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0U) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((at(i) & 0xC0U) != 0x80) return 0;
  const bool no_such = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
                       (first == 0xF4 && second > 0x8F);
  return no_such ? 0 : bytes;
}

/// How much of a text is shown in `room` bytes: what is no character is shown as one of three.
std::size_t fitting(std::string_view text, std::size_t room) {
  std::size_t shown = 0, at = 0;
  while (at < text.size()) {
    const std::size_t bytes = character(text.substr(at));
    shown += bytes == 0 ? 3 : bytes;
    if (shown > room) break;
    at += std::max<std::size_t>(bytes, 1);
  }
  return at;
}

/// Behind the child's own words stderr, how much of what was written is not here, and `notes`. The host cuts a detail that is
/// too long at its end: so that this stands, the child's words are cut here.
void complete(std::string& detail, const Ended& ended, const std::string& notes) {
  constexpr std::size_t of_sentence = 80;
  const auto err = split_output(ended.err);
  std::string rest = err.summary.empty() ? std::string() : "stderr: " + cut(ended.err, max_stderr_bytes);
  while (!rest.empty() && rest.back() == '\n') rest.pop_back();
  auto lost = (ended.out_total > ended.out.size() ? ended.out_total - ended.out.size() : 0) +
              (ended.err_total > ended.err.size() ? ended.err_total - ended.err.size() : 0);
  const std::size_t fits = fitting(detail, max_detail_bytes - of_sentence - notes.size() - 3 * rest.size());
  lost += detail.size() - fits;
  detail.resize(fits);
  append_line(detail, rest);
  while (!detail.empty() && detail.back() == '\n') detail.pop_back();
  if (lost > 0) append_line(detail, std::to_string(lost) + " more bytes of output were not kept");
  append_line(detail, notes);
}

std::string notes_on(const Perfdata& data) {
  std::string notes;
  if (data.malformed > 0) append_line(notes, std::to_string(data.malformed) + " pieces of perfdata could not be read");
  if (data.dropped > 0)
    append_line(notes, std::to_string(data.dropped) + " items of perfdata past " + std::to_string(max_items) + " were dropped");
  return notes;
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
  complete(verdict.detail, ended, notes_on(verdict.perfdata));
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
  complete(verdict.detail, ended, {});
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
