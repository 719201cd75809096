// SPDX-License-Identifier: Apache-2.0
#include "notify/digest.hpp"

#include <algorithm>
#include <unordered_map>

#include "notify/escape.hpp"
#include "notify/template.hpp"

namespace ronda::notify {
namespace {

constexpr std::size_t titles_most = 40;

struct Titled {
  std::string_view title;
  std::size_t count = 0;
};

/// Newest first; the same title once, with its count.
std::vector<Titled> titles_of(const std::vector<const store::OutboxRow*>& older) {
  std::vector<Titled> all;
  std::unordered_map<std::string_view, std::size_t> at;
  for (auto row = older.rbegin(); row != older.rend(); ++row) {
    const std::string_view title = (*row)->text.title;
    const auto [there, added] = at.emplace(title, all.size());
    if (added) all.push_back({title});
    ++all[there->second].count;
  }
  return all;
}

std::string list_of(const std::vector<Titled>& titles, Language language) {
  std::string out;
  std::size_t left = 0;
  for (std::size_t i = 0; i < titles.size(); ++i) {
    if (i >= titles_most) {
      left += titles[i].count;
      continue;
    }
    out += "- " + std::string(titles[i].title);
    if (titles[i].count > 1) out += " (x" + std::to_string(titles[i].count) + ")";
    out += '\n';
  }
  if (left > 0) out += (language == Language::es ? "- y otros " : "- and others: ") + std::to_string(left) + '\n';
  return out;
}

}  // namespace

store::OutboxText digest(const std::vector<const store::OutboxRow*>& older, const store::OutboxRow& newest) {
  if (older.empty()) return newest.text;
  Fields fields = fields_from_json(newest.text.fields);
  const Language language = language_of(value_of(fields, "language"));
  const Markup markup = find_markup(value_of(fields, "markup"));
  const Limits limits = limits_of(markup);
  const std::string count = std::to_string(older.size() + 1);
  std::erase_if(fields, [](const auto& field) { return field.first == "merged"; });
  fields.emplace_back("merged", count);
  store::OutboxText text;
  text.fields = to_json(fields);
  if (markup == Markup::sms) {
    text.body = cut_sms("(" + count + ") " + newest.text.body, limits.sms_parts);
    return text;
  }
  text.title = cut("(" + count + ") " + newest.text.title, limits.title);
  const std::string head = language == Language::es ? count + " mensajes en uno, el más nuevo arriba. Antes:\n"
                                                    : count + " messages in one, the newest above. Before it:\n";
  const std::string list = "\n--\n" + head + list_of(titles_of(older), language);
  // the newest in full as far as there is room, then at least a part of the others
  const std::size_t half = limits.body / 2;
  const std::string body = cut(newest.text.body, limits.body - std::min(list.size(), half));
  text.body = cut(body + list, limits.body);
  return text;
}

bool is_digest(const store::OutboxRow& row) {
  return !value_of(fields_from_json(row.text.fields), "merged").empty();
}

std::string event_of_digest(const std::vector<const store::OutboxRow*>& older, const store::OutboxRow& newest) {
  const bool opens =
      std::ranges::any_of(older, [&](const store::OutboxRow* row) { return row->event == "open" && row->incident == newest.incident; });
  return newest.event == "update" && opens ? "open" : newest.event;
}

}  // namespace ronda::notify
