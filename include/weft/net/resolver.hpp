// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/net/address.hpp>
#include <weft/net/name_error.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::net {

class ResolverCore;

/// Which addresses of a name are wanted.
enum class AddressFamily : std::uint8_t { kAny, kV4, kV6 };

/// How names are resolved.
enum class ResolverBackend : std::uint8_t {
  kAutomatic,  ///< kDns; if weft was built without c-ares, the hosts file, then kSystem
  kDns,        ///< the hosts file, then DNS by c-ares, in the event loop of the caller
  kSystem,     ///< getaddrinfo(3) on a pool of threads: what nsswitch.conf names (LDAP, mDNS, NIS)
};

/// Options for Resolver. Of these, ResolverBackend::kSystem uses `backend` only.
struct ResolverOptions {
  ResolverBackend backend = ResolverBackend::kAutomatic;
  /// Name servers, "192.0.2.1", "192.0.2.1:5353" or "[2001:db8::1]:53". Empty: those of `resolv_conf`.
  std::vector<std::string> servers = {};
  /// How long the first try waits for a server. It doubles each time all servers were asked.
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  /// How often each server is asked.
  int tries = 2;
  /// Domains that are appended to names with fewer than `dots_min` dots. `nullopt`: those of `resolv_conf`.
  std::optional<std::vector<std::string>> search = std::nullopt;
  /// The option ndots of resolv.conf. `nullopt`: the file's.
  std::optional<int> dots_min = std::nullopt;
  /// Read again when it changes. Empty: none is read.
  std::string hosts_file = "/etc/hosts";
  /// Read again when it changes.
  std::string resolv_conf = "/etc/resolv.conf";
  /// The names whose addresses are kept for as long as DNS allows; 0 keeps none. Failures are not kept.
  std::size_t cache_size = 0;
  /// Queries in progress at a time; further ones wait for their turn. Each takes 80 kB and 2 descriptors.
  std::size_t queries_max = 1000;
};

/// Counts of a Resolver since its making.
struct ResolverCounters {
  std::uint64_t lookups = 0;     ///< calls of resolve() that needed more than parsing
  std::uint64_t hosts_hits = 0;  ///< answered by the hosts file
  std::uint64_t cache_hits = 0;  ///< answered by the cache
  std::uint64_t shared = 0;      ///< answered by an equal query that was in progress
  std::uint64_t queries = 0;     ///< given to DNS or getaddrinfo
};

/// Turns names into addresses.
///
///     for (const net::SocketAddress& address : resolver.resolve("example.org", "https").value()) ...
///
/// Order: numeric addresses are parsed, and never looked up. Then the hosts file is read, then DNS is asked.
/// "localhost" and names under it are the loopback addresses, whatever DNS says. Equal lookups that are in
/// progress share one query.
///
/// Thread safety: any number of fibers, of any contexts, may resolve at once. No lookup delays another,
/// except that at most `queries_max` are in progress. Destruction requires that no call is in progress. A
/// resolver may be made and destroyed anywhere, and must be used in fibers. After fork() the child must not
/// use those of its parent; default_resolver() is then another one.
///
/// In a simulated world the names of the simulated network are asked, and the options have no effect.
class Resolver {
 public:
  explicit Resolver(ResolverOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// The addresses of `host` with the port of `service`: at least one, the best first (RFC 6724 as c-ares
  /// sorts them; those of a hosts file in its order). `host` is a name, or a numeric address, IPv6 with or
  /// without brackets and with a scope ("fe80::1%eth0"). `service` is a number or a name of services(5). An
  /// empty `service` is port 0. Suspends.
  ///
  /// A name consists of letters, digits, '-' and '_' in labels of 1 to 63 bytes, at most 253 bytes in all. A
  /// dot at its end means that no search domain is tried. Names with other letters must be given in their
  /// ASCII form ("xn--..."). A name whose last label is a number is an address in a form that parse() does
  /// not accept: Errc::invalid_address.
  ///
  /// Errors: NameErrc, Errc::invalid_address, Errc::timed_out, Errc::cancelled, Errc::unsupported (kDns
  /// without c-ares), and those of socket(2) such as EMFILE. A call that is cancelled or out of time
  /// abandons its query at once; nothing is lost. With kSystem the thread of the pool finishes its call.
  Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                             Deadline deadline = Deadline::never()) {
    return resolve(host, service, AddressFamily::kAny, deadline);
  }
  /// Only addresses of one family.
  Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                             AddressFamily family, Deadline deadline = Deadline::never());

  /// Empties the cache. Does not suspend.
  void clear_cache() noexcept;
  ResolverCounters counters() const noexcept;

 private:
  std::unique_ptr<ResolverCore> core_;
};

/// The resolver of the process, with the default options. It never ends. Never suspends.
Resolver& default_resolver();

/// The same as `default_resolver().resolve(...)`.
Result<std::vector<SocketAddress>> resolve(std::string_view host, std::string_view service,
                                           Deadline deadline = Deadline::never());

}  // namespace weft::net
