// SPDX-License-Identifier: Apache-2.0
#include "config/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/safe_path.hpp"
#include "config/toml.hpp"

namespace ronda::config {
namespace {

constexpr int max_attempts = 3;
constexpr std::size_t max_files = 10'000;
constexpr std::size_t max_total_bytes = 64 << 20;
constexpr std::string_view extension = ".toml";
constexpr std::string_view directory_reason = "a directory";

struct Listing {
  std::vector<std::string> names;  // to be read
  std::vector<Skipped> skipped;
};

bool is_directory(int directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat facts {};
  return ::fstatat(directory, entry.d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode);
}

Result<Listing> list(int directory, const std::string& shown) {
  // a descriptor of its own: closedir closes it, and its position starts at the first entry
  const int own = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(own < 0 ? nullptr : ::fdopendir(own), &::closedir);
  if (!stream) return system_error("reading " + shown, errno);
  Listing listing;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    std::string reason = is_directory(directory, *entry) ? std::string(directory_reason) : skip_reason(name);
    if (reason.empty()) {
      listing.names.push_back(name);
    } else if (listing.skipped.size() < max_files) {
      listing.skipped.push_back({name, std::move(reason)});
    }
    if (listing.names.size() > max_files) return Error(Errc::range, shown + " has more than 10000 files");
    errno = 0;
  }
  if (errno != 0) return system_error("reading " + shown, errno);
  std::sort(listing.names.begin(), listing.names.end());
  std::sort(listing.skipped.begin(), listing.skipped.end(), [](const Skipped& a, const Skipped& b) { return a.name < b.name; });
  return listing;
}

Result<std::string> read_once(int directory, const std::string& name, const std::string& shown, uid_t uid) {
  RONDA_TRY(const Descriptor file, open_trusted_entry(directory, name, shown, uid, max_toml_bytes));
  return read_stable(file.get(), shown, max_toml_bytes);
}

/// The message without the path that the diagnostic's place says already.
std::string without_path(const std::string& message, const std::string& shown) {
  return message.starts_with(shown + " ") ? message.substr(shown.size() + 1) : message;
}

/// Of what looks as if it were meant to be read.
void warn_of_skipped(const std::vector<Skipped>& skipped, const std::string& shown, Diagnostics& diagnostics) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (const Skipped& one : skipped) {
    if (one.name.starts_with('.') || one.name.size() < extension.size()) continue;
    const std::string_view ending = std::string_view(one.name).substr(one.name.size() - extension.size());
    if (!std::ranges::equal(ending, extension, {}, small)) continue;
    const std::string what = shown + "/" + one.name + " is not read: ";
    if (ending != extension)
      diagnostics.warning({no_file, 0, 0}, what + "its name must end in .toml, in small letters");
    else if (one.reason == directory_reason)
      diagnostics.warning({no_file, 0, 0}, what + "it is a directory");
  }
}

class Reader {
 public:
  Reader(int directory, std::string shown, uid_t uid) : directory_(directory), shown_(std::move(shown)), uid_(uid) {}

  /// One pass over the directory; false when it changed meanwhile.
  Result<bool> read(Snapshot& snapshot, Diagnostics& diagnostics) const {
    RONDA_TRY(Listing before, list(directory_, shown_));
    std::size_t total = 0;
    for (const std::string& name : before.names) {
      Source source = read_file(name, static_cast<std::uint32_t>(snapshot.sources.size()), diagnostics);
      total += source.text.size();
      if (total > max_total_bytes) return Error(Errc::range, shown_ + " has more than 64 MiB of files");
      snapshot.sources.push_back(std::move(source));
    }
    RONDA_TRY(const Listing after, list(directory_, shown_));
    warn_of_skipped(before.skipped, shown_, diagnostics);
    snapshot.skipped = std::move(before.skipped);
    snapshot.readable = true;
    return before.names == after.names;
  }

 private:
  Source read_file(const std::string& name, std::uint32_t index, Diagnostics& diagnostics) const {
    Source source;
    source.path = shown_ + "/" + name;
    for (int attempt = 1;; ++attempt) {
      auto text = read_once(directory_, name, source.path, uid_);
      if (text) {
        source.text = *std::move(text);
        if (source.text.empty()) diagnostics.warning({index, 0, 0}, "the file is empty: it configures nothing");
        return source;
      }
      if (text.error().code() == Errc::unavailable && attempt < max_attempts) continue;
      source.refused = true;
      diagnostics.error({index, 0, 0}, "refused: " + without_path(text.error().message(), source.path));
      return source;
    }
  }

  int directory_;
  std::string shown_;
  uid_t uid_;
};

}  // namespace

std::string skip_reason(std::string_view name) {
  if (name.starts_with('.')) return "hidden";
  if (name.ends_with('~')) return "an editor's backup";
  const std::size_t dot = name.rfind('.');
  const std::string_view ending = dot == std::string_view::npos ? "" : name.substr(dot);
  if (ending == ".bak") return "a backup";
  if (ending.starts_with(".dpkg-") || ending.starts_with(".rpm")) return "left by the package manager";
  if (ending != extension) return "does not end in .toml";
  return {};
}

Snapshot read_directory(const std::string& directory, const std::string& shown, uid_t uid, Diagnostics& diagnostics) {
  auto opened = open_trusted_directory(directory, uid);
  if (!opened) {
    diagnostics.error({no_file, 0, 0}, opened.error().message());
    return {};
  }
  const Reader reader(opened->get(), shown, uid);
  for (int attempt = 1;; ++attempt) {
    Snapshot snapshot;
    Diagnostics found;
    auto steady = reader.read(snapshot, found);
    if (steady && !*steady && attempt < max_attempts) continue;
    if (steady && !*steady) steady = Error(Errc::unavailable, shown + " changed while it was read; try again");
    for (const Diagnostic& diagnostic : found.all()) diagnostics.add(diagnostic);
    if (!steady) {
      diagnostics.error({no_file, 0, 0}, steady.error().message());
      return {};
    }
    return snapshot;
  }
}

}  // namespace ronda::config
