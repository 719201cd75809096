// SPDX-License-Identifier: Apache-2.0
#include "config/references.hpp"

#include <unistd.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/safe_path.hpp"
#include "base/text.hpp"

namespace ronda::config {
namespace {

constexpr std::size_t max_secret_bytes = 64 << 10;
constexpr std::size_t min_secret_variable_bytes = 8;  // shorter ones are words like "prod" that logs may contain
constexpr std::string_view literal_hint = "write $${ for a literal ${";

std::string braced(std::string_view body) {
  return "${" + std::string(body.substr(0, 200)) + "}";
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit);
}

/// A path, a host's name or address, perhaps with a port: what the summary of a check has to name. "name:word" is none.
bool is_place(std::string_view text) {
  if (text.starts_with('/')) return true;
  const auto colons = std::ranges::count(text, ':');
  if (colons > 1)  // an address of version 6
    return std::ranges::all_of(
        text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || c == '.' || c == ':' || c == '[' || c == ']'; });
  const std::size_t colon = text.find(':');
  const bool with_port = colons == 1 && is_port(text.substr(colon + 1));
  const std::string_view host = text.substr(0, with_port ? colon : text.size());
  const bool plain = std::ranges::all_of(host, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '.' || c == '-'; });
  return plain && (with_port || host.starts_with("localhost") || host.find('.') != std::string_view::npos);
}

/// User and password, and query: what of a URL is never shown.
void add_secrets_of_url(std::string_view url, std::vector<std::string>& out) {
  const std::size_t authority = url.find("://") + 3;
  const std::string_view host = url.substr(authority, url.find_first_of("/?#", authority) - authority);
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) {
    out.emplace_back(host.substr(0, at));
    if (const std::size_t colon = host.find(':'); colon < at) out.emplace_back(host.substr(colon + 1, at - colon - 1));
  }
  for (std::size_t at = url.find('?'); at != std::string_view::npos; at = url.find('&', at + 1)) {
    const std::string_view one = url.substr(at + 1, url.find_first_of("&#", at + 1) - at - 1);
    out.emplace_back(one.substr(std::min(one.find('=') + 1, one.size())));
  }
}

/// `text` holds the value of a variable at [begin, begin + length).
void add_secrets_of_variable(std::string_view text, std::size_t begin, std::size_t length, std::vector<std::string>& out) {
  const std::string_view value = text.substr(begin, length);
  if (value.find("://") != std::string_view::npos) return add_secrets_of_url(value, out);
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos && scheme < begin) {
    const std::string_view before = text.substr(0, begin);
    const std::string_view behind = text.substr(begin);
    const bool in_query = before.find('?') != std::string_view::npos;
    const bool in_host = before.find_first_of("/#", scheme + 3) == std::string_view::npos;
    const std::size_t end = behind.find_first_of("/?#");
    const bool is_user = in_host && behind.substr(0, end).find('@') != std::string_view::npos;
    if (in_query || is_user) return out.emplace_back(value), void();
    if (in_host) return;
  }
  if (length >= min_secret_variable_bytes && !is_place(value)) out.emplace_back(value);
}

Error unknown_reference(std::string_view body) {
  std::string message = "unknown reference " + braced(body);
  message += is_variable_name(body) ? "; did you mean ${env:" + std::string(body) + "}? K" : "; k";
  return {Errc::invalid, message + "nown are ${env:NAME}, ${file:PATH} and ${cred:NAME}; " + std::string(literal_hint)};
}

}  // namespace

FileReader trusted_file_reader(uid_t uid) {
  return [uid](const std::string& path, FileUse use) -> Result<std::string> {
    RONDA_TRY(const Descriptor file, open_trusted_file(path, uid, max_secret_bytes));
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return system_error("opening " + path, errno);
    if (use == FileUse::secret && (facts.st_mode & S_IROTH) != 0) {
      return Error(Errc::denied, path + " is readable by everyone; correct it with chmod o-r");
    }
    return read_stable(file.get(), path, max_secret_bytes);
  };
}

bool Resolver::resolve(Value& value, Diagnostics& diagnostics) {
  bool sound = true;
  if (const std::string* text = value.as_string()) {
    return text->find("${") == std::string::npos || resolve_text(value, *text, diagnostics);
  }
  if (List* list = value.as_list()) {
    for (Value& element : *list) sound &= resolve(element, diagnostics);
  }
  if (Table* table = value.as_table()) {
    for (Member& member : *table) sound &= resolve(member.value, diagnostics);
  }
  return sound;
}

