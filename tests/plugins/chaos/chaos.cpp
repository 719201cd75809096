// SPDX-License-Identifier: Apache-2.0
// A plugin that breaks every promise, one `mode` at a time, to see that it costs nobody else anything.
// Modes of entry, load and create take effect before run; all others are committed by run.
#include "chaos.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace chaos {

ronda::result commit(Deed& deed) {
  ronda::result result = ronda::ok("did ", deed.mode);
  if (deed.mode == "ok" || crash(deed) || hang(deed) || spoil(deed) || spawn(deed)) return result;
  if (babble(deed, result) || ask(deed, result)) return result;
  return ronda::unknown("no mode ", deed.mode);
}

/// What all three kinds share: the options, and what happens in create, cancel and destroy.
class Instance {
 public:
  Instance() {
    if (mode_ == "create-segv") ::raise(SIGSEGV);
    if (mode_ == "create-throw") throw std::runtime_error("create does not want to");
    if (mode_ == "create-throw-int") throw 7;
    if (mode_ == "create-hang") sleep_ms(600'000);
    if (mode_ == "create-slow") sleep_ms(n_);
  }
  ~Instance() {
    if (mode_ == "destroy-segv") ::raise(SIGSEGV);
    if (mode_ == "destroy-hang") sleep_ms(600'000);
    if (mode_ == "destroy-kv") write_last_words();
  }

  ronda::result run(ronda::call& call, const ronda_inst* inst) {
    Deed deed{call, inst, mode_, n_};
    return commit(deed);
  }
  void cancel() const noexcept {
    if (mode_ == "hang-cancel") sleep_ms(600'000);
    if (mode_ == "segv-cancel") ::raise(SIGSEGV);
  }

 private:
  void write_last_words() const {
    const ronda::kv_service kv(inst_);
    const auto put = kv.put("last", "words"), removed = kv.del("before"), kept = kv.commit();
    const bool refused = put.code() == RONDA_E_INVALID && removed.code() == RONDA_E_INVALID && kept.code() == RONDA_E_INVALID;
    ronda::log_service(inst_).warning("destroy reads ", kv.get("before").value_or("nothing"), refused ? ", its writes are refused" : ", and writes");
  }

  const ronda_inst* inst_ = ronda::detail::creating();
  std::string mode_ = ronda::cfg<std::string>("mode");
  std::int64_t n_ = ronda::cfg<std::optional<std::int64_t>>("n").value_or(0);
};

}  // namespace chaos

// The misdeeds speak to the services themselves, below the classes that would stop some of them.
struct Check : ronda::check {
  static constexpr std::string_view procedure = "chaos.check";
  const ronda_inst* inst = ronda::detail::creating();
  chaos::Instance own;

  ronda::result run(ronda::call& c) override {
    const auto word = config()["word"];
    if (!word.is_none()) {
      const auto view = secret(word);
      if (view && config()["mode"].as<std::string>() == "tell") return tell(c, view.view());
      if (view) return log().warning("the word is ", view.view()), ronda::ok("the word is ", view.view());
      return ronda::unknown("secret: ", view.error());
    }
    return own.run(c, inst);
  }
  void cancel() noexcept override { own.cancel(); }

  /// The word in every place where text of a plugin ends up, and where such text is cut.
  ronda::result tell(ronda::call& c, std::string_view word) {
    const std::string w(word), far(4090, 'x');
    log().warning(std::string(8186, 'x'), w);
    c.metric("m", 1.0, ronda::none, {}, {}, ronda::labels({{"dsn", w}}));
    c.event("said", far + w);
    c.progress(0.5, std::string(250, 'x') + w);
    for (const std::string_view part : {std::string_view("printed "), word.substr(0, 5), word.substr(5), std::string_view(" twice\n")}) {
      static_cast<void>(::write(2, part.data(), part.size()));
      chaos::sleep_ms(20);
    }
    return ronda::ok(far, w);
  }
};

struct Task : ronda::task {
  static constexpr std::string_view procedure = "chaos.task";
  const ronda_inst* inst = ronda::detail::creating();
  chaos::Instance own;

  ronda::task_result run(ronda::call& c) override {
    const ronda::result r = own.run(c, inst);
    return r.status == ronda::status::critical ? ronda::failed(r.summary) : ronda::changed(r.summary);
  }
  void cancel() noexcept override { own.cancel(); }
};

struct Notifier : ronda::notifier {
  static constexpr std::string_view procedure = "chaos.notifier";
  const ronda_inst* inst = ronda::detail::creating();
  chaos::Instance own;

  ronda::delivery deliver(ronda::call& c, const ronda::message& m) override {
    own.run(c, inst);
    return ronda::delivered(m.title(), " to ", m.to());
  }
  void cancel() noexcept override { own.cancel(); }
};

RONDA_PLUGIN(Check, Task, Notifier)
