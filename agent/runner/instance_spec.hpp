// SPDX-License-Identifier: Apache-2.0
// What an instance was made from, as it holds it for as long as it lives: a wire::Create in a third of the room, its
// texts in one piece of memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "plugin/messages.hpp"

namespace ronda::runner {

class InstanceSpec {
 public:
  explicit InstanceSpec(const wire::Create& create)
      : id(create.instance),
        kind(create.kind),
        state_version(create.state_version),
        state_from(create.state_from),
        options_size_(static_cast<std::uint32_t>(create.options.size())),
        procedure_size_(static_cast<std::uint32_t>(create.procedure.size())),
        name_size_(static_cast<std::uint32_t>(create.name.size())),
        texts_(std::make_unique_for_overwrite<char[]>(create.options.size() + create.procedure.size() + create.name.size())) {
    char* end = texts_.get();
    for (const std::string* text : {&create.options, &create.procedure, &create.name}) end += text->copy(end, text->size());
  }

  /// An encoded map, and what else must not be shown: see wire::Create.
  std::string_view options() const { return {texts_.get(), options_size_}; }
  std::string_view procedure() const { return {texts_.get() + options_size_, procedure_size_}; }
  std::string_view name() const { return {texts_.get() + options_size_ + procedure_size_, name_size_}; }
  char* writable_options() { return texts_.get(); }

  const std::uint32_t id;
  const wire::Kind kind;
  const std::uint32_t state_version;
  std::uint32_t state_from;  // 0 once its state has been handed over

 private:
  std::uint32_t options_size_, procedure_size_, name_size_;
  std::unique_ptr<char[]> texts_;
};

}  // namespace ronda::runner
