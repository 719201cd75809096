// SPDX-License-Identifier: Apache-2.0
#include "file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <stdexcept>

#include "sha256.hpp"
#include "text.hpp"

namespace host {
namespace {

std::string type_name(std::uint32_t mode) {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "folder";
  if (S_ISLNK(mode)) return "link";
  if (S_ISSOCK(mode)) return "socket";
  return S_ISFIFO(mode) ? "pipe" : "device";
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

std::optional<std::uint32_t> id_option(const char* key, const char* names_file) {
  const auto name = ronda::cfg<std::optional<std::string>>(key);
  if (!name) return std::nullopt;
  const auto id = find_id(read_file(names_file).text, *name);
  if (!id)
    throw std::invalid_argument(
        ronda::text(key, " = \"", shown(*name), "\" is not in ", names_file, "; give its number"));
  return id;
}

/// Empty when it cannot be read, with errno in `error`, or when the call is cancelled.
std::string sha256_of(const std::string& path, const ronda::call& c, int& error) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    error = errno;
    return {};
  }
  Sha256 sha;
  std::array<char, 16384> chunk;
  ssize_t got = 0;
  while (!c.cancelled() && (got = read(fd, chunk.data(), chunk.size())) > 0) {
    sha.update({chunk.data(), static_cast<std::size_t>(got)});
  }
  if (got < 0) error = errno;
  close(fd);
  return got == 0 ? sha.finish() : std::string();
}

}  // namespace

File::File() : missing_(status_named(ronda::cfg<std::string>("missing"))) {
  if (const auto age = ronda::cfg<std::optional<std::chrono::seconds>>("max_age"))
    wishes_.max_age_s = age->count();
  wishes_.min_size = ronda::cfg<std::optional<std::uint64_t>>("min_size");
  wishes_.max_size = ronda::cfg<std::optional<std::uint64_t>>("max_size");
  wishes_.owner = id_option("owner", "/etc/passwd");
  wishes_.group = id_option("group", "/etc/group");
  if (const auto mode = ronda::cfg<std::optional<std::string>>("mode")) wishes_.mode = parse_mode(*mode);
  wishes_.sha256 = ronda::cfg<std::optional<std::string>>("sha256").value_or("");
  for (char& c : wishes_.sha256) c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
}

ronda::result File::run(ronda::call& c) {
  struct stat info {};
  struct stat itself {};
  if (lstat(path_.c_str(), &itself) != 0 || stat(path_.c_str(), &info) != 0) return gone(errno);
  FileFacts facts;
  facts.mode = info.st_mode & 07777U;
  facts.owner = info.st_uid;
  facts.group = info.st_gid;
  facts.size = static_cast<std::uint64_t>(info.st_size);
  facts.changed_s = info.st_mtim.tv_sec;
  facts.type = type_name(itself.st_mode);
  if (facts.type == "link") facts.target = link_target(path_);
  if ((!wishes_.sha256.empty() || !baseline_.empty()) && S_ISREG(info.st_mode)) hash(c, info, facts);
  if (c.cancelled()) return ronda::unknown(shown(path_), ": not read to its end within the timeout");

  const std::int64_t now_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock().wall().time_since_epoch()).count();
  c.metric("age", static_cast<double>(now_s - facts.changed_s), ronda::seconds);
  c.metric("size", facts.size, ronda::bytes);
  Verdict verdict = judge_file(facts, wishes_, now_s);
  verdict.text = shown(path_) + ": " + verdict.text;
  if (!baseline_.empty()) judge_drift(facts, verdict);
  return verdict.result();
}

ronda::result File::gone(int error) {
  if (error == ENOENT || error == ENOTDIR) return {missing_, shown(path_) + " does not exist"};
  return ronda::unknown(shown(path_), ": ", cannot_read(error));
}

/// A file whose inode, size and times are as they were is not read again.
void File::hash(ronda::call& c, const struct stat& info, FileFacts& facts) {
  const auto nanos = [](const timespec& t) {
    return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
  };
  const std::string stamp = ronda::text(info.st_dev, " ", info.st_ino, " ", info.st_size, " ",
                                        nanos(info.st_mtim), " ", nanos(info.st_ctim), " ");
  const std::string known = kv().get("hashed").value_or("");
  if (known.compare(0, stamp.size(), stamp) == 0) {
    facts.sha256 = known.substr(stamp.size());
    return;
  }
  facts.sha256 = sha256_of(path_, c, facts.read_error);
  if (!facts.sha256.empty()) kv().put("hashed", stamp + facts.sha256);
}

void File::judge_drift(const FileFacts& facts, Verdict& verdict) {
  if (facts.type == "file" && facts.sha256.empty()) {
    verdict.add(ronda::status::unknown, "it was not compared with its baseline: " + cannot_read(facts.read_error));
    return;
  }
  const auto kept = kv().get("baseline");
  const std::string label = baseline_ + "\n";
  if (!kept || kept->compare(0, label.size(), label) != 0) {
    kv().put("baseline", label + format_baseline(facts));
    verdict.add(ronda::status::ok, "baseline " + shown(baseline_) + " taken");
    return;
  }
  const auto changes = drift(std::string_view(*kept).substr(label.size()), facts);
  for (const std::string& change : changes) verdict.add(ronda::status::critical, change);
  if (!changes.empty()) verdict.add(ronda::status::critical, "against baseline " + shown(baseline_));
}

}  // namespace host
