// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/sim_lookup.hpp"

#include "net/resolve/host_service.hpp"

#include <weft/this_fiber.hpp>

#include <algorithm>
#include <cstdint>

namespace weft::net {
namespace {

const NetworkName& localhost_of_simulation() {
  static const NetworkName name{.v6 = {.addresses = {"::1"}}, .v4 = {.addresses = {"127.0.0.1"}}};
  return name;
}

const NetworkName* find_simulated(const NetworkNames& names, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (const auto found = names.find(name); found != names.end()) return &found->second;
  return is_localhost(name) ? &localhost_of_simulation() : nullptr;
}

}  // namespace

Result<NameAnswer> look_up_simulated(const NetworkNames& names, const NameQuestion& question,
                                     Deadline deadline) {
  const NetworkName* const found = find_simulated(names, question.name);
  if (found == nullptr) return NameErrc::not_found;
  std::vector<const NetworkAddresses*> families;
  if (question.family != AddressFamily::kV4) families.push_back(&found->v6);
  if (question.family != AddressFamily::kV6) families.push_back(&found->v4);
  std::int64_t delay_ns = 0;
  for (const NetworkAddresses* each : families) delay_ns = std::max(delay_ns, each->delay_ns);
  const Deadline answered = Deadline::after_ns(delay_ns);
  if (delay_ns > 0) {
    if (const Result<void> slept = sleep_until(std::min(answered, deadline)); !slept) return slept.error();
    if (deadline < answered) return Errc::timed_out;
  }
  NameAnswer answer;
  std::error_code error = NameErrc::no_address;
  for (const NetworkAddresses* each : families) {
    if (each->error) error = each->error;
    for (const std::string& text : each->error ? std::vector<std::string>() : each->addresses)
      answer.addresses.push_back(IpAddress::parse(text).value());
  }
  if (answer.addresses.empty()) return error;
  return answer;
}

}  // namespace weft::net
