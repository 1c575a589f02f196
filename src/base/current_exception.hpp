// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace weft {

/// The exception that the innermost catch block of the calling thread holds, for a message: its type's name
/// as written in the source (or as the linker sees it if memory is short), and what() of a std::exception,
/// else an empty text. Made and used in a `catch`, whatever that catches.
class CurrentException {
 public:
  CurrentException() noexcept;
  CurrentException(const CurrentException&) = delete;
  CurrentException& operator=(const CurrentException&) = delete;
  ~CurrentException();

  std::string_view type() const noexcept { return readable_ != nullptr ? readable_ : mangled_; }
  std::string_view what() const noexcept { return what_; }
  /// What to write between the two.
  std::string_view separator() const noexcept { return *what_ == '\0' ? "" : ": "; }

 private:
  const char* mangled_;
  char* readable_;
  const char* what_ = "";
};

}  // namespace weft
