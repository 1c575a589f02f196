// SPDX-License-Identifier: Apache-2.0
#pragma once

// A channel of c-ares, and one query at a time through it. docs/design/names.md says why each query has a
// channel of its own.
//
// Thread safety: used by one fiber at a time; it may go from context to context between queries. No function
// of c-ares suspends: the fiber waits outside of c-ares, on an epoll instance with the channel's sockets.
// Lifetime: no query is in progress when look_up() has returned, whatever it returned, and no socket is open.

#include "event_loop/descriptor/descriptor.hpp"
#include "net/resolve/dns_sockets.hpp"
#include "net/resolve/name_question.hpp"
#include "sys/epoll.hpp"
#include "sys/file_stamp.hpp"

#include <memory>
#include <vector>

struct ares_channeldata;
struct ares_addrinfo;

namespace weft::net {

class DnsChannel {
 public:
  /// Reads the configuration. NameErrc::bad_configuration, EMFILE and others.
  static Result<std::unique_ptr<DnsChannel>> create(const ResolverOptions& options);
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  /// Asks DNS. Suspends. NameErrc, Errc::timed_out, Errc::cancelled, and the kernel's.
  Result<NameAnswer> look_up(const NameQuestion& question, Deadline deadline);

  /// False: the configuration has changed since, or the process has forked.
  bool is_current(const sys::FileStamp& configuration) const noexcept;

 private:
  struct Query;
  struct Sockets;

  DnsChannel() = default;
  Result<void> open_channel(const ResolverOptions& options);
  Result<void> drive(const Query& query, Deadline deadline);
  std::error_code reason_of(int status) const noexcept;
  Result<void> step(Deadline scope_deadline);
  void watch(int fd, bool readable, bool writable) noexcept;

  ares_channeldata* channel_ = nullptr;
  sys::Epoll epoll_;          // closed by handle_, if that is not empty
  DescriptorHandle handle_;   // of epoll_'s descriptor: what the event loop watches
  std::vector<int> watched_;  // the sockets in epoll_
  DnsTrace trace_;            // of the query in progress
  sys::FileStamp configuration_;
  std::uint32_t fork_count_ = 0;
};

}  // namespace weft::net
