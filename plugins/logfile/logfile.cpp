// SPDX-License-Identifier: Apache-2.0
// The notifier that adds messages to a log, each as one line.
#include <ronda/plugin.hpp>

#include "append.hpp"
#include "line.hpp"
#include "memory.hpp"

namespace logfile {
namespace {

Format read_format() {
  const auto name = ronda::cfg<std::string>("format");
  return name == "json" ? Format::json : name == "notifications" ? Format::notifications : Format::alerts;
}

Text read_text() {
  const auto name = ronda::cfg<std::string>("text");
  return name == "both" ? Text::both : name == "body" ? Text::body : Text::title;
}

Style read_style() {
  Style style{read_format(), read_text(), {}};
  style.severities = usual_severities(style.format);
  const auto words = ronda::cfg<ronda::value>("severities");
  for (std::size_t i = 0; i < style.severities.size(); ++i)
    if (const auto word = words["p" + std::to_string(i + 1)]) style.severities[i] = word.as<std::string>();
  return style;
}

std::string read_path() {
  auto path = ronda::cfg<std::string>("path");
  const bool is_file = path.size() > 1 && path[0] == '/' && path.back() != '/' && path.find('\0') == path.npos;
  if (!is_file || (path + "/").find("/../") != path.npos || path.substr(path.rfind('/')) == "/.")
    throw std::invalid_argument("path must be the absolute path of a file without `..`");
  return path;
}

std::string read_zone() {
  auto name = ronda::cfg<std::optional<std::string>>("zone").value_or("");
  if (name.find('.') != name.npos || (!name.empty() && name[0] == '/'))
    throw std::invalid_argument("zone must be a name like Europe/Berlin");
  load_zone(name).value();  // a name that does not exist is told now, not with the first message
  return name;
}

}  // namespace

class Logfile : public ronda::notifier {
 public:
  ronda::delivery deliver(ronda::call& call, const ronda::message& message) override {
    if (call.cancelled()) return ronda::retry({}, "cancelled before ", path_, " was opened");
    const auto kept = kv();
    Memory memory(kept, message.id());
    if (memory.is_written()) return ronda::delivered("was written to ", path_, " before");
    LogFile file;
    if (const auto failure = file.open(path_)) return ending(*failure);
    if (const auto trace = memory.begun(); trace && file.holds(*trace)) return finish(file, memory, "was found in ");
    const auto line = make_line(style_, message, now());
    memory.begin(file.trace(line));
    if (const auto failure = file.append(line)) {
      memory.give_up();
      return ending(*failure);
    }
    return finish(file, memory, "written to ");
  }

 private:
  static ronda::delivery ending(const Failure& failure) {
    return failure.may_pass ? ronda::retry({}, failure.text) : ronda::drop(failure.text);
  }

  ronda::delivery finish(LogFile& file, Memory& memory, const char* how) {
    if (const auto failure = file.make_durable()) {
      memory.give_up();  // the kernel tells this once: a line that is found again may never have reached the disk
      return ending(*failure);
    }
    memory.end();
    return ronda::delivered(how, path_);
  }

  /// Read anew each time: the rules of a zone change while an agent runs.
  Reading now() const {
    const auto zone = load_zone(zone_);
    if (!zone) log().warning("times of ", path_, " are in UTC: ", zone.error());
    return zone.value_or(Zone()).at(std::chrono::floor<std::chrono::seconds>(clock().wall()));
  }

  std::string path_ = read_path(), zone_ = read_zone();
  Style style_ = read_style();
};

}  // namespace logfile

RONDA_PLUGIN(logfile::Logfile)
