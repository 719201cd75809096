// SPDX-License-Identifier: Apache-2.0
#include "sink.hpp"

#include <strings.h>

#include <cstdlib>
#include <sstream>

namespace {

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

SinkRequest taken_apart(const std::string& text) {
  SinkRequest out;
  std::istringstream lines(text.substr(0, text.find("\r\n\r\n")));
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> out.method >> out.target;
  while (std::getline(lines, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const auto colon = line.find(": ");
    if (colon != line.npos) out.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  const auto end = text.find("\r\n\r\n");
  if (end != text.npos) out.body = text.substr(end + 4);
  return out;
}

}  // namespace

std::string SinkRequest::header(const std::string& name) const {
  for (const auto& [key, value] : headers)
    if (strcasecmp(key.c_str(), name.c_str()) == 0) return value;
  return {};
}

std::map<std::string, std::string> SinkRequest::form() const {
  std::map<std::string, std::string> out;
  std::istringstream pairs(body);
  for (std::string pair; std::getline(pairs, pair, '&');) {
    const auto equals = pair.find('=');
    out[unescaped(pair.substr(0, equals))] = equals == pair.npos ? "" : unescaped(pair.substr(equals + 1));
  }
  return out;
}

std::string http_answer(int status, const std::string& body, const std::string& more_headers) {
  return "HTTP/1.1 " + std::to_string(status) + " said\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_headers + "\r\n" + body;
}

Sink::Sink(Answer answer) : answer_(std::move(answer)), server_([this](int fd) { serve(fd); }) {}

std::vector<SinkRequest> Sink::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void Sink::serve(int fd) {
  const auto request = taken_apart(read_request(fd));
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  if (const auto answer = answer_(request); !answer.empty()) send_text(fd, answer);
}
