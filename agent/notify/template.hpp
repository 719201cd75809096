// SPDX-License-Identifier: Apache-2.0
// The words of messages: `[template.N]` of conf.d over shipped ones in English and Spanish. Strict: a placeholder
// that no message has is an error of the configuration, with its place. Rendering is pure and cannot fail.
// A template's own words are trusted (they are configuration, and may mention); every value is escaped.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/fields.hpp"
#include "config/generation.hpp"
#include "notify/escape.hpp"

namespace ronda::notify {

/// What a message is about; the `event` of a template. `escalation` is a step that tells further people.
enum class Topic : std::uint8_t { open, update, resolve, reminder, escalation, window, expiry, test };
inline constexpr std::size_t topic_count = 8;
std::string_view topic_name(Topic topic);
std::optional<Topic> find_topic(std::string_view name);

enum class Language : std::uint8_t { en, es };
Language language_of(std::string_view name);  // English for what is not known

/// A placeholder that templates may use, and whether its value may have several lines.
struct FieldName {
  std::string_view name;
  bool lines = false;
};
/// All of them; the same for every topic. A value that a message does not have is empty.
std::span<const FieldName> field_names();

/// The named values of one message, unescaped. Names that no placeholder has are carried along for the plugin.
using Fields = std::vector<std::pair<std::string, std::string>>;
std::string_view value_of(const Fields& fields, std::string_view name);
/// JSON object of strings, as the outbox keeps it; and back (empty for what is not one).
std::string to_json(const Fields& fields);
Fields fields_from_json(std::string_view json);

struct Text {
  std::string title, body;
};

class Templates {
 public:
  /// The shipped ones alone.
  Templates();

  /// `[template.N]`: event, title, body, sms, language, notifiers. What is wrong is reported and left out: the shipped
  /// words stand in for it.
  static Templates load(const config::Generation& generation, config::Diagnostics& diagnostics);

  struct Use {
    Topic topic = Topic::open;
    Language language = Language::en;
    Markup markup = Markup::plain;
    std::string_view notifier;  // of conf.d; its own template goes before that for all
    bool drill = false;         // "[DRILL]" before the title, whatever the template says
  };
  /// Escaped and cut for the channel; the title is one line, and of an SMS everything is in the body.
  Text render(const Use& use, const Fields& fields) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace ronda::notify
