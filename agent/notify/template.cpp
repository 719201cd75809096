// SPDX-License-Identifier: Apache-2.0
#include "notify/template.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "notify/pattern.hpp"
#include "notify/words.hpp"

namespace ronda::notify {
namespace {

constexpr std::array<std::string_view, topic_count> topics = {"open",       "update", "resolve", "reminder",
                                                              "escalation", "window", "expiry",  "test"};
constexpr std::array<std::string_view, 2> languages = {"en", "es"};
constexpr std::array<std::string_view, 6> keys = {"event", "title", "body", "sms", "language", "notifiers"};

constexpr std::array known_fields = {
    // of the incident
    FieldName{"severity"},
    FieldName{"level"},
    FieldName{"system"},
    FieldName{"service"},
    FieldName{"title"},
    FieldName{"time"},
    FieldName{"status"},
    FieldName{"description", true},
    FieldName{"impact", true},
    FieldName{"said", true},
    FieldName{"current_status", true},
    FieldName{"next_update"},
    FieldName{"war_room"},
    FieldName{"incident_url"},
    FieldName{"contact"},
    FieldName{"incident"},
    // of its end
    FieldName{"resolved"},
    FieldName{"duration"},
    FieldName{"summary", true},
    FieldName{"impact_summary", true},
    FieldName{"root_cause"},
    FieldName{"action_items"},
    FieldName{"customer_communication"},
    FieldName{"next_steps", true},
    FieldName{"pending"},
    // of what led to it
    FieldName{"alert"},
    FieldName{"check"},
    FieldName{"since"},
    FieldName{"reason", true},
    FieldName{"step"},
    FieldName{"owner"},
    FieldName{"taken"},
    FieldName{"untaken"},
    FieldName{"author"},
    FieldName{"host"},
    FieldName{"ack"},
    FieldName{"ack_code"},
    // of windows, silences and acknowledgements
    FieldName{"window"},
    FieldName{"starts"},
    FieldName{"ends"},
    FieldName{"expires"},
    FieldName{"hides", true},
    FieldName{"still_broken", true},
};

/// The words of one `[template.N]`; what it does not say is said by the shipped one.
struct Own {
  std::optional<Pattern> title, body, sms;
  config::Place place;
};

struct Key {
  Topic topic;
  Language language;
  std::string notifier;  // empty: every
  auto operator<=>(const Key&) const = default;
};
using OwnWords = std::map<Key, std::shared_ptr<const Own>>;

std::string_view language_name(Language language) {
  return language == Language::es ? "Spanish" : "English";
}

Pattern shipped(std::string_view text) {
  auto pattern = Pattern::parse(text);
  return *std::move(pattern);  // a test parses all of them
}

bool has_lines(std::string_view name) {
  const auto field = std::ranges::find(known_fields, name, &FieldName::name);
  return field != known_fields.end() && field->lines;
}

Fields escaped(const Fields& raw, Markup markup, Language language, bool one_line) {
  Fields out;
  for (const auto& [name, value] : raw) {
    const std::string_view text = name == "status" ? status_word(value, language) : std::string_view(value);
    out.emplace_back(name, !one_line && has_lines(name) ? escape_lines(text, markup) : escape_line(text, markup));
  }
  return out;
}

std::string joined_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return std::string(trim(text));
}

std::string sms_text(const Pattern& pattern, const Fields& line, const std::string& mark) {
  return mark + fold_for_sms(joined_line(pattern.fill(line)));
}

/// Never shortened, or it leads nowhere: it is what a reply names.
bool is_whole(std::string_view name) {
  constexpr std::array<std::string_view, 3> names = {"ack", "ack_code", "incident"};
  return std::ranges::find(names, name) != names.end();
}

/// What is too long gives way where the longest values stand, all down to one length: a long reason takes nothing of a short
/// title. There is room left for the count that digest() sets before it.
std::string fitted_sms(const Pattern& pattern, const Fields& line, const std::string& mark, int parts) {
  constexpr std::string_view longest_count = "(10000) ";
  const auto fits = [&](const std::string& text) { return sms_size(std::string(longest_count) + text).parts <= parts; };
  const auto shortened = [&](std::size_t most) {
    Fields shorter = line;
    for (auto& [name, value] : shorter) {
      if (!is_whole(name)) value = cut(value, most);
    }
    return sms_text(pattern, shorter, mark);
  };
  std::string whole = sms_text(pattern, line, mark);
  if (fits(whole)) return whole;
  std::size_t least = 0, most = 0;  // characters that fit
  for (const auto& [name, value] : line) most = std::max(most, value.size());
  while (least < most) {
    const std::size_t middle = (least + most + 1) / 2;
    if (fits(shortened(middle)))
      least = middle;
    else
      most = middle - 1;
  }
  return cut_sms(shortened(least), parts);
}

/// Reads the tables `[template.N]` into words.
class Loader {
 public:
  Loader(OwnWords& own, config::Diagnostics& diagnostics, const config::Generation& generation)
      : own_(own), diagnostics_(diagnostics), standard_(language_of(generation.agent.language)) {
    for (const auto* instances : {&generation.instances, &generation.unsound}) {
      for (const config::Instance& one : *instances) {
        if (one.kind == config::Kind::notifier) notifiers_.push_back(one.name);
      }
    }
    for (const config::Disabled& one : generation.disabled) {
      if (one.kind == config::kind_name(config::Kind::notifier)) notifiers_.push_back(one.name);
      if (one.kind == "file") knows_notifiers_ = false;  // it may be that one's
    }
  }

