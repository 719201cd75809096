// SPDX-License-Identifier: Apache-2.0
// The part of Cgroups that runs at the start: which version there is, what the agent may do with it, and its own place.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "plugin/cgroups.hpp"

namespace ronda::plugin {
namespace {

constexpr std::string_view prefix = "ronda-";  // of the agents' groups; one of a dead agent with this name is removed
constexpr int most_bases = 8;                  // names tried for our own
// what a killed agent's runners take to end, and then less and less often
constexpr auto first_sweep = std::chrono::seconds(1);
constexpr auto last_sweep = std::chrono::seconds(64);
constexpr std::size_t most_groups_looked_at = 256;  // at once, below one group: some 10 us each

/// Whether `word` is one of those that `text` holds, separated by any of `between`.
bool has_word(std::string_view text, std::string_view word, std::string_view between) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(between, at), text.size());
    if (text.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

/// Those that are so.
std::string words(std::initializer_list<std::pair<bool, std::string_view>> all, std::string_view between) {
  std::string out;
  for (const auto& [is_so, word] : all) {
    if (is_so) out.append(out.empty() ? "" : between).append(word);
  }
  return out;
}

/// "ronda-12" or "ronda-12-3": who is called ronda-web is somebody else.
bool is_base_name(std::string_view name) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  const auto dash = name.find('-');
  const auto is_number = [](std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; };
  return is_number(name.substr(0, dash)) && (dash == name.npos || is_number(name.substr(dash + 1)));
}

std::string failed(std::string_view doing, int error) {
  return "cannot " + std::string(doing) + ": " + ::strerror(error);
}

}  // namespace

std::string own_cgroups() {
  return CgroupFiles().read("/proc/self/cgroup").value_or("");
}

int most_processors() {
  return static_cast<int>(std::max(::sysconf(_SC_NPROCESSORS_CONF), 1L));
}

Cgroups::Cgroups(boost::asio::io_context& loop, CgroupOptions options)
    : options_(std::move(options)),
      files_(options_.files == nullptr ? real_files_ : *options_.files),
      timer_(loop),
      sweep_timer_(loop),
      sweep_pause_(first_sweep) {
  const bool v2 = files_.read(options_.root + "/cgroup.controllers").has_value();
  const std::string why = v2 ? use_v2(own_path("")) : use_v1();
  if (!trees_.empty()) version_ = v2 ? CgroupVersion::v2 : CgroupVersion::v1;
  text_ = text_of_trees(why);
  sweep_later();
}

std::string Cgroups::text_of_trees(const std::string& why) const {
  if (trees_.empty()) return "rlimits, cpu not limited: no control groups: " + why;
  const bool memory = std::ranges::any_of(trees_, &Tree::memory), tasks = std::ranges::any_of(trees_, &Tree::tasks);
  const bool cores = std::ranges::any_of(trees_, &Tree::cores);
  std::string out = version_ == CgroupVersion::v2 ? "cgroup v2 (" : "cgroup v1 (";
  out += words({{memory, "memory"}, {tasks, "pids"}, {cores, "cpu"}}, ", ") + ")";
  if (!memory || !tasks) out += ", rlimits: no " + words({{!memory, "memory"}, {!tasks, "pids"}}, ", ");
  if (!cores) out += ", cpu not limited";
  const bool all = memory && tasks && cores;
  return all || why.empty() ? out : out + ": " + why;
}

/// The agent's group in the hierarchy of a controller, the unified one's without; empty: it has none, or one that is not
/// below the root that is mounted here.
std::string Cgroups::own_path(std::string_view controller) const {
  const std::string& text = options_.self;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const std::size_t first = line.find(':'), second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? !controllers.empty() : !has_word(controllers, controller, ",")) continue;
    const std::string_view path = line.substr(second + 1);
    if (!path.starts_with('/') || has_word(path, "..", "/")) return {};
    std::string out = options_.root + (controller.empty() ? "" : "/" + std::string(controller));
    return path == "/" ? out : out.append(path);
  }
  return {};
}

/// Empty, or why not.
std::string Cgroups::use_v1() {
  std::string why;
  for (const std::string_view controller : {"memory", "pids", "cpu"}) {
    const std::string one = add_v1_tree(controller);
    if (why.empty()) why = one;
  }
  return why;
}

std::string Cgroups::add_v1_tree(std::string_view controller) {
  Tree tree;
  tree.own = own_path(controller);
  if (tree.own.empty()) return "this kernel shows no controller " + std::string(controller);
  sweep(tree.own);
  tree.memory = controller == "memory";
  tree.tasks = controller == "pids";
  tree.cores = controller == "cpu";
  return make_base(std::move(tree));
}

