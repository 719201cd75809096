// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_signature.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <map>
#include <vector>

#include "base/descriptor.hpp"
#include "base/safe_path.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/plugin_child.hpp"

namespace ronda::cli {
namespace {

constexpr std::size_t output_shown = 4096;
constexpr int lines_shown = 20;

/// Any regular file, as the plugin beside it may be: what a signature is worth does not hang on who owns it.
Result<std::string> read_signature(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) return system_error("opening the signature " + escape_controls(path), errno);
  if (!S_ISREG(facts.st_mode)) return Error(Errc::invalid, "the signature " + escape_controls(path) + " is no regular file");
  if (static_cast<std::uint64_t>(facts.st_size) > max_signature_bytes)  // before room is made for it
    return Error(Errc::range, "the signature " + escape_controls(path) + " is larger than " + format_size(max_signature_bytes));
  RONDA_TRY(std::string text, read_stable(file.get(), "the signature " + path, max_signature_bytes));
  if (text.empty()) return Error(Errc::invalid, "the signature " + escape_controls(path) + " is empty");
  return text;
}

/// Nobody, the program included, can change it any more.
Result<Descriptor> sealed(const char* name, std::span<const std::uint8_t> bytes) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return system_error("make a file in memory", errno);
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return system_error("write to memory", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return system_error("seal a file in memory", errno);
  return file;
}

/// By the number of this process: reached also by what a wrapper starts after it closed what it inherited.
std::string path_of(const Descriptor& file) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file.get());
}

/// Root's alone, whoever asks: it decides for the whole host.
Status check_program(const std::string& path) {
  RONDA_TRY(const Descriptor file, open_trusted_file(path, 0, std::numeric_limits<std::int64_t>::max()));
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0)
    return Error(Errc::denied, escape_controls(path) + " is not executable; correct it with chmod a+x");
  return done();
}

/// One pass: what is put in is not looked at again.
std::string filled(std::string_view word, const std::map<std::string_view, std::string>& places) {
  std::string out;
  while (!word.empty()) {
    const std::size_t at = word.find('{');
    out += word.substr(0, at);
    if (at == std::string_view::npos) break;
    word.remove_prefix(at);
    const std::size_t size = word.find('}') + 1;  // there is one: trust.toml was checked
    out += places.at(word.substr(0, size));
    word.remove_prefix(size);
  }
  return out;
}

std::string shown_output(std::string_view output) {
  std::string_view rest = trim(output.substr(0, output_shown));
  if (rest.empty()) return "\n  it said nothing";
  std::string out;
  for (int lines = 0; !rest.empty() && lines < lines_shown; ++lines) {
    const std::size_t end = rest.find('\n');
    out += "\n  it said: " + escape_controls(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return out + (rest.empty() && output.size() <= output_shown ? "" : "\n  and more");
}

std::string how_it_ended(const ChildEnd& end, std::chrono::milliseconds limit) {
  if (end.too_late) return "was not done after " + format_duration(limit) + " and was killed";
  if (end.signal != 0) return "was ended by signal " + std::to_string(end.signal);
  return "ended with exit code " + std::to_string(end.exit_code);
}

}  // namespace

Status verify_signature(const plugin::InstallTrust& trust, const std::string& policy, const SignedFile& file,
                        std::chrono::milliseconds limit) {
  const std::string& program = trust.verify.front();
  if (const Status good = check_program(program); !good)
    return Error(good.error().code(), "the program that " + policy + " names cannot be asked: " + good.error().message() +
                                          "\n  remedy: install it, or name one there that is root's alone");
  const auto signature = read_signature(file.signature);
  if (!signature)
    return Error(signature.error().code(), escape_controls(file.path) + " is not verified, as " + policy +
                                               " asks: " + signature.error().message() +
                                               "\n  remedy: put its detached signature there, or name it with --signature");
  RONDA_TRY(const Descriptor plugin_copy, sealed("plugin", file.bytes));
  RONDA_TRY(const Descriptor signature_copy,
            sealed("signature", {reinterpret_cast<const std::uint8_t*>(signature->data()), signature->size()}));
  const std::map<std::string_view, std::string> places = {{"{file}", path_of(plugin_copy)}, {"{signature}", path_of(signature_copy)}};
  std::vector<std::string> words;
  bool by_name = false;
  for (const std::string& word : trust.verify) {
    by_name = by_name || word.find("{file}") != std::string::npos;
    words.push_back(filled(word, places));
  }
  // relative names and the caller's variables must not lead it to other keys
  const ChildPlace around{"/", std::vector<std::string>{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}};
  const std::string_view on_input =
      by_name ? std::string_view() : std::string_view(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  RONDA_TRY(const ChildEnd end, run_child(words, on_input, limit, around));
  if (!end.too_late && end.signal == 0 && end.exit_code == 0) return done();
  return Error(Errc::denied, escape_controls(file.path) + " is not verified by " + escape_controls(file.signature) + ": " +
                                 escape_controls(program) + ", which " + policy + " names, " + how_it_ended(end, limit) +
                                 shown_output(end.output) +
                                 "\n  remedy: take plugin and signature anew from who made them; the program must know the maker's key");
}

}  // namespace ronda::cli
