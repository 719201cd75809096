// SPDX-License-Identifier: Apache-2.0
#include "config/build.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "config/collect.hpp"
#include "config/digest.hpp"
#include "config/links.hpp"
#include "config/objects.hpp"
#include "config/settings.hpp"
#include "config/toml.hpp"

namespace ronda::config {
namespace {

class Builder {
 public:
  Builder(const Sources& sources, const Environment& environment, Diagnostics& diagnostics)
      : sources_(sources), environment_(environment), diagnostics_(diagnostics) {}

  Generation run() {
    parse_files();
    Resolver resolver(environment_, read_variables());
    for (Object& object : objects_) {
      if (object.top->role == Role::setting) add_setting(object, resolver);
    }
    count_instances();
    for (Object& object : objects_) {
      if (object.top->role != Role::setting) add(object, resolver);
      object.value = Value();  // free what has been taken over, file by file
    }
    finish(resolver);
    return std::move(generation_);
  }
  std::vector<RawObject> take_unsound() { return std::move(unsound_); }

 private:
  void parse_files();
  Variables read_variables();
  void add_env_file(const Value& path, Variables& variables);
  void add_setting(Object& object, Resolver& resolver);
  void add_defaults(const Object& object, Table& table);
  void count_instances();
  void add(Object& object, Resolver& resolver);
  void add_instance(Scope& scope, Object& object, std::vector<std::string> pieces);
  void read_members(Scope& scope, Table& table, Instance& instance);
  void add_service(Scope& scope, Object& object);
  void add_raw(Scope& scope, Object& object);
  void disable(const Object& object, const Scope& scope);
  void note_mentions(std::string_view kind, const std::string& name);
  void sort();
  void finish(Resolver& resolver);
  Hash128 hash_of(const Instance& instance, const Table& table);
  const Table& defaults_of(Kind kind) const;

