// SPDX-License-Identifier: Apache-2.0
#include "process/environment.hpp"

#include <unistd.h>

namespace weft::process {
namespace {

/// Where programs are if there is no PATH, as for execvp().
constexpr std::string_view kPathWithoutVariable = "/bin:/usr/bin";

std::string_view name_in(std::string_view text) noexcept { return text.substr(0, text.find('=')); }

}  // namespace

Environment::Environment(const EnvironmentChanges& changes, bool clears) {
  for (char** text = ::environ; !clears && text != nullptr && *text != nullptr; ++text) {
    if (changes.empty() || changes.find(std::string(name_in(*text))) == changes.end())
      texts_.push_back(*text);
  }
  set_.reserve(changes.size());
  for (const auto& [name, value] : changes) {
    if (!value) continue;
    set_.push_back(name + '=' + *value);
    texts_.push_back(set_.back().data());
  }
  texts_.push_back(nullptr);
}

const char* Environment::value_of(std::string_view name) const noexcept {
  for (const char* const text : texts_) {
    if (text != nullptr && name_in(text) == name && text[name.size()] == '=') return text + name.size() + 1;
  }
  return nullptr;
}

const std::string* Environment::invalid(const EnvironmentChanges& changes) noexcept {
  for (const auto& [name, value] : changes) {
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
      return &name;
    if (value && value->find('\0') != std::string::npos) return &name;
  }
  return nullptr;
}

// Relative ones would mean another directory after the change of directory; and a program that lies in
// whatever directory this one was started in is seldom the one that is meant.
std::vector<std::string> candidates_for(const std::string& program, const Environment& environment) {
  if (program.empty() || program.find('/') != std::string::npos) return {program};
  const char* const variable = environment.value_of("PATH");
  std::string_view path = variable != nullptr ? std::string_view(variable) : kPathWithoutVariable;
  std::vector<std::string> files;
  while (!path.empty()) {
    const std::string_view directory = path.substr(0, path.find(':'));
    if (directory.starts_with('/')) files.push_back(std::string(directory) + '/' + program);
    path.remove_prefix(std::min(path.size(), directory.size() + 1));
  }
  return files;
}

}  // namespace weft::process
