// SPDX-License-Identifier: Apache-2.0
#include "plugin/messages.hpp"

#include <utility>

namespace ronda::wire {
namespace {

// One visitor writes and reads the fields of each message, so that the two sides cannot drift apart.
struct Put {
  Writer& w;
  void operator()(bool v) { w.boolean(v); }
  void operator()(double v) { w.real(v); }
  void operator()(std::int32_t v) { w.integer(v); }
  void operator()(std::int64_t v) { w.integer(v); }
  void operator()(std::uint32_t v) { w.integer(v); }
  void operator()(std::uint64_t v) { w.integer(static_cast<std::int64_t>(v)); }
  void operator()(const std::string& v) { w.bytes(v); }
  void operator()(Kind v) { w.integer(static_cast<int>(v)); }
  void operator()(End v) { w.integer(static_cast<int>(v)); }
  void operator()(Worn v) { w.integer(static_cast<int>(v)); }
  void operator()(Ask v) { w.integer(static_cast<int>(v)); }
  template <class A, class B>
  void operator()(const std::pair<A, B>& v) {
    (*this)(v.first), (*this)(v.second);
  }
  void operator()(const KvWrite& v) { (*this)(v.key), (*this)(v.value), (*this)(v.ttl_ns), (*this)(v.erase); }
  template <class T>
  void operator()(const std::vector<T>& v) {
    w.array(v.size());
    for (const T& item : v) (*this)(item);
  }
};

struct Get {
  Reader& r;
  void operator()(bool& v) { v = r.boolean(); }
  void operator()(double& v) { v = r.real(); }
  void operator()(std::int32_t& v) { fitting(v); }
  void operator()(std::int64_t& v) { v = r.integer(); }
  void operator()(std::uint32_t& v) { fitting(v); }
  void operator()(std::uint64_t& v) { v = static_cast<std::uint64_t>(r.integer()); }
  void operator()(std::string& v) { v = r.bytes(); }
  void operator()(Kind& v) { limited(v, Kind::notifier); }
  void operator()(End& v) { limited(v, End::state_refused); }
  void operator()(Worn& v) { limited(v, Worn::left_alive); }
  void operator()(Ask& v) { limited(v, Ask::calendar_next); }
  template <class A, class B>
  void operator()(std::pair<A, B>& v) {
    (*this)(v.first), (*this)(v.second);
  }
  void operator()(KvWrite& v) { (*this)(v.key), (*this)(v.value), (*this)(v.ttl_ns), (*this)(v.erase); }
  template <class T>
  void operator()(std::vector<T>& v) {
    for (std::size_t n = r.array(); n > 0 && r.ok(); --n) (*this)(v.emplace_back());
  }

 private:
  template <class I>
  void fitting(I& v) {
    const std::int64_t number = r.integer();
    if (!std::in_range<I>(number)) return r.fail();
    v = static_cast<I>(number);
  }
  template <class E>
  void limited(E& v, E last) {
    const std::int64_t number = r.integer();
    if (number < 0 || number > static_cast<std::int64_t>(last)) return r.fail();
    v = static_cast<E>(number);
  }
};

template <class M, class... Fields>
void put_all(Writer& w, Tag tag, const Fields&... fields) {
  w.integer(static_cast<int>(tag));
  Put put{w};
  (put(fields), ...);
}

template <class... Fields>
bool get_all(Reader& r, Fields&... fields) {
  Get get{r};
  (get(fields), ...);
  return r.ok();
}

}  // namespace

Tag read_tag(Reader& r) {
  const std::int64_t number = r.integer();
  if (!std::in_range<std::uint8_t>(number)) r.fail();
  return r.ok() ? static_cast<Tag>(number) : Tag{};
}

#define RONDA_MESSAGE(Type, tag, ...)     \
  void encode(Writer& w, const Type& m) { \
    put_all<Type>(w, tag, __VA_ARGS__);   \
  }                                       \
  bool decode(Reader& r, Type& m) {       \
    return get_all(r, __VA_ARGS__);       \
  }

RONDA_MESSAGE(Setup, Tag::setup, m.build, m.plugin_id, m.exec_path, m.pid_namespace, m.detached, m.uid, m.gid, m.memory_bytes, m.pids,
              m.fds, m.memory_by_group, m.pids_by_group, m.no_new_privs, m.concurrency, m.grants, m.kinds, m.facts)
RONDA_MESSAGE(Create, Tag::create, m.instance, m.kind, m.procedure, m.name, m.options, m.state_version, m.state_from)
RONDA_MESSAGE(Call, Tag::call, m.instance, m.id, m.deadline_mono_ns, m.reason, m.flags, m.scheduled_wall_ns, m.suspect, m.quick)
RONDA_MESSAGE(Reply, Tag::reply, m.sequence, m.code, m.payload)
RONDA_MESSAGE(Hello, Tag::hello, m.build, m.pid, m.locked)
RONDA_MESSAGE(Loaded, Tag::loaded, m.ok, m.error, m.abi_minor)
RONDA_MESSAGE(Created, Tag::created, m.instance, m.ok, m.error)
RONDA_MESSAGE(Outcome, Tag::outcome, m.call, m.end, m.timed_out, m.status, m.duration_ns, m.again_at_wall_ns, m.summary, m.detail,
              m.dropped_metrics, m.took_inbox, m.worn, m.kv, m.metrics)
RONDA_MESSAGE(Log, Tag::log, m.instance, m.level, m.text)
RONDA_MESSAGE(Event, Tag::event, m.call, m.level, m.name, m.text, m.fields)
RONDA_MESSAGE(Progress, Tag::progress, m.call, m.share, m.what)
RONDA_MESSAGE(Request, Tag::request, m.sequence, m.instance, m.ask, m.text, m.at_wall_ns, m.kv, m.call)

#undef RONDA_MESSAGE

void encode(Writer& w, const Call& m, const Message& message) {
  put_all<Call>(w, Tag::deliver, m.instance, m.id, m.deadline_mono_ns, m.reason, m.flags, m.scheduled_wall_ns, m.suspect, m.quick);
  Put put{w};
  put(message.id), put(message.to), put(message.title), put(message.body), put(message.level);
  put(message.event), put(message.incident), put(message.attempt), put(message.fields);
}

bool decode(Reader& r, Message& m) {
  return get_all(r, m.id, m.to, m.title, m.body, m.level, m.event, m.incident, m.attempt, m.fields);
}

void encode(Writer& w, Tag tag, std::uint64_t subject) {
  put_all<Tag>(w, tag, subject);
}
bool decode_subject(Reader& r, std::uint64_t& subject) {
  return get_all(r, subject);
}

void encode_metric(Writer& w, const Metric& m) {
  Put put{w};
  put(m.name), put(m.is_integer);
  m.is_integer ? put(m.integer) : put(m.value);
  put(m.counter), put(m.unit), put(m.warn), put(m.crit), put(m.labels);
}

bool decode_metric(Reader& r, Metric& m) {
  if (!get_all(r, m.name, m.is_integer)) return false;
  if (!(m.is_integer ? get_all(r, m.integer) : get_all(r, m.value))) return false;
  if (m.is_integer) m.value = static_cast<double>(m.integer);
  return get_all(r, m.counter, m.unit, m.warn, m.crit, m.labels);
}

}  // namespace ronda::wire
