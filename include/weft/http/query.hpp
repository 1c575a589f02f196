// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weft::http {

/// Decodes percent-encoding: `%41` becomes `A`. `nullopt` if a `%` is not followed by two hexadecimal digits.
///
/// The result may hold any byte, NUL and `/` included: check it before using it as a file name. Allocates.
std::optional<std::string> percent_decode(std::string_view text);

/// Like `percent_decode`, and `+` becomes a space. HTML forms encode queries like this.
std::optional<std::string> form_decode(std::string_view text);

/// True if the decoded `text` is exactly `plain`; false if `text` is malformed. Does not allocate.
bool equals_decoded(std::string_view text, std::string_view plain) noexcept;

/// One `name=value` of a query, still encoded. `a` and `a=` both have an empty value.
struct QueryParameter {
  std::string_view name;
  std::string_view value;
};

/// The part of a request target after `?`. Iteration splits it at `&`. A view; does not allocate.
///
///     if (auto page = request.query().get("page")) ...        // decoded
///     for (QueryParameter parameter : request.query()) ...    // encoded, in order, duplicates included
class Query {
 public:
  class Iterator {
   public:
    using value_type = QueryParameter;
    using difference_type = std::ptrdiff_t;

    Iterator() noexcept = default;
    explicit Iterator(std::string_view rest) noexcept : rest_(rest), done_(false) { ++*this; }

    QueryParameter operator*() const noexcept { return current_; }
    const QueryParameter* operator->() const noexcept { return &current_; }
    Iterator& operator++() noexcept;
    Iterator operator++(int) noexcept {
      Iterator before = *this;
      return ++*this, before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
      return a.done_ == b.done_ && (a.done_ || a.current_.name.data() == b.current_.name.data());
    }

   private:
    std::string_view rest_;
    QueryParameter current_;
    bool done_ = true;
  };

  constexpr Query() noexcept = default;
  constexpr explicit Query(std::string_view text) noexcept : text_(text) {}

  /// The text as it was sent, without the `?`.
  constexpr std::string_view text() const noexcept { return text_; }
  Iterator begin() const noexcept { return Iterator(text_); }
  Iterator end() const noexcept { return {}; }

  /// The value of the first parameter with that (decoded) name, form-decoded; `nullopt` if there is none or
  /// it is malformed.
  std::optional<std::string> get(std::string_view name) const;
  bool contains(std::string_view name) const noexcept;

 private:
  std::string_view text_;
};

}  // namespace weft::http
