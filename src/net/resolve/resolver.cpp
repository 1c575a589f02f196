// SPDX-License-Identifier: Apache-2.0
#include <weft/net/resolver.hpp>

#include "base/fork_count.hpp"
#include "execution_context/forked_child.hpp"
#include "io/network_here.hpp"
#include "net/resolve/host_service.hpp"
#include "net/resolve/resolver_core.hpp"
#include "net/resolve/sim_lookup.hpp"

namespace weft::net {
namespace {

std::vector<SocketAddress> with_port(const std::vector<IpAddress>& addresses, std::uint16_t port) {
  std::vector<SocketAddress> all;
  all.reserve(addresses.size());
  for (const IpAddress& address : addresses) all.emplace_back(address, port);
  return all;
}

Result<NameAnswer> look_up_anywhere(ResolverCore& core, const NameQuestion& question, Deadline deadline) {
  const NetworkNames* const simulated = network_here("Resolver::resolve()").names();
  if (simulated != nullptr) return look_up_simulated(*simulated, question, deadline);
  return core.look_up(question, deadline);
}

}  // namespace

Resolver::Resolver(ResolverOptions options) : core_(std::make_unique<ResolverCore>(std::move(options))) {}
Resolver::~Resolver() = default;

Result<std::vector<SocketAddress>> Resolver::resolve(std::string_view host, std::string_view service,
                                                     AddressFamily family, Deadline deadline) {
  require_fiber("Resolver::resolve()");
  const Result<Host> parsed = parse_host(host);
  if (!parsed) return weft::detail::failure_about(parsed.error(), "resolving", host);
  const Result<std::uint16_t> port = parse_service(service);
  if (!port) return weft::detail::failure_about(port.error(), "looking up the service", service);
  if (parsed->address) {
    if (!is_wanted(*parsed->address, family))
      return weft::detail::failure_about(NameErrc::no_address, "resolving", host);
    return std::vector<SocketAddress>{{*parsed->address, *port}};
  }
  const Result<NameAnswer> answer =
      look_up_anywhere(*core_, {.name = parsed->name, .family = family}, deadline);
  if (!answer) return weft::detail::failure_about(answer.error(), "resolving", host);
  return with_port(answer->addresses, *port);
}

void Resolver::clear_cache() noexcept { core_->clear_cache(); }
ResolverCounters Resolver::counters() const noexcept { return core_->counters(); }

namespace {

struct DefaultResolver {
  Resolver resolver;
  std::uint32_t made_in = fork_count;
};

constinit Atomic<DefaultResolver*> default_made{nullptr};

}  // namespace

// Never destroyed: fibers may use it until the end. A forked child gets one of its own, as the parent's
// threads may have held the locks of the old one.
Resolver& default_resolver() {
  prepare_for_fork();
  DefaultResolver* made = default_made.load(acquire);  // pairs with the exchange of whoever made it
  while (made == nullptr || made->made_in != fork_count) {
    auto fresh = std::make_unique<DefaultResolver>();
    if (default_made.compare_exchange_strong(made, fresh.get(), acq_rel, acquire)) made = fresh.release();
  }
  return made->resolver;
}

Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                           Deadline deadline) {
  return default_resolver().resolve(host, service, deadline);
}

}  // namespace weft::net
