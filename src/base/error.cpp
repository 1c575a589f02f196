// SPDX-License-Identifier: Apache-2.0
#include <weft/error.hpp>

#include <string>

namespace weft {
namespace {

struct Entry {
  const char* message;
  std::errc portable;
};

Entry entry_of(int value) noexcept {
  switch (static_cast<Errc>(value)) {
    case Errc::end_of_file: return {"end of file", std::errc{}};
    case Errc::closed: return {"closed", std::errc::bad_file_descriptor};
    case Errc::timed_out: return {"deadline passed", std::errc::timed_out};
    case Errc::cancelled: return {"cancelled", std::errc::operation_canceled};
    case Errc::invalid_address: return {"invalid address", std::errc::invalid_argument};
    case Errc::address_not_found: return {"address not found", std::errc::address_not_available};
    case Errc::message_too_large: return {"message too large", std::errc::message_size};
    case Errc::malformed_message: return {"malformed message", std::errc::bad_message};
    case Errc::unsupported: return {"not supported", std::errc::operation_not_supported};
    case Errc::would_block: return {"would have to wait", std::errc::operation_would_block};
    case Errc::lagged: return {"values were lost", std::errc{}};
  }
  return {"unknown weft error", std::errc{}};
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft"; }

  std::string message(int value) const override { return entry_of(value).message; }

  std::error_condition default_error_condition(int value) const noexcept override {
    const std::errc portable = entry_of(value).portable;
    if (portable == std::errc{}) return {value, *this};
    return std::make_error_condition(portable);
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

}  // namespace weft
