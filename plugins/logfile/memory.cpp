// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include <cstdio>

namespace logfile {
namespace {

constexpr const char* written_key = "written";
// longer than the agent tries: 72 hours
constexpr std::chrono::hours kept{24 * 7};

std::string hex(std::uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

}  // namespace

Memory::Memory(const ronda::kv_service& kv, std::string_view id) : kv_(kv), name_(id.empty() ? "" : hex(stable_hash(id))) {}

bool Memory::is_written() const {
  return !name_.empty() && kv_.get(written_key).value_or("").find(name_) != std::string::npos;
}

std::optional<Trace> Memory::begun() const {
  if (name_.empty()) return std::nullopt;
  const auto kept_trace = kv_.get("begun/" + name_);
  return kept_trace ? Trace::parse(*kept_trace) : std::nullopt;
}

void Memory::begin(const Trace& trace) {
  if (name_.empty()) return;
  if (kv_.put("begun/" + name_, trace.text(), kept)) kv_.commit();
}

void Memory::give_up() {
  if (!name_.empty()) kv_.del("begun/" + name_);
}

void Memory::end() {
  if (name_.empty()) return;
  give_up();
  auto written = kv_.get(written_key).value_or("") + name_ + "\n";
  const std::size_t room = max_remembered * (name_.size() + 1);
  if (written.size() > room) written.erase(0, written.size() - room);
  kv_.put(written_key, written);
}

}  // namespace logfile