/// A group whose children have controllers may hold no process itself, so the agent goes one down first. Whoever else is
/// in the group would have to go too: then it is not ours to rule.
std::string Cgroups::use_v2(const std::string& path) {
  if (path.empty()) return "the agent's own is not below " + options_.root;
  const auto controllers = files_.read(path + "/cgroup.controllers");
  if (!controllers) return "the agent's own cannot be read";
  sweep(path);
  const bool memory = has_word(*controllers, "memory", " \n"), tasks = has_word(*controllers, "pids", " \n");
  const bool cores = has_word(*controllers, "cpu", " \n");
  if (!memory && !tasks) return "the agent was given neither memory nor pids (Delegate=yes in its unit)";
  for (const int pid : pids_in(files_.read(path + "/cgroup.procs").value_or(""))) {
    if (pid != options_.pid) return "other processes are in the agent's own (Delegate=yes in its unit)";
  }
  leaf_parent_ = path;
  leaf_ = path + "/agent";
  const int made = files_.make(leaf_);
  if (made != 0 && made != EEXIST) {
    leaf_.clear();
    return failed("make one below the agent's own", made);
  }
  if (const int error = files_.write(leaf_ + "/cgroup.procs", std::to_string(options_.pid)); error != 0) {
    files_.remove(std::exchange(leaf_, {}));
    return failed("move the agent", error);
  }
  const std::string wanted = words({{memory, "+memory"}, {tasks, "+pids"}}, " ");  // cpu: see hand_cpu_down
  std::string why;
  if (const int error = files_.write(path + "/cgroup.subtree_control", wanted); error != 0)
    why = failed("hand controllers down", error);
  else
    why = make_base({path, {}, {}, memory, tasks, cores});
  if (why.empty()) {
    const int error = files_.write(trees_.back().base + "/cgroup.subtree_control", wanted);
    if (error == 0) return {};
    why = failed("hand controllers down", error);
    files_.remove(trees_.back().base);
    trees_.clear();
  }
  leave_v2();
  return why;
}

/// One by one: the kernel takes back none where one of them is refused.
void Cgroups::take_controllers_back(const std::string& group) {
  for (const std::string_view controller : {"-memory", "-pids", "-cpu"}) files_.write(group + "/cgroup.subtree_control", controller);
}

/// As it was before: whoever started the agent may want to start something else there, which the kernel refuses where controllers
/// are handed down. It takes none back that is handed on below, as in a base that stays because of what a detached call left alive.
void Cgroups::leave_v2() {
  if (leaf_.empty()) return;
  for (const Tree& tree : trees_) take_controllers_back(tree.base);
  take_controllers_back(leaf_parent_);
  files_.write(leaf_parent_ + "/cgroup.procs", std::to_string(options_.pid));
  files_.remove(std::exchange(leaf_, {}));
}

/// Makes and locks our own place in a hierarchy. A name may be taken: by a group that is left over and not empty, by an
/// agent whose PID namespace is another, or for a moment by one that looks whether it is left over.
std::string Cgroups::make_base(Tree tree) {
  const std::string name = tree.own + "/" + std::string(prefix) + std::to_string(options_.pid);
  for (int tries = 0; tries < most_bases; ++tries) {
    tree.base = tries == 0 ? name : name + "-" + std::to_string(tries);
    const int error = files_.make(tree.base);
    if (error == EEXIST) continue;
    if (error != 0) return failed("make one below the agent's own", error);
    tree.lock = lock_base(tree.base);
    if (!tree.lock) continue;
    trees_.push_back(std::move(tree));
    return {};
  }
  return "names like " + name + " are taken";
}

/// Locked, and still what has this path.
Descriptor Cgroups::lock_base(const std::string& path) {
  Descriptor base(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat opened {
  }, there{};
  if (!base || ::flock(base.get(), LOCK_EX | LOCK_NB) != 0) return {};
  const bool same = ::fstat(base.get(), &opened) == 0 && ::stat(path.c_str(), &there) == 0 && opened.st_ino == there.st_ino;
  return same ? std::move(base) : Descriptor();
}

/// What agents have left that were killed. Their locks went with them; groups that hold a process stay.
void Cgroups::sweep(const std::string& own) {
  bool some_stay = false;
  for (const std::string& name : files_.directories(own)) {
    if (!is_base_name(name)) continue;
    const std::string base = own + "/" + name;
    const Descriptor lock = lock_base(base);
    if (!lock || remove_empty(base) != EBUSY) continue;
    some_stay = true;
    take_controllers_back(base);  // see leave_v2
  }
  if (some_stay)
    unswept_.insert(own);
  else
    unswept_.erase(own);
}

/// Runners see a little later than a service manager that their agent was killed.
void Cgroups::sweep_later() {
  if (unswept_.empty() || sweep_pause_ > last_sweep) return;
  sweep_timer_.expires_after(sweep_pause_);
  sweep_pause_ *= 4;
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const std::string& own : std::set<std::string>(unswept_)) sweep(own);
    sweep_later();
  });
}

/// With those below it, which programs may have made, however deep. The kernel refuses to remove what holds a process; nobody is
/// killed or moved. What is not looked at this time stays for the next.
int Cgroups::remove_empty(const std::string& group) {
  std::size_t looks = most_groups_looked_at;
  return remove_empty(group, looks);
}

int Cgroups::remove_empty(const std::string& group, std::size_t& looks) {
  bool is_first = true;  // a chain is gone through to its end, which the length of a path bounds: else it would never become shorter
  for (const std::string& name : files_.directories(group)) {
    if (!std::exchange(is_first, false)) {
      if (looks == 0) break;
      --looks;
    }
    remove_empty(group + "/" + name, looks);
  }
  return files_.remove(group);
}

}  // namespace ronda::plugin
