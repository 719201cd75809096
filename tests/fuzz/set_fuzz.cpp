// SPDX-License-Identifier: Apache-2.0
// Two sets of conf.d files, each any bytes (a form feed ends a file, a vertical tab the first set), as a reload meets them. What a
// set says does not depend on where it stands in it, so that the difference of a set with itself is empty; what two sets that have
// no name in common say is the same in both together; the fingerprint tells exactly whether anything differs.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

#include "config/build.hpp"

using namespace ronda::config;

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

Environment nothing_outside() {
  Environment environment;
  environment.read_file = [](const std::string& path, FileUse) -> ronda::Result<std::string> {
    return ronda::Error(ronda::Errc::not_found, path + ": no such file");
  };
  return environment;
}

Sources files_of(std::string_view bytes, char first) {
  Sources sources;
  for (const std::string name : {"a", "b", "c"}) {
    const std::size_t end = bytes.find('\f');
    sources.push_back({std::string("conf.d/") + first + "0-" + name + ".toml", std::string(bytes.substr(0, end))});
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  return sources;
}

struct Built {
  Generation generation;
  bool is_sound = false;
};

Built build(const Sources& sources) {
  static const Environment environment = nothing_outside();
  Diagnostics diagnostics;
  Built out{build_generation(sources, environment, diagnostics), false};
  out.is_sound = !diagnostics.has_errors();
  return out;
}

using Key = std::pair<Kind, std::string>;
using Hashes = std::map<Key, ronda::Hash128>;

/// As who takes over a set knows it: by kind and name, each once.
Hashes hashes_of(const Generation& generation) {
  Hashes out;
  for (const Instance& one : generation.instances) expect(out.emplace(Key(one.kind, one.name), one.hash).second);
  const auto is_before = [](const Instance& x, const Instance& y) { return std::tie(x.kind, x.name) < std::tie(y.kind, y.name); };
  expect(std::is_sorted(generation.instances.begin(), generation.instances.end(), is_before));
  return out;
}

/// What a reload does from one set to the next.
struct Difference {
  Hashes added, replaced;
  std::set<Key> removed;
  bool empty() const { return added.empty() && replaced.empty() && removed.empty(); }
};

Difference difference(const Hashes& before, const Hashes& after) {
  Difference out;
  for (const auto& [key, hash] : after) {
    const auto known = before.find(key);
    if (known == before.end())
      out.added.emplace(key, hash);
    else if (known->second != hash)
      out.replaced.emplace(key, hash);
  }
  for (const auto& [key, hash] : before) {
    if (!after.contains(key)) out.removed.insert(key);
  }
  return out;
}

Hashes applied(Hashes set, const Difference& difference) {
  for (const Key& key : difference.removed) expect(set.erase(key) == 1);
  for (const auto& [key, hash] : difference.replaced) set.at(key) = hash;
  for (const auto& [key, hash] : difference.added) expect(set.emplace(key, hash).second);
  return set;
}

bool differs_elsewhere(const Generation& a, const Generation& b) {
  return a.settings_hash != b.settings_hash || a.objects_hash != b.objects_hash;
}

/// The same files under other names and further down.
void says_the_same_elsewhere(const Sources& sources, const Generation& generation) {
  Sources moved = sources;
  for (Source& one : moved) {
    one.path = "conf.d/x" + one.path.substr(one.path.rfind('/') + 1);
    if (!one.text.starts_with("\xef\xbb\xbf")) one.text.insert(0, "# further down\n\n");
    one.text += "\n# the end";
  }
  const Built again = build(moved);
  expect(again.is_sound && difference(hashes_of(generation), hashes_of(again.generation)).empty());
  expect(again.generation.fingerprint == generation.fingerprint && !differs_elsewhere(generation, again.generation));
}

std::set<std::string> names_in(const Generation& generation) {
  std::set<std::string> out;
  for (const Instance& one : generation.instances) out.insert(one.name);
  for (const Service& one : generation.services) out.insert(one.name);
  for (const RawObject& one : generation.objects) out.insert(one.name);
  return out;
}

void together(const Sources& first, const Sources& second, const Generation& a, const Generation& b) {
  static const Generation nothing = build({}).generation;
  if (a.settings_hash != nothing.settings_hash || b.settings_hash != nothing.settings_hash) return;
  std::set<std::string> names = names_in(a);
  for (const std::string& name : names_in(b)) {
    if (!names.insert(name).second) return;
  }
  Sources both = first;
  both.insert(both.end(), second.begin(), second.end());
  const Built built = build(both);
  if (!built.is_sound) return;
  Hashes wanted = hashes_of(a);
  wanted.merge(hashes_of(b));
  expect(difference(wanted, hashes_of(built.generation)).empty());
  expect(built.generation.services.size() == a.services.size() + b.services.size());
  expect(built.generation.objects.size() == a.objects.size() + b.objects.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\v'), bytes.size());
  const Sources first = files_of(bytes.substr(0, end), '1'), second = files_of(bytes.substr(std::min(end + 1, bytes.size())), '5');
  const Built a = build(first), b = build(second);
  const Hashes before = hashes_of(a.generation), after = hashes_of(b.generation);
  const Difference change = difference(before, after);
  expect(applied(before, change) == after && difference(before, before).empty());
  if (a.is_sound) says_the_same_elsewhere(first, a.generation);
  if (b.is_sound) says_the_same_elsewhere(second, b.generation);
  if (!a.is_sound || !b.is_sound) return 0;
  const bool is_same = change.empty() && !differs_elsewhere(a.generation, b.generation);
  expect((a.generation.fingerprint == b.generation.fingerprint) == is_same);
  together(first, second, a.generation, b.generation);
  return 0;
}
