// SPDX-License-Identifier: Apache-2.0
// The messages between agent and runner, as plain values. Each is one array in a frame: its number, then its
// fields in the order they stand here. Decoding returns false on anything that is not exactly that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin/wire.hpp"

namespace ronda::wire {

using Pairs = std::vector<std::pair<std::string, std::string>>;

enum class Kind : std::uint8_t { check, task, notifier };

// ---- agent to runner ------------------------------------------------------------------------

/// The first message: how the runner confines itself, and what it loads from runner_plugin_fd.
struct Setup {
  std::string build;      // of the agent; the runner refuses another
  std::string plugin_id;  // for messages
  std::string exec_path;  // where the staged object can be opened by path; empty: /proc/self/fd
  bool pid_namespace = false;
  bool detached = false;                                // what its programs leave alive is left alone; never in a PID namespace
  std::int64_t uid = -1, gid = -1;                      // -1: stay
  std::int64_t memory_bytes = 0, pids = 0, fds = 0;     // 0: no limit
  bool memory_by_group = false, pids_by_group = false;  // the agent has put this process into a group that holds that
  bool no_new_privs = true;
  std::int64_t concurrency = 1;
  std::vector<std::string> grants;
  std::vector<Kind> kinds;  // that the manifest promises
  Pairs facts;
};

struct Create {
  std::uint32_t instance = 0;
  Kind kind = Kind::check;
  std::string procedure, name;
  std::string options;  // an encoded map, and behind it what else must not be shown: see encode_options
  std::uint32_t state_version = 0;
  std::uint32_t state_from = 0;  // the version that kept its state, if that is to be handed over; 0: nothing is
};

struct Message {  // what a notifier hands over
  std::string id, to, title, body, level, event, incident;
  std::int64_t attempt = 1;
  Pairs fields;
};

struct Call {
  std::uint32_t instance = 0;
  std::uint64_t id = 0;
  std::uint64_t deadline_mono_ns = 0;
  std::uint32_t reason = 0, flags = 0;
  std::int64_t scheduled_wall_ns = 0;
  bool suspect = false;  // timed out recently: such calls hold at most half of the pool
  bool quick = false;    // known to take well under a millisecond: shares a thread and a message
};

struct Reply {  // to a Request
  std::uint64_t sequence = 0;
  std::int32_t code = 0;
  std::string payload;
};

// ---- runner to agent ------------------------------------------------------------------------

struct Hello {
  std::string build;
  std::int64_t pid = 0;  // as the runner sees itself
  std::string locked;    // what holds the plugin besides its user, for people: "seccomp, landlock 7"
};

struct Loaded {
  bool ok = false;
  std::string error;
  std::int64_t abi_minor = 0;
};

struct Created {
  std::uint32_t instance = 0;
  bool ok = false;
  std::string error;
};

enum class End : std::uint8_t { reported, silent, threw, failed, create_failed, bad_result, state_refused };

/// What the runner has used up most of; changed: a call left what all of them share otherwise than it was; left_alive: what its
/// programs left has to stay by itself.
enum class Worn : std::uint8_t { no, memory, fds, threads, changed, left_alive };

struct KvWrite {
  std::string key, value;
  std::int64_t ttl_ns = 0;
  bool erase = false;
};

struct Metric {
  std::string name;
  double value = 0;  // of an integer: the nearest, made from it when it is decoded
  bool is_integer = false;
  bool counter = false;
  std::string unit, warn, crit;
  Pairs labels;
  std::int64_t integer = 0;  // all of its digits
};

struct Outcome {
  std::uint64_t call = 0;
  End end = End::reported;
  bool timed_out = false;  // the deadline passed while it ran
  std::int32_t status = 3;
  std::int64_t duration_ns = 0;
  std::int64_t again_at_wall_ns = 0;
  std::string summary, detail;
  std::int64_t dropped_metrics = 0;
  bool took_inbox = false;
  Worn worn = Worn::no;  // if anything, the next calls belong to a fresh runner
  std::vector<KvWrite> kv;
  std::string metrics;  // encoded: an array of metrics; see each_metric
};

struct Log {
  std::uint32_t instance = 0;  // 0: the plugin as a whole
  std::int64_t level = 1;
  std::string text;
};

struct Event {
  std::uint64_t call = 0;
  std::int64_t level = 1;
  std::string name, text;
  Pairs fields;
};

struct Progress {
  std::uint64_t call = 0;
  double share = 0;
  std::string what;
};

enum class Ask : std::uint8_t { kv_get, kv_each, kv_commit, inbox_take, calendar_previous, calendar_next };

struct Request {
  std::uint64_t sequence = 0;
  std::uint32_t instance = 0;
  Ask ask = Ask::kv_get;
  std::string text;  // key, prefix or calendar expression
  std::int64_t at_wall_ns = 0;
  std::vector<KvWrite> kv;  // of kv_commit
  std::uint64_t call = 0;   // during which it is asked; 0: in create or destroy
};

// ---- numbers and coding ---------------------------------------------------------------------

enum class Tag : std::uint8_t {
  setup = 1,
  create,
  probe,
  call,
  deliver,
  cancel,
  destroy,
  reply,
  shutdown,  // to the runner
  hello = 32,
  loaded,
  created,
  outcome,
  log,
  event,
  progress,
  request,  // to the agent
};

void encode(Writer& w, const Setup& m);
void encode(Writer& w, const Create& m);
void encode(Writer& w, const Call& m);
void encode(Writer& w, const Call& m, const Message& message);
void encode(Writer& w, const Reply& m);
/// probe and destroy carry an instance, cancel a call, shutdown nothing (0).
void encode(Writer& w, Tag tag, std::uint64_t subject);
void encode(Writer& w, const Hello& m);
void encode(Writer& w, const Loaded& m);
void encode(Writer& w, const Created& m);
void encode(Writer& w, const Outcome& m);
void encode(Writer& w, const Log& m);
void encode(Writer& w, const Event& m);
void encode(Writer& w, const Progress& m);
void encode(Writer& w, const Request& m);
void encode_metric(Writer& w, const Metric& m);

/// Reads the head of a message: its tag; the fields follow. Tag 0 with r failed when there is none.
Tag read_tag(Reader& r);
bool decode(Reader& r, Setup& m);
bool decode(Reader& r, Create& m);
bool decode(Reader& r, Call& m);
bool decode(Reader& r, Message& m);  // follows the Call of a deliver
bool decode(Reader& r, Reply& m);
bool decode_subject(Reader& r, std::uint64_t& subject);
bool decode(Reader& r, Hello& m);
bool decode(Reader& r, Loaded& m);
bool decode(Reader& r, Created& m);
bool decode(Reader& r, Outcome& m);
bool decode(Reader& r, Log& m);
bool decode(Reader& r, Event& m);
bool decode(Reader& r, Progress& m);
bool decode(Reader& r, Request& m);
bool decode_metric(Reader& r, Metric& m);

/// Calls fn(Metric&&) for each metric of Outcome::metrics; false when they are not what they claim.
template <class Fn>
bool each_metric(std::string_view encoded, Fn&& fn) {
  Reader r(encoded);
  while (!r.at_end()) {
    Metric metric;
    if (!decode_metric(r, metric)) return false;
    fn(std::move(metric));
  }
  return r.ok();
}

}  // namespace ronda::wire
