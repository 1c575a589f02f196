// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::process {

/// What is set, or unset, by its name.
using EnvironmentChanges = std::map<std::string, std::optional<std::string>>;

/// The environment of a new process: that of this one, or nothing, and the changes to it.
class Environment {
 public:
  Environment(const EnvironmentChanges& changes, bool clears);

  /// Ends with a null pointer. Valid while this object lives, and nobody changes this process's own.
  char* const* texts() noexcept { return texts_.data(); }
  /// The value of a variable; null: it is not there.
  const char* value_of(std::string_view name) const noexcept;

  /// Whether a name or a value cannot be one; null: none.
  static const std::string* invalid(const EnvironmentChanges& changes) noexcept;

 private:
  std::vector<std::string> set_;
  std::vector<char*> texts_;
};

/// The files that `program` may be, in the order in which they are to be tried.
std::vector<std::string> candidates_for(const std::string& program, const Environment& environment);

}  // namespace weft::process
