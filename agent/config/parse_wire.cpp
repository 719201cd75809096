// SPDX-License-Identifier: Apache-2.0
#include "config/parse_wire.hpp"

namespace ronda::config {
namespace {

constexpr std::uint64_t request_mark = 0x524f4e4450415231U;
constexpr std::uint64_t answer_mark = 0x524f4e44414e5331U;
constexpr std::size_t max_message_bytes = 4096;

class Writer {
 public:
  Writer& number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>((value >> shift) & 0xFFU);
    return *this;
  }
  Writer& text(std::string_view value) {
    number(value.size());
    bytes_ += value;
    return *this;
  }
  Writer& place(Place value) { return number(value.file).number(value.line).number(value.column); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// After the first read past the end all further ones give nothing and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    if (bytes_.size() < 8) return fail();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
      value |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    bytes_.remove_prefix(8);
    return value;
  }
  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
  std::string text() {
    const std::uint64_t size = number();
    if (size > bytes_.size()) {
      fail();
      return {};
    }
    std::string value(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return value;
  }
  Place place() {
    Place value;
    value.file = small();
    value.line = small();
    value.column = small();
    return value;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }

 private:
  std::uint64_t fail() {
    ok_ = false;
    bytes_ = {};
    return 0;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace

std::string encode_request(const Sources& sources, const Environment& environment, std::uint32_t uid) {
  Writer out;
  out.number(request_mark).number(uid).text(environment.env_file).text(environment.credentials_directory);
  out.number(environment.variables.size());
  for (const auto& [name, value] : environment.variables) out.text(name).text(value);
  out.number(sources.size());
  for (const Source& source : sources) out.text(source.path).number(source.refused ? 1 : 0).text(source.text);
  return out.take();
}

Result<ParseRequest> decode_request(std::string_view bytes) {
  Reader in(bytes);
  ParseRequest request;
  const bool marked = in.number() == request_mark;
  request.uid = in.small();
  request.environment.env_file = in.text();
  request.environment.credentials_directory = in.text();
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    std::string name = in.text();
    request.environment.variables.insert_or_assign(std::move(name), in.text());
  }
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    Source source;
    source.path = in.text();
    source.refused = in.number() != 0;
    source.text = in.text();
    request.sources.push_back(std::move(source));
  }
  if (!marked || !in.at_end()) return Error(Errc::corrupt, "the request to the parser is damaged");
  return request;
}

std::string encode_answer(const ParseAnswer& answer) {
  Writer out;
  const Diagnostics& diagnostics = answer.diagnostics;
  out.number(answer_mark).number(answer.instances);
  out.number(diagnostics.errors()).number(diagnostics.warnings()).number(diagnostics.all().size());
  for (const Diagnostic& one : diagnostics.all()) {
    out.number(one.severity == Severity::error ? 0 : 1).place(one.where);
    out.text(std::string_view(one.message).substr(0, max_message_bytes));
    out.number(one.first ? 1 : 0).place(one.first.value_or(Place()));
  }
  return out.take();
}

Result<ParseAnswer> decode_answer(std::string_view bytes, const Sources& sources) {
  Reader in(bytes);
  ParseAnswer answer;
  const bool marked = in.number() == answer_mark;
  answer.instances = in.number();
  const std::uint64_t errors = in.number();
  const std::uint64_t warnings = in.number();
  const auto known = [&](Place place) {
    if (place.file >= sources.size()) place = {no_file, 0, 0};
    return place;
  };
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    Diagnostic one;
    one.severity = in.number() == 0 ? Severity::error : Severity::warning;
    one.where = known(in.place());
    one.message = in.text();
    const bool has_first = in.number() != 0;
    const Place first = known(in.place());
    if (has_first) one.first = first;
    answer.diagnostics.add(std::move(one));
  }
  if (!marked || !in.at_end()) return Error(Errc::corrupt, "the parser gave a damaged answer");
  answer.diagnostics.count_not_kept(errors, warnings);
  return answer;
}

}  // namespace ronda::config