  const Sources& sources_;
  const Environment& environment_;
  Diagnostics& diagnostics_;
  Generation generation_;
  std::vector<RawObject> unsound_;
  std::vector<Object> objects_;
  std::map<std::string, Table, std::less<>> defaults_;  // by kind; only what is sound
  std::vector<Mention> mentions_;                       // of the object at hand
  std::vector<Link> links_;
  std::map<std::string, Hash128> setting_hashes_;
  std::map<std::string, Hash128> object_hashes_;
  bool files_complete_ = true;
};

void Builder::parse_files() {
  Collector collector(diagnostics_);
  for (std::uint32_t file = 0; file < sources_.size(); ++file) {
    const Source& source = sources_[file];
    generation_.files.push_back({source.path, "", source.refused});
    std::optional<Table> table;
    if (!source.refused) table = parse_toml(source.text, file, diagnostics_);
    if (table) {
      collector.add_file(*std::move(table));
    } else {
      files_complete_ = false;
      generation_.disabled.push_back({"file", source.path, {file, 0, 0}, "the file cannot be read"});
    }
  }
  objects_ = collector.take_objects();
  const auto refused = collector.take_disabled();
  generation_.disabled.insert(generation_.disabled.end(), refused.begin(), refused.end());
}

/// Variables of the process, then [agent] env_file over them, then --env-file.
Variables Builder::read_variables() {
  Variables variables = environment_.variables;
  for (const Object& object : objects_) {
    const Value* path = object.top->name == "agent" ? object.value.find("env_file") : nullptr;
    if (path != nullptr) add_env_file(*path, variables);
  }
  if (!environment_.env_file.empty()) {
    add_env_file(Value(environment_.env_file, Place{no_file, 0, 0}), variables);
  }
  return variables;
}

void Builder::add_env_file(const Value& path, Variables& variables) {
  Value resolved = path;
  Diagnostics reported_with_the_table;
  if (!Resolver(environment_, variables).resolve(resolved, reported_with_the_table)) return;
  const std::string* text = resolved.as_string();
  if (text == nullptr || !text->starts_with('/') || !environment_.read_file) return;
  std::vector<Error> wrong;
  if (resolved.origin() == Origin::secret) {
    // a path stands in messages, in the log and in the status
    wrong.emplace_back(Errc::invalid, "its path must hold no secret: write it without ${file:} and ${cred:}");
  } else if (const auto content = environment_.read_file(*text, FileUse::environment); content) {
    wrong = read_env_file(*content, *text, variables);
  } else {
    wrong.push_back(content.error());
  }
  for (const Error& one : wrong) {
    const auto& where = one.where();
    const std::string place = where ? where->file + ":" + std::to_string(where->line) + ": " : "";
    const std::string message = "env file: " + place + one.message();
    diagnostics_.error(path.place(), message);
    generation_.disabled.push_back({"agent", "", path.place(), message});
  }
}

void Builder::add_setting(Object& object, Resolver& resolver) {
  Scope scope(diagnostics_);
  if (!resolver.resolve(object.value, diagnostics_)) scope.spoil();
  Table& table = *object.value.as_table();
  setting_hashes_.emplace(std::string(object.top->name) + "." + object.name, Digest().add(table).finish());
  if (object.top->name == "agent") {
    read_agent(scope, table, generation_.agent, mentions_);
    note_mentions("agent", "");
  } else if (object.top->name == "api") {
    read_api(scope, table, generation_.api);
  } else if (object.top->name == "store") {
    check_nothing(scope, object.value);
    generation_.store = std::move(object.value);
  } else {
    return add_defaults(object, table);
  }
  if (!scope.sound()) disable(object, scope);
}

/// Each default is tried on an instance that nobody sees, so that it is reported once and not for every
/// instance.
void Builder::add_defaults(const Object& object, Table& table) {
  Table& sound = defaults_[object.name];
  for (Member& member : table) {
    Scope scope(diagnostics_);
    Instance trial;
    trial.kind = object.name == "check" ? Kind::check : object.name == "task" ? Kind::task : Kind::notifier;
    if (!has_default(member.key)) {
      std::string message = unknown_key(member.key, default_key_names());
      if (is_core_key(member.key)) {
        message = "`" + member.key + "` has no default: each instance says it itself";
      } else if (message.find("did you mean") == std::string::npos) {
        message += ": only keys of the core have defaults";
      }
      scope.error(member.key_place, message);
    } else {
      read_core_key(scope, member, trial, mentions_);
      mentions_.clear();
    }
    if (scope.sound()) {
      sound.push_back(std::move(member));
    } else {
      disable(object, scope);
    }
  }
}

const Table& Builder::defaults_of(Kind kind) const {
  static const Table none;
  const auto found = defaults_.find(kind_name(kind));
  return found == defaults_.end() ? none : found->second;
}

void Builder::count_instances() {
  const auto is_instance = [](const Object& one) { return one.top->role == Role::instance; };
  generation_.instances.reserve(static_cast<std::size_t>(std::ranges::count_if(objects_, is_instance)));
}

void Builder::add(Object& object, Resolver& resolver) {
  Scope scope(diagnostics_);
  resolver.take_pieces();  // of settings, which were resolved before
  if (!resolver.resolve(object.value, diagnostics_)) scope.spoil();
  std::vector<std::string> pieces = resolver.take_pieces();
  mentions_.clear();
  if (object.top->role == Role::instance) return add_instance(scope, object, std::move(pieces));
  if (object.top->role == Role::service) return add_service(scope, object);
  add_raw(scope, object);
}

void Builder::add_instance(Scope& scope, Object& object, std::vector<std::string> pieces) {
  Instance instance;
  instance.kind = object.top->name == "check" ? Kind::check : object.top->name == "task" ? Kind::task : Kind::notifier;
  instance.name = object.name;
  instance.place = object.place;
  instance.secrets = std::move(pieces);
  Table& table = *object.value.as_table();
  const Hash128 hash = hash_of(instance, table);
  read_members(scope, table, instance);
  finish_instance(scope, instance);
  instance.hash = hash;
  note_mentions(object.top->name, object.name);
  if (scope.sound()) {
    generation_.instances.push_back(std::move(instance));
  } else {
    disable(object, scope);
    generation_.unsound.push_back(std::move(instance));
  }
}

/// The instance's own keys, and the defaults for those that it does not say.
void Builder::read_members(Scope& scope, Table& table, Instance& instance) {
  const auto says = [&](std::string_view key) { return std::ranges::find(table, key, &Member::key) != table.end(); };
  const bool has_slots = says("at") || says("cron");
  for (const Member& usual : defaults_of(instance.kind)) {
    // those of the other way to say when are not of this instance
    if (says(usual.key) || (usual.key == "every" && has_slots) || (usual.key == "tz" && !has_slots)) continue;
    read_core_key(scope, usual, instance, mentions_);
    if (usual.key == "tz") instance.make_rare().usual_tz = true;
  }
  std::size_t options = 0;
  for (Member& member : table) {
    if (read_core_key(scope, member, instance, mentions_)) continue;
    check_nothing(scope, member.value);
    if (&table[options] != &member) table[options] = std::move(member);
    ++options;
  }
  table.resize(options);
  table.shrink_to_fit();
  instance.options = std::move(table);
}

Hash128 Builder::hash_of(const Instance& instance, const Table& table) {
  Digest digest;
  digest.add(kind_name(instance.kind)).add(instance.name).add(table);
  for (const Member& usual : defaults_of(instance.kind)) {
    if (std::ranges::find(table, usual.key, &Member::key) == table.end()) digest.add(usual.key).add(usual.value);
  }
  // the same text may come from a literal or from a file: only then must it not be shown
  for (const std::string& secret : instance.secrets) digest.add(secret);
  return digest.finish();
}

void Builder::add_service(Scope& scope, Object& object) {
  const Table& table = *object.value.as_table();
  object_hashes_.emplace("service." + object.name, Digest().add(table).finish());
  Service service = read_service(scope, object.name, object.place, table, mentions_);
  note_mentions("service", object.name);
  if (!scope.sound()) return disable(object, scope);
  generation_.services.push_back(std::move(service));
}

void Builder::add_raw(Scope& scope, Object& object) {
  RawObject raw{std::string(object.top->name), object.name, std::move(object.value), object.place};
  check_raw_object(scope, raw);
  if (!scope.sound()) {
    disable(object, scope);
    unsound_.push_back(std::move(raw));
    return;
  }
  object_hashes_.emplace(raw.kind + "." + raw.name, Digest().add(raw.value).finish());
  generation_.objects.push_back(std::move(raw));
}

void Builder::disable(const Object& object, const Scope& scope) {
  generation_.disabled.push_back({std::string(object.top->name), object.name, object.place, scope.reason()});
}

void Builder::note_mentions(std::string_view kind, const std::string& name) {
  for (Mention& mention : mentions_) links_.push_back({kind, name, std::move(mention)});
  mentions_.clear();
}

void Builder::sort() {
  const auto by_name = [](const RawObject& a, const RawObject& b) { return std::tie(a.kind, a.name) < std::tie(b.kind, b.name); };
  std::ranges::sort(generation_.instances,
                    [](const Instance& a, const Instance& b) { return std::tie(a.kind, a.name) < std::tie(b.kind, b.name); });
  std::ranges::sort(generation_.services, {}, &Service::name);
  std::ranges::sort(generation_.objects, by_name);
  std::ranges::sort(unsound_, by_name);
}

void Builder::finish(Resolver& resolver) {
  sort();
  judge_links(generation_, unsound_, links_, files_complete_, diagnostics_);
  generation_.written = resolver.take_written();
  std::ranges::sort(generation_.written, [](const Written& a, const Written& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) < std::tie(b.place.file, b.place.line, b.place.column);
  });
  generation_.secrets = resolver.take_secrets();
  Digest settings;
  for (const auto& [name, hash] : setting_hashes_) settings.add(name).add(hash);
  generation_.settings_hash = settings.finish();
  Digest objects;
  for (const auto& [name, hash] : object_hashes_) objects.add(name).add(hash);
  generation_.objects_hash = objects.finish();
  Digest whole;
  whole.add(generation_.settings_hash).add(generation_.objects_hash);
  for (const Instance& one : generation_.instances) whole.add(one.hash);
  generation_.fingerprint = whole.finish();
  if (generation_.empty() && !diagnostics_.has_errors()) {
    diagnostics_.warning({no_file, 0, 0}, "the configuration has no check, no task and no notifier");
  }
  diagnostics_.sort();
}

}  // namespace

Generation build_generation(const Sources& sources, const Environment& environment, Diagnostics& diagnostics,
                            std::vector<RawObject>* unsound) {
  Builder builder(sources, environment, diagnostics);
  Generation out = builder.run();
  if (unsound != nullptr) *unsound = builder.take_unsound();
  return out;
}

}  // namespace ronda::config