  void load(const config::RawObject& object) {
    config::Scope scope(diagnostics_);
    const config::Table* table = object.value.as_table();
    if (table == nullptr) return;
    Own words;
    words.place = object.place;
    std::optional<Topic> topic = find_topic(object.name);
    Language language = standard_;
    std::vector<std::string> notifiers;
    for (const config::Member& member : *table) {
      if (member.key == "event") {
        if (const auto index = config::read_choice(scope, member.key, member.value, topics)) topic = static_cast<Topic>(*index);
      } else if (member.key == "language") {
        if (const auto index = config::read_choice(scope, member.key, member.value, languages)) language = static_cast<Language>(*index);
      } else if (member.key == "notifiers") {
        notifiers = config::read_texts(scope, member.key, member.value);
        for (const std::string& name : notifiers) judge_notifier(scope, member.value, name);
      } else if (member.key == "title") {
        words.title = read_words(scope, member);
      } else if (member.key == "body") {
        words.body = read_words(scope, member);
      } else if (member.key == "sms") {
        words.sms = read_words(scope, member);
      } else {
        scope.error(member.key_place, config::unknown_key(member.key, keys));
      }
    }
    if (!topic && scope.sound()) {
      scope.error(object.place, "template `" + object.name + "` says no `event`, and its name is none: write event = \"open\" (or " +
                                    "update, resolve, reminder, escalation, window, expiry, test)");
    }
    if (scope.sound()) keep(scope, *topic, language, std::move(notifiers), std::move(words));
  }

 private:
  static std::optional<Pattern> read_words(config::Scope& scope, const config::Member& member) {
    const auto text = config::read_text(scope, member.key, member.value);
    if (!text) return {};
    auto pattern = Pattern::parse(*text);
    if (pattern) return *std::move(pattern);
    config::wrong_text(scope, member.key, member.value, pattern.error().message(), "a template");
    return {};
  }

  void keep(config::Scope& scope, Topic topic, Language language, std::vector<std::string> notifiers, Own words) {
    if (notifiers.empty()) notifiers.emplace_back();  // for all of them
    const auto shared = std::make_shared<const Own>(std::move(words));
    for (const std::string& notifier : notifiers) {
      const auto [there, added] = own_.emplace(Key{topic, language, notifier}, shared);
      if (added) continue;
      const std::string whose = notifier.empty() ? "every notifier" : "notifier `" + notifier + "`";
      return scope.error(shared->place,
                         "the words of `" + std::string(topic_name(topic)) + "` in " + std::string(language_name(language)) + " for " +
                             whose + " stand in another template already",
                         there->second->place);
    }
  }

