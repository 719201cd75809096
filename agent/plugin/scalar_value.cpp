// SPDX-License-Identifier: Apache-2.0
#include "plugin/scalar_value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "plugin/option_regex.hpp"
#include "plugin/text_forms.hpp"

namespace ronda::plugin {
namespace {

/// Text of a reference and of a secret is never repeated in a message.
bool is_hidden(const Option& option, const config::Value& value) {
  return value.origin() != config::Origin::literal || option.type == OptionType::secret;
}

/// One check of one value: what to say and where.
struct Subject {
  const Option& option;
  const config::Value& value;
  const std::string& name;
  CheckContext& context;

  std::nullopt_t fail(const std::string& what) const {
    context.diagnostics.error(value.place(), "'" + name + (what.starts_with(':') ? "'" : "' ") + what);
    return std::nullopt;
  }
  std::nullopt_t wrong_type() const {
    if (value.as_float() != nullptr && !std::isfinite(*value.as_float())) return fail("must be a finite number");
    return fail("must be " + std::string(expectation(option.type)) + ", got " + std::string(value.type_name()));
  }
  bool hidden() const { return is_hidden(option, value); }
};

template <class T>
std::optional<T> number_in(std::string_view text) {
  T out{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// A reference always gives text: for a number or a bool it is read from that text.
std::optional<OptionNode> from_reference(const Subject& subject, const std::string& text) {
  const std::string_view plain = trim(text);
  const auto integer = number_in<std::int64_t>(plain);
  const auto real = number_in<double>(plain);
  switch (subject.option.type) {
    case OptionType::boolean:
      if (plain == "true" || plain == "false") return OptionNode(plain == "true");
      break;
    case OptionType::integer:
    case OptionType::port:
      if (integer) return OptionNode(*integer);
      break;
    case OptionType::real:
      if (real) return OptionNode(*real);
      break;
    default:
      break;
  }
  return subject.fail("must be " + std::string(expectation(subject.option.type)) + "; what the reference gives is not");
}

std::optional<OptionNode> plain_value(const Subject& subject) {
  const config::Value& value = subject.value;
  const std::string* text = value.as_string();
  if (text != nullptr && value.origin() != config::Origin::literal) return from_reference(subject, *text);
  switch (subject.option.type) {
    case OptionType::boolean:
      if (value.as_bool() != nullptr) return OptionNode(*value.as_bool());
      break;
    case OptionType::integer:
    case OptionType::port:
      if (value.as_int() != nullptr) return OptionNode(*value.as_int());
      break;
    default:
      if (value.as_int() != nullptr) return OptionNode(static_cast<double>(*value.as_int()));
      if (value.as_float() != nullptr && std::isfinite(*value.as_float())) return OptionNode(*value.as_float());
      break;
  }
  return subject.wrong_type();
}

std::string unit_hint(const config::Value& value, OptionType type) {
  const std::string_view unit = type == OptionType::duration ? "s" : type == OptionType::bytes ? "MiB" : "%";
  const std::string number = value.as_int() != nullptr ? std::to_string(*value.as_int()) : "5";
  return "needs its unit: it must be " + std::string(expectation(type)) + ", for example \"" + number + std::string(unit) + "\"";
}

Result<OptionNode> parse_united(OptionType type, std::string_view text) {
  switch (type) {
    case OptionType::duration: {
      RONDA_TRY(const Nanos nanos, parse_duration(text));
      return OptionNode(std::int64_t{nanos.count()});
    }
    case OptionType::bytes: {
      RONDA_TRY(const std::int64_t bytes, parse_size(text));
      return OptionNode(bytes);
    }
    case OptionType::percent: {
      RONDA_TRY(const double ratio, parse_percent(text));
      return OptionNode(ratio);
    }
    default: {
      RONDA_TRY(const std::int64_t nanos, parse_timestamp(text));
      return OptionNode(nanos);
    }
  }
}

/// Durations, sizes, percentages and timestamps: text with a unit.
std::optional<OptionNode> united_value(const Subject& subject) {
  const OptionType type = subject.option.type;
  const std::string* text = subject.value.as_string();
  if (text == nullptr) {
    const bool number = subject.value.as_int() != nullptr || subject.value.as_float() != nullptr;
    if (number && type != OptionType::timestamp) return subject.fail(unit_hint(subject.value, type));
    return subject.wrong_type();
  }
  auto parsed = parse_united(type, subject.hidden() ? trim(*text) : std::string_view(*text));
  if (parsed) return *std::move(parsed);
  if (subject.hidden()) return subject.fail("must be " + std::string(expectation(type)) + "; what the reference gives is not");
  return subject.fail("must be " + std::string(expectation(type)) + ": " + parsed.error().message());
}

Status check_form(const Subject& subject, const std::string& text) {
  const TextJudges& judges = subject.context.judges;
  switch (subject.option.type) {
    case OptionType::path:
      return check_path(text);
    case OptionType::url:
      return check_url(text);
    case OptionType::host:
      return check_host(text);
    case OptionType::regex:
      return check_regex(text);
    case OptionType::cron:
      return judges.cron ? judges.cron(text) : done();
    case OptionType::calendar:
      return judges.calendar ? judges.calendar(text) : done();
    default:
      return done();
  }
}

std::optional<OptionNode> text_value(const Subject& subject) {
  const std::string* text = subject.value.as_string();
  if (text == nullptr) return subject.wrong_type();
  if (text->find('\0') != std::string::npos) return subject.fail("has a NUL, which no option may have");
  if (const Status form = check_form(subject, *text); !form) {
    // a judge's message may repeat the text
    const bool whole =
        subject.option.type == OptionType::regex || subject.option.type == OptionType::cron || subject.option.type == OptionType::calendar;
    if (!subject.hidden()) return subject.fail((whole ? ": " : "") + form.error().message());
    return subject.fail("must be " + std::string(expectation(subject.option.type)) + "; what the reference gives is not");
  }
  const bool secret = subject.option.type == OptionType::secret || subject.value.origin() == config::Origin::secret;
  if (secret) return OptionNode(Secret{*text});
  return OptionNode(*text);
}

std::optional<OptionNode> any_value(const Subject& subject) {
  const config::Value& value = subject.value;
  if (value.as_bool() != nullptr) return OptionNode(*value.as_bool());
  if (value.as_int() != nullptr) return OptionNode(*value.as_int());
  if (value.as_float() != nullptr && std::isfinite(*value.as_float())) return OptionNode(*value.as_float());
  if (value.as_string() != nullptr) return text_value(subject);
  return subject.wrong_type();
}

std::optional<OptionNode> typed_value(const Subject& subject) {
  switch (subject.option.type) {
    case OptionType::boolean:
    case OptionType::integer:
    case OptionType::port:
    case OptionType::real:
      return plain_value(subject);
    case OptionType::duration:
    case OptionType::bytes:
    case OptionType::percent:
    case OptionType::timestamp:
      return united_value(subject);
    case OptionType::any:
      return any_value(subject);
    default:
      return text_value(subject);
  }
}

std::string_view text_of(const OptionNode& node) {
  if (node.as_string() != nullptr) return *node.as_string();
  return node.as_secret() != nullptr ? std::string_view(node.as_secret()->text) : std::string_view();
}

std::int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

/// "is 120%, " or, where the value is not to be shown, "is ".
std::string measured_as(const Subject& subject, const OptionNode& measured, OptionType shown_as) {
  const std::string number = subject.hidden() ? "" : format_scalar(shown_as, measured);
  if (!is_text(subject.option.type)) return number.empty() ? "is " : "is " + number + ", ";
  return number.empty() ? "has a length " : "has " + number + " characters, ";
}

bool check_range(const Subject& subject, const OptionNode& node) {
  const Option& option = subject.option;
  const bool text = is_text(option.type);
  const OptionNode measured = text ? OptionNode(characters(text_of(node))) : node;
  const OptionType shown_as = text ? OptionType::integer : option.type;
  const bool low = option.min && compare_scalars(measured, *option.min) == -1;
  const bool high = option.max && compare_scalars(measured, *option.max) == 1;
  if (!low && !high) return true;
  subject.fail(measured_as(subject, measured, shown_as) + (low ? "below the minimum of " : "above the maximum of ") +
               format_scalar(shown_as, low ? *option.min : *option.max));
  return false;
}

bool check_choices(const Subject& subject, const OptionNode& node) {
  const Option& option = subject.option;
  if (option.choices.empty()) return true;
  const OptionNode compared = node.as_secret() != nullptr ? OptionNode(node.as_secret()->text) : node;
  if (std::ranges::find(option.choices, compared) != option.choices.end()) return true;
  std::string list;
  for (const std::string& choice : option.choice_texts) list += (list.empty() ? "" : ", ") + choice;
  std::string what = "must be one of " + list;
  if (!subject.hidden()) what = "is " + format_scalar(option.type, node) + "; it " + what;
  std::vector<std::string_view> names;
  for (const OptionNode& choice : option.choices) names.push_back(text_of(choice));
  const std::string_view meant = nearest(text_of(node), names);
  if (!meant.empty() && !subject.hidden()) what += "; did you mean \"" + std::string(meant) + "\"?";
  subject.fail(what);
  return false;
}

bool check_port(const Subject& subject, const OptionNode& node) {
  const std::int64_t* port = node.as_int();
  if (subject.option.type != OptionType::port || port == nullptr || (*port >= 1 && *port <= 65535)) return true;
  subject.fail(subject.hidden() ? std::string("is no port; a port is 1 to 65535")
                                : "is " + std::to_string(*port) + "; a port is 1 to 65535");
  return false;
}

/// What a pattern sees: text as it is, a number or a bool as it is written.
std::string written(const OptionNode& node) {
  if (node.as_string() != nullptr || node.as_secret() != nullptr) return std::string(text_of(node));
  return format_scalar(OptionType::any, node);
}

bool check_pattern(const Subject& subject, const OptionNode& node, const TextRule& rule) {
  if (rule.pattern.empty()) return true;
  const std::string text = written(node);
  if (regex_matches(rule.pattern, text)) return true;
  const std::string shown = node.as_string() != nullptr ? shown_text(text) : text;
  if (!rule.message.empty()) {
    subject.fail((subject.hidden() ? ": " : "is " + shown + ": ") + rule.message);
  } else {
    subject.fail((subject.hidden() ? "does" : "is " + shown + ", which does") + " not match the pattern " + rule.pattern);
  }
  return false;
}

bool reads_as(const Subject& subject, OptionType form) {
  Option plain;
  plain.type = form;
  config::Diagnostics unsaid;
  CheckContext context{unsaid, subject.context.judges};
  return check_scalar(plain, subject.value, subject.name, context).has_value();
}

bool check_forms(const Subject& subject, const OptionNode& node) {
  const std::vector<OptionType>& forms = subject.option.forms;
  if (forms.empty() || std::ranges::any_of(forms, [&](OptionType form) { return reads_as(subject, form); })) return true;
  std::string what = subject.hidden() ? "must be " : "is " + shown_text(text_of(node)) + "; it must be ";
  for (std::size_t i = 0; i < forms.size(); ++i) what += (i == 0 ? "" : " or ") + std::string(expectation(forms[i]));
  subject.fail(what);
  return false;
}

bool check_openness(const Subject& subject) {
  if (subject.option.no_secret.empty() || subject.value.origin() != config::Origin::secret) return true;
  subject.fail("must not hold a secret: " + subject.option.no_secret);
  return false;
}

}  // namespace

std::string_view expectation(OptionType type) {
  // in the order of OptionType
  constexpr std::array<std::string_view, 19> phrases = {
      "true or false",
      "an integer",
      "a number",
      "text in quotes",
      "one of its choices",
      "a duration like \"30s\"",
      "a size like \"10MiB\"",
      "a percentage like \"80%\"",
      "an absolute path",
      "a URL like \"https://example.org/\"",
      "a host name or an IP address",
      "a port number",
      "a regular expression",
      "a cron expression like \"0 2 * * *\"",
      "a calendar expression like \"Sun *-*-* 02:00\"",
      "a timestamp like \"2026-11-02T03:00:00Z\"",
      "text in quotes, best a reference like \"${file:/etc/ronda/secrets/name}\"",
      "a boolean, a number or text",
      "a table",
  };
  return phrases[static_cast<std::size_t>(type)];
}

std::optional<OptionNode> check_scalar(const Option& option, const config::Value& value, const std::string& name, CheckContext& context) {
  const Subject subject{option, value, name, context};
  auto node = typed_value(subject);
  if (!node) return std::nullopt;
  const bool fits = check_openness(subject) && check_port(subject, *node) && check_range(subject, *node) && check_choices(subject, *node) &&
                    check_pattern(subject, *node, option.pattern) && check_forms(subject, *node);
  if (!fits) return std::nullopt;
  return node;
}

bool check_first(const Option& option, const config::Value& value, const OptionNode& node, const std::string& name, CheckContext& context) {
  return check_pattern({option, value, name, context}, node, option.first);
}

}  // namespace ronda::plugin
