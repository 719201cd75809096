// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"
#include "incident/event.hpp"

namespace ronda::incident {
namespace {

constexpr std::string_view cut = "...";
constexpr std::size_t max_fields = 32;

void fit(std::string& text, std::size_t most) {
  const bool is_short = text.size() <= most;
  text = repair_utf8(text, is_short ? 3 * most : most - cut.size());
  if (!is_short)
    text += cut;
  else if (text.size() > most)
    text = repair_utf8(text, most - cut.size()) + std::string(cut);  // repairing made it longer
}

}  // namespace

void bound(Event& event) {
  for (std::string* name : {&event.incident, &event.host, &event.author.name, &event.source, &event.kind_name, &event.service, &event.root,
                            &event.alert, &event.check, &event.subject, &event.role, &event.channel, &event.message})
    fit(*name, max_name_bytes);
  fit(event.war_room, 1024);
  fit(event.text, event.kind == Kind::diagnosis ? max_output_bytes : max_text_bytes);
  fit(event.title, max_text_bytes);
  if (event.fields.size() > max_fields) event.fields.resize(max_fields);
  for (auto& [name, text] : event.fields) {
    fit(name, max_name_bytes);
    fit(text, max_text_bytes);
  }
}

}  // namespace ronda::incident
