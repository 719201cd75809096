// SPDX-License-Identifier: Apache-2.0
// The reading half of json.hpp: what stands here reads text that strangers wrote.
#include <charconv>

#include "outgoing/json.hpp"
#include "outgoing/text.hpp"

namespace outgoing {
namespace {

constexpr int deepest = 32;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Each function stands at the beginning of what it reads and leaves behind its end; false: that is not there.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool document(std::vector<JsonMember>& members) {
    blanks();
    if (!object(&members, 1)) return false;
    blanks();
    return rest_.empty();
  }

 private:
  void blanks() {
    const auto first = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(first == rest_.npos ? rest_.size() : first);
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool word(std::string_view text) {
    if (rest_.substr(0, text.size()) != text) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  /// Members go to `members`, or nowhere.
  bool object(std::vector<JsonMember>* members, int depth) {
    if (depth > deepest || !take('{')) return false;
    blanks();
    if (take('}')) return true;
    do {
      JsonMember member;
      blanks();
      if (!string(member.name)) return false;
      blanks();
      if (!take(':')) return false;
      if (!value(member, depth)) return false;
      if (members != nullptr) members->push_back(std::move(member));
      blanks();
    } while (take(','));
    return take('}');
  }

  bool array(int depth) {
    if (depth > deepest || !take('[')) return false;
    blanks();
    if (take(']')) return true;
    do {
      JsonMember item;
      if (!value(item, depth)) return false;
      blanks();
    } while (take(','));
    return take(']');
  }

  bool value(JsonMember& out, int depth) {
    blanks();
    const auto begin = rest_;
    if (rest_.empty()) return false;
    using Kind = JsonMember::Kind;
    if (rest_.front() == '"') return out.kind = Kind::text, string(out.text);
    bool read = false;
    if (rest_.front() == '{')
      out.kind = Kind::composite, read = object(nullptr, depth + 1);
    else if (rest_.front() == '[')
      out.kind = Kind::composite, read = array(depth + 1);
    else if (word("true") || word("false"))
      out.kind = Kind::boolean, read = true;
    else if (word("null"))
      out.kind = Kind::null, read = true;
    else
      out.kind = Kind::number, read = number();
    out.text = std::string(begin.substr(0, begin.size() - rest_.size()));
    return read;
  }

  bool digits() {
    const auto before = rest_.size();
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < before;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits();
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return out = valid_utf8(out), true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\')
        out += c;
      else if (!escape(out))
        return false;
    }
    return false;
  }

  bool escape(std::string& out) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view names = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    if (const auto at = names.find(c); at != names.npos) return out += meant[at], true;
    std::uint32_t unit = 0, low = 0;
    if (c != 'u' || !hex(unit)) return false;
    const bool high = unit >= 0xd800 && unit < 0xdc00;
    if (high && word("\\u")) {
      if (!hex(low)) return false;
      const bool pair = low >= 0xdc00 && low < 0xe000;
      append_utf8(out, pair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : replacement);
      return true;
    }
    append_utf8(out, unit);
    return true;
  }

  bool hex(std::uint32_t& out) {
    if (rest_.size() < 4) return false;
    const auto* end = rest_.data() + 4;
    const auto [stop, error] = std::from_chars(rest_.data(), end, out, 16);
    rest_.remove_prefix(4);
    return error == std::errc() && stop == end;
  }

  std::string_view rest_;
};

}  // namespace

const JsonMember* JsonObject::find(std::string_view name) const {
  for (const auto& member : members_)
    if (member.name == name) return &member;
  return nullptr;
}

std::string_view JsonObject::text(std::string_view name) const {
  const auto* member = find(name);
  return member != nullptr && member->kind == JsonMember::Kind::text ? std::string_view(member->text) : std::string_view();
}

bool JsonObject::is_true(std::string_view name) const {
  const auto* member = find(name);
  return member != nullptr && member->kind == JsonMember::Kind::boolean && member->text == "true";
}

std::optional<std::int64_t> JsonObject::integer(std::string_view name) const {
  const auto* member = find(name);
  if (member == nullptr || member->kind != JsonMember::Kind::number) return std::nullopt;
  std::int64_t out = 0;
  const auto* end = member->text.data() + member->text.size();
  const auto [stop, error] = std::from_chars(member->text.data(), end, out);
  if (error != std::errc() || stop != end) return std::nullopt;
  return out;
}

std::optional<JsonObject> parse_json_object(std::string_view text) {
  std::vector<JsonMember> members;
  if (!Reader(text).document(members)) return std::nullopt;
  return JsonObject(std::move(members));
}

}  // namespace outgoing