bool Resolver::resolve_text(Value& value, const std::string& text, Diagnostics& diagnostics) {
  std::string out;
  Origin origin = Origin::literal;
  bool sound = true;
  std::vector<std::pair<std::size_t, std::size_t>> variables;  // where their values stand in `out`
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (rest.starts_with("$${")) {
      out += "${";
      at += 3;
    } else if (!rest.starts_with("${")) {
      out += text[at++];
    } else if (const std::size_t end = rest.find('}'); end == std::string_view::npos) {
      diagnostics.error(value.place(), "${ without a closing }; " + std::string(literal_hint));
      sound = false;
      break;
    } else {
      auto part = lookup(rest.substr(2, end - 2));
      if (part) {
        if (part->variable) variables.emplace_back(out.size(), part->text.size());
        out += part->text;
        origin = std::max(origin, part->origin);
      } else {
        diagnostics.error(value.place(), part.error().message());
        sound = false;
      }
      at += end + 1;
    }
  }
  for (const auto& [begin, length] : variables) add_secrets_of_variable(out, begin, length, pieces_);
  if (origin != Origin::literal) written_.push_back({value.place(), text});
  value.replace(sound ? Value::Data(std::move(out)) : Value::Data(), origin);
  return sound;
}

Result<Resolver::Part> Resolver::lookup(std::string_view body) {
  const std::size_t colon = body.find(':');
  const std::string_view kind = body.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : body.substr(colon + 1);
  if (kind == "env") return variable(rest);
  if (kind == "file") return file(std::string(rest));
  if (kind == "cred") return credential(rest);
  return unknown_reference(body);
}

Result<Resolver::Part> Resolver::variable(std::string_view body) {
  const std::size_t split = body.find(":-");
  const std::string_view name = body.substr(0, split);
  if (!is_variable_name(name)) {
    return Error(Errc::invalid, braced("env:" + std::string(body)) + ": this is no name of a variable");
  }
  const auto found = variables_.find(name);
  // as in a shell, :- also stands in for a variable that is set to nothing
  if (found != variables_.end() && (split == std::string_view::npos || !found->second.empty())) {
    if (found->second.size() >= min_secret_variable_bytes) secrets_.push_back(found->second);
    return Part{found->second, Origin::env, true};
  }
  if (split != std::string_view::npos) return Part{std::string(body.substr(split + 2)), Origin::env};
  return Error(Errc::not_found, braced("env:" + std::string(name)) +
                                    " is not set, neither in the environment nor in an env file; a default is "
                                    "written " +
                                    braced("env:" + std::string(name) + ":-default"));
}

Result<Resolver::Part> Resolver::credential(std::string_view name) {
  const std::string shown = braced("cred:" + std::string(name));
  const bool plain = !name.empty() && name[0] != '.' && name.find('/') == std::string_view::npos;
  if (!plain) return Error(Errc::invalid, shown + ": this is no name of a credential");
  if (environment_.credentials_directory.empty()) {
    return Error(Errc::not_found,
                 shown + ": there are no credentials; the systemd unit needs LoadCredential=" + std::string(name) + ":PATH");
  }
  auto part = file(environment_.credentials_directory + "/" + std::string(name));
  if (!part) return std::move(part).error().with_context(shown);
  return part;
}

Result<Resolver::Part> Resolver::file(const std::string& path) {
  auto found = files_.find(path);
  if (found == files_.end()) {
    auto text = environment_.read_file ? environment_.read_file(path, FileUse::secret)
                                       : Result<std::string>(Error(Errc::denied, "files are not read here"));
    if (text && text->ends_with('\n')) text->pop_back();
    if (text && text->find('\0') != std::string::npos) text = Error(Errc::invalid, path + " contains a NUL byte");
    // a password that is nothing is one that was never written: better told here than by whoever refuses it
    if (text && text->empty()) text = Error(Errc::invalid, path + " is empty");
    if (text) secrets_.push_back(*text);
    found = files_.emplace(path, std::move(text)).first;
  }
  if (!found->second) return Error(found->second.error()).with_context(braced("file:" + path));
  pieces_.push_back(*found->second);
  return Part{*found->second, Origin::secret};
}

namespace {

std::vector<std::string> taken(std::vector<std::string>& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return std::exchange(texts, {});
}

}  // namespace

std::vector<std::string> Resolver::take_secrets() {
  return taken(secrets_);
}
std::vector<std::string> Resolver::take_pieces() {
  return taken(pieces_);
}

Environment environment_of_process(std::string env_file, uid_t uid) {
  Environment out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) out.variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  out.env_file = std::move(env_file);
  const auto credentials = out.variables.find("CREDENTIALS_DIRECTORY");
  if (credentials != out.variables.end()) out.credentials_directory = credentials->second;
  out.read_file = trusted_file_reader(uid);
  return out;
}

}  // namespace ronda::config
