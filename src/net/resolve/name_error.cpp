// SPDX-License-Identifier: Apache-2.0
#include <weft/net/name_error.hpp>

#include <string>

namespace weft::net {
namespace {

struct NameEntry {
  const char* message;
  std::errc portable;
};

NameEntry name_entry_of(int value) noexcept {
  switch (static_cast<NameErrc>(value)) {
    case NameErrc::not_found: return {"there is no such name", std::errc::address_not_available};
    case NameErrc::no_address: return {"the name has no address", std::errc::address_not_available};
    case NameErrc::server_failure: return {"the name servers failed", std::errc{}};
    case NameErrc::no_reply: return {"no name server replied", std::errc::timed_out};
    case NameErrc::refused: return {"the name servers refused", std::errc::connection_refused};
    case NameErrc::malformed_reply: return {"the name server's reply is malformed", std::errc::bad_message};
    case NameErrc::unknown_service: return {"there is no such service", std::errc::invalid_argument};
    case NameErrc::bad_configuration:
      return {"the configuration of the resolver is invalid", std::errc::invalid_argument};
  }
  return {"unknown error of names", std::errc{}};
}

class NameCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "weft.names"; }

  std::string message(int value) const override { return name_entry_of(value).message; }

  std::error_condition default_error_condition(int value) const noexcept override {
    const std::errc portable = name_entry_of(value).portable;
    if (portable == std::errc{}) return {value, *this};
    return std::make_error_condition(portable);
  }
};

}  // namespace

const std::error_category& name_error_category() noexcept {
  static const NameCategory category;
  return category;
}

}  // namespace weft::net