  void judge_notifier(config::Scope& scope, const config::Value& value, const std::string& name) const {
    if (!knows_notifiers_ || std::ranges::find(notifiers_, name) != notifiers_.end()) return;
    const std::string_view close = nearest(name, notifiers_);
    scope.error(value.place(), "`notifiers`: there is no notifier `" + escape_controls(repair_utf8(name, 64)) + "`" +
                                   (close.empty() ? std::string() : "; did you mean `" + std::string(close) + "`?"));
  }

  OwnWords& own_;
  config::Diagnostics& diagnostics_;
  Language standard_;
  std::vector<std::string_view> notifiers_;
  bool knows_notifiers_ = true;
};

}  // namespace

struct Templates::Impl {
  struct Shipped {
    Pattern title, body, sms;
  };
  std::vector<Shipped> shipped[2];  // by language, then topic
  OwnWords own;

  Impl() {
    for (const Language language : {Language::en, Language::es}) {
      for (std::size_t topic = 0; topic < topic_count; ++topic) {
        const Words& words = shipped_words(static_cast<Topic>(topic), language);
        shipped[static_cast<std::size_t>(language)].push_back(
            {notify::shipped(words.title), notify::shipped(words.body), notify::shipped(words.sms)});
      }
    }
  }

  const Pattern& find(const Use& use, const Pattern Shipped::*standard, const std::optional<Pattern> Own::*own_words) const {
    for (const std::string_view notifier : {use.notifier, std::string_view()}) {
      const auto found = own.find(Key{use.topic, use.language, std::string(notifier)});
      if (found != own.end() && (*found->second).*own_words) return *((*found->second).*own_words);
    }
    return shipped[static_cast<std::size_t>(use.language)][static_cast<std::size_t>(use.topic)].*standard;
  }
};

Templates::Templates() : impl_(std::make_shared<const Impl>()) {}

Templates Templates::load(const config::Generation& generation, config::Diagnostics& diagnostics) {
  auto impl = std::make_shared<Impl>();
  Loader loader(impl->own, diagnostics, generation);
  for (const config::RawObject& object : generation.raw("template")) loader.load(object);
  Templates out;
  out.impl_ = std::move(impl);
  return out;
}

Text Templates::render(const Use& use, const Fields& fields) const {
  const Limits limits = limits_of(use.markup);
  const std::string mark(use.drill ? drill_mark() : "");
  const Fields line = escaped(fields, use.markup, use.language, true);
  if (use.markup == Markup::sms) {
    return {"", fitted_sms(impl_->find(use, &Impl::Shipped::sms, &Own::sms), line, mark, limits.sms_parts)};
  }
  const std::string title = joined_line(impl_->find(use, &Impl::Shipped::title, &Own::title).fill(line));
  const std::string body = impl_->find(use, &Impl::Shipped::body, &Own::body).fill(escaped(fields, use.markup, use.language, false));
  return {cut(mark + title, limits.title), cut((use.drill ? std::string(drill_line(use.language)) : "") + body, limits.body)};
}

std::string_view topic_name(Topic topic) {
  return topics[static_cast<std::size_t>(topic)];
}

std::optional<Topic> find_topic(std::string_view name) {
  const auto found = std::ranges::find(topics, name);
  if (found == topics.end()) return {};
  return static_cast<Topic>(found - topics.begin());
}

Language language_of(std::string_view name) {
  return name == "es" ? Language::es : Language::en;
}

std::span<const FieldName> field_names() {
  return known_fields;
}

std::string_view value_of(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

std::string to_json(const Fields& fields) {
  boost::json::object object;
  for (const auto& [name, value] : fields) object[repair_utf8(name, name.size() * 3)] = repair_utf8(value, value.size() * 3);
  return boost::json::serialize(object);
}

Fields fields_from_json(std::string_view json) {
  boost::system::error_code failed;
  const boost::json::value value = boost::json::parse(boost::json::string_view(json.data(), json.size()), failed);
  Fields out;
  if (failed || !value.is_object()) return out;
  for (const auto& member : value.get_object()) {
    if (!member.value().is_string()) continue;
    const auto& text = member.value().get_string();
    out.emplace_back(std::string(member.key()), std::string(text.data(), text.size()));
  }
  return out;
}

}  // namespace ronda::notify
