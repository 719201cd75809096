// SPDX-License-Identifier: Apache-2.0
#include "read_mail.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

namespace {

std::string with_plain_ends(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  return out;
}

int digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decode_quoted_printable(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\n') {
      ++i;
    } else if (i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      throw std::runtime_error("no quoted-printable: " + text.substr(i, 3));
    }
  }
  return out;
}

std::string decode_base64(const std::string& text) {
  std::string out(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) throw std::runtime_error("no base64: " + text);
  out.resize(static_cast<std::size_t>(size) - static_cast<std::size_t>(std::count(text.begin(), text.end(), '=')));
  return out;
}

}  // namespace

std::string ReadMail::raw(const std::string& name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  throw std::runtime_error("there is no header " + name);
}

bool ReadMail::has(const std::string& name) const {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; });
}

std::string ReadMail::shown(const std::string& name) const {
  const auto text = raw(name);
  const std::string begin = "=?UTF-8?B?";
  std::string out;
  std::size_t at = 0;
  for (auto word = text.find(begin); word != text.npos; word = text.find(begin, at)) {
    const auto end = text.find("?=", word + begin.size());
    if (end == text.npos) throw std::runtime_error("an encoded word does not end: " + text);
    if (end + 2 - word > 75) throw std::runtime_error("an encoded word is too long: " + text);
    const auto between = text.substr(at, word - at);
    if (at == 0 || between != " ") out += between;  // white space between two of them is none
    out += decode_base64(text.substr(word + begin.size(), end - word - begin.size()));
    at = end + 2;
  }
  return out + text.substr(at);
}

ReadMail read_mail(const std::string& text) {
  const auto plain = with_plain_ends(text);
  ReadMail out;
  std::size_t at = 0;
  while (at < plain.size() && plain[at] != '\n') {
    const auto end = plain.find('\n', at);
    if (end == plain.npos) throw std::runtime_error("the header does not end");
    const auto line = plain.substr(at, end - at);
    at = end + 1;
    if (line[0] == ' ' || line[0] == '\t') {
      if (out.headers.empty()) throw std::runtime_error("the header begins with a fold");
      out.headers.back().second += line;
      continue;
    }
    const auto colon = line.find(':');
    if (colon == line.npos || line.find_first_of(" \t") < colon) throw std::runtime_error("this is no header: " + line);
    out.headers.emplace_back(line.substr(0, colon), line.substr(line[colon + 1] == ' ' ? colon + 2 : colon + 1));
  }
  out.raw_body = at < plain.size() ? plain.substr(at + 1) : "";
  out.body = out.has("Content-Transfer-Encoding") && out.raw("Content-Transfer-Encoding") == "quoted-printable"
                 ? decode_quoted_printable(out.raw_body)
                 : out.raw_body;
  return out;
}
