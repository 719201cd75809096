// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "blocks.hpp"
#include "outgoing/notifier.hpp"
#include "outgoing/text.hpp"
#include "web_api.hpp"

namespace slack {
namespace {

constexpr std::chrono::hours thread_kept{24 * 90}, sent_kept{24 * 4};  // outlives the 72 h in which a delivery is tried
constexpr std::size_t longest_key = 256;

/// A list, or one without brackets.
std::vector<std::string> names_in(const ronda::value& list) {
  if (list.is_list()) return list.as<std::vector<std::string>>();
  return {list.as<std::string>()};
}

/// The first message of an incident, and what it shows: it is changed when that is another one.
struct Thread {
  std::string channel, ts, shown;
};

/// "p1/open": level and state of the incident, without a blank, which would end it.
std::string shown_by(const ronda::message& message) {
  std::string out = std::string(message.level()) + "/" + std::string(message.field("state"));
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

}  // namespace

class Slack : public outgoing::Notifier {
 public:
  Slack()
      : webhook_url_(config()["webhook_url"]),
        token_(config()["token"]),
        api_base_(config()["api_base"]),
        channel_(config()["channel"].as<std::optional<std::string>>().value_or("")) {
    if (!webhook_url_ && !token_) throw std::invalid_argument("neither webhook_url nor token is given");
    const auto table = config()["mention"];
    for (std::size_t i = 0; i < table.size(); ++i) mention_[std::string(table.key(i))] = mentions_of(names_in(table.at(i)));
  }

 protected:
  ronda::delivery hand_over(outgoing::Attempt& attempt, const ronda::message& message) override {
    return webhook_url_ ? by_webhook(attempt, message) : by_token(attempt, message);
  }

 private:
  std::string mentions(const ronda::message& message) const {
    const auto found = mention_.find(std::string(message.level()));
    return found == mention_.end() || !mentions_fit(message.event()) ? std::string() : found->second;
  }

  ronda::delivery by_webhook(outgoing::Attempt& attempt, const ronda::message& message) {
    outgoing::JsonWriter json;
    write_message(json.object(), message, mentions(message), host());
    outgoing::Request request;
    request.url = attempt.url(webhook_url_);
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
    request.body = json.end_object().text();
    const auto answer = attempt.post(request);
    if (outgoing::meaning_of(answer.status) != outgoing::Meaning::taken) return attempt.judge(answer);
    return read_webhook_reply(answer.status, answer.body);
  }

  ronda::delivery by_token(outgoing::Attempt& attempt, const ronda::message& message) {
    const std::string channel(message.to().empty() ? std::string_view(channel_) : message.to());
    if (channel.empty()) return ronda::drop("no channel: give `channel`, or `to` where the contact names this notifier");
    const auto key = "thread/" + channel + "/" + std::string(message.incident()), sent = "sent/" + std::string(message.id());
    auto thread = message.incident().empty() ? std::nullopt : find_thread(key);
    if (!kv().get(sent)) {
      auto reply = post(attempt, message, channel, thread);
      if (thread && reply.error == "thread_not_found") {  // somebody deleted its first message
        thread.reset();
        reply = post(attempt, message, channel, thread);
      }
      if (reply.outcome.status != ronda::delivery_status::delivered) return std::move(reply.outcome);
      if (!thread && !message.incident().empty()) keep(key, text_of({reply.channel, reply.ts, shown_by(message)}), thread_kept);
      keep(sent, reply.ts, sent_kept);
      kv().commit();  // at once: an end of the agent between here and its own record would make a second message
    }
    const bool is_other = message.event() != "test" && thread && thread->shown != shown_by(message);
    if (!thread || (message.event() != "resolve" && !is_other)) return ronda::delivered("posted to ", channel);
    auto changed = change_first(attempt, message, *thread);
    if (changed.first) keep(key, text_of({thread->channel, thread->ts, shown_by(message)}), thread_kept);
    return std::move(changed.second);
  }

  static std::string text_of(const Thread& thread) { return thread.channel + " " + thread.ts + " " + thread.shown; }

  std::optional<Thread> find_thread(const std::string& key) const {
    const auto found = kv().get(key);
    if (!found) return std::nullopt;
    const auto blank = found->find(' ');
    if (blank == found->npos) return std::nullopt;
    const auto second = found->find(' ', blank + 1);
    const auto shown = second == found->npos ? std::string() : found->substr(second + 1);
    return Thread{found->substr(0, blank), found->substr(blank + 1, second - blank - 1), shown};
  }

  void keep(const std::string& key, const std::string& text, std::chrono::nanoseconds ttl) const {
    if (key.size() <= longest_key) kv().put(key, text, ttl);
  }

  Reply post(outgoing::Attempt& attempt, const ronda::message& message, const std::string& channel, const std::optional<Thread>& thread) {
    outgoing::JsonWriter json;
    json.object().member("channel", thread ? thread->channel : channel);
    if (thread) json.member("thread_ts", thread->ts);
    json.member("unfurl_links", false);
    write_message(json, message, mentions(message), host());
    return ask(attempt, "chat.postMessage", json.end_object().text());
  }

  /// The first message of the thread says how it stands: who has it, another level, how it ended; true: it does now. That it cannot
  /// be changed any more is no reason to tell it all again, and only the end is tried again for it: behind any other message more may
  /// wait, of which the next one changes it.
  std::pair<bool, ronda::delivery> change_first(outgoing::Attempt& attempt, const ronda::message& message, const Thread& thread) {
    outgoing::JsonWriter json;
    json.object().member("channel", thread.channel).member("ts", thread.ts);
    write_message(json, message, "", host());
    auto reply = ask(attempt, "chat.update", json.end_object().text());
    if (reply.outcome.status == ronda::delivery_status::delivered) return {true, std::move(reply.outcome)};
    if (reply.outcome.status == ronda::delivery_status::retry) {
      reply.outcome.summary = "posted, but the first message of the thread is not changed yet: " + reply.outcome.summary;
      if (message.event() == "resolve") return {false, std::move(reply.outcome)};
      return {false, ronda::delivered(reply.outcome.summary)};
    }
    return {true, ronda::delivered("posted; the first message of the thread could not be changed: ", reply.outcome.summary)};
  }

  Reply ask(outgoing::Attempt& attempt, std::string_view method, std::string body) {
    outgoing::Request request;
    request.url = attempt.url(outgoing::join_url(attempt.read(api_base_), method));
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}, {"Authorization", "Bearer " + attempt.read(token_)}};
    request.body = std::move(body);
    const auto answer = attempt.post(request);
    if (outgoing::meaning_of(answer.status) == outgoing::Meaning::taken) return read_reply(answer.body);
    Reply reply;
    reply.outcome = attempt.judge(answer);
    return reply;
  }

  ronda::value webhook_url_, token_, api_base_;
  std::string channel_;
  std::map<std::string, std::string> mention_;  // level to text
};

}  // namespace slack

RONDA_PLUGIN(slack::Slack)
