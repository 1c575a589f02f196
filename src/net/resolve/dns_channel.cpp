// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/dns_channel.hpp"

#include "base/fork_count.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "net/resolve/dns_answer.hpp"
#include "net/resolve/dns_options.hpp"
#include "sys/errors.hpp"

#include <weft/cancel_scope.hpp>

#include <algorithm>
#include <ares.h>
#include <array>
#include <chrono>

namespace weft::net {
namespace {

constexpr std::size_t kEventsAtOnce = 8;

/// c-ares wants to be initialized once in a process, before the first channel.
int initialized_library() noexcept {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

/// Which of the channel's sockets are ready.
class TakeEvents final : public Operation {
 public:
  explicit TakeEvents(sys::Epoll& epoll) noexcept : Operation(Direction::kRead), epoll_(epoll) {}

  Result<void> attempt(Descriptor&) override {
    const Result<std::size_t> taken = epoll_.wait(events, 0);
    if (!taken) return taken.error();
    if (*taken == 0) return sys::error_of(EAGAIN);
    count = *taken;
    return {};
  }

  std::array<epoll_event, kEventsAtOnce> events{};
  std::size_t count = 0;

 private:
  sys::Epoll& epoll_;
};

}  // namespace

/// In the frame of look_up(), which does not return before the callback was called.
struct DnsChannel::Query {
  bool done = false;
  int status = ARES_SUCCESS;
  NameAnswer answer;

  static void on_done(void* self, int status, int /*timeouts*/, ares_addrinfo* found) {
    auto& query = *static_cast<Query*>(self);
    query.done = true;
    query.status = status;
    if (found == nullptr) return;
    query.answer = answer_of(*found);
    ares_freeaddrinfo(found);
  }
};

Result<std::unique_ptr<DnsChannel>> DnsChannel::create(const ResolverOptions& options) {
  if (initialized_library() != ARES_SUCCESS) return sys::error_of(ENOMEM);
  std::unique_ptr<DnsChannel> made(new DnsChannel());
  made->fork_count_ = fork_count;
  // The stamp is older than what c-ares reads: a change in between makes another channel next time.
  made->configuration_ = sys::stamp_of(options.resolv_conf.c_str());
  Result<sys::Epoll> epoll = sys::Epoll::create();
  if (!epoll) return epoll.error();
  made->epoll_ = std::move(*epoll);
  sys::Fd fd(made->epoll_.fd());
  const Result<DescriptorHandle> handle = Files::adopt(fd, DescriptorKind::kOther);
  static_cast<void>(fd.release());
  if (!handle) return handle.error();
  made->handle_ = *handle;
  if (const Result<void> opened = made->open_channel(options); !opened) return opened.error();
  return made;
}

DnsChannel::~DnsChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
  // In a forked child the record belongs to a loop that is gone: the number is closed, and that is all.
  if (handle_.descriptor == nullptr || fork_count_ != fork_count) return;
  epoll_.disown();
  static_cast<void>(close_descriptor(handle_));
}

bool DnsChannel::is_current(const sys::FileStamp& configuration) const noexcept {
  return configuration == configuration_ && fork_count_ == fork_count;
}

Result<void> DnsChannel::open_channel(const ResolverOptions& options) {
  DnsOptions given(options);
  given.raw.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<DnsChannel*>(self)->watch(fd, readable != 0, writable != 0);
  };
  given.raw.sock_state_cb_data = this;
  const int made = ares_init_options(&channel_, &given.raw, given.mask | ARES_OPT_SOCK_STATE_CB);
  if (made != ARES_SUCCESS) {
    channel_ = nullptr;
    return error_of_ares(made);
  }
  ares_set_socket_functions(channel_, dns_socket_functions(), &trace_);
  if (given.servers.empty()) return {};
  if (ares_set_servers_ports_csv(channel_, given.servers.c_str()) != ARES_SUCCESS)
    return NameErrc::bad_configuration;
  return {};
}

Result<NameAnswer> DnsChannel::look_up(const NameQuestion& question, Deadline deadline) {
  Query query;
  trace_ = {};
  ares_addrinfo_hints hints{};
  hints.ai_family = family_of(question.family);
  hints.ai_socktype = SOCK_STREAM;  // one entry for each address
  ares_getaddrinfo(channel_, question.name.c_str(), nullptr, &hints, &Query::on_done, &query);
  const Result<void> driven = drive(query, deadline);
  if (!query.done) ares_cancel(channel_);  // calls on_done(), and closes the sockets
  if (!driven) return driven.error();
  if (query.status == ARES_SUCCESS && !query.answer.addresses.empty()) return std::move(query.answer);
  return reason_of(query.status);
}

std::error_code DnsChannel::reason_of(int status) const noexcept {
  if (trace_.broken) return trace_.broken;
  if (status == ARES_SUCCESS) return NameErrc::no_address;
  if (status != ARES_ECONNREFUSED && status != ARES_ETIMEOUT) return error_of_ares(status);
  constexpr int kRefused = 5;
  if (trace_.failed_rcode == kRefused) return NameErrc::refused;
  if (trace_.failed_rcode != 0) return NameErrc::server_failure;
  return trace_.unreachable ? NameErrc::refused : NameErrc::no_reply;
}

Result<void> DnsChannel::drive(const Query& query, Deadline deadline) {
  CancelScope scope(deadline);  // which also knows the deadlines around it
  while (!query.done) {
    if (trace_.broken) return trace_.broken;
    const Result<void> stepped = step(scope.deadline());
    if (!stepped) return stepped.error();
  }
  return {};
}

/// Waits for a socket or for c-ares's own timeout, and lets c-ares go on.
Result<void> DnsChannel::step(Deadline scope_deadline) {
  timeval room{};
  const timeval* const left = ares_timeout(channel_, nullptr, &room);
  const Deadline timeout =
      left == nullptr
          ? Deadline::never()
          : Deadline::after(std::chrono::seconds(left->tv_sec) + std::chrono::microseconds(left->tv_usec));
  TakeEvents taking(epoll_);
  const Result<void> waited = Files::perform(handle_, taking, std::min(timeout, scope_deadline));
  if (!waited) {
    const bool is_timeout = waited.error() == Errc::timed_out && !scope_deadline.passed();
    if (!is_timeout) return waited.error();
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return {};
  }
  for (const epoll_event& event : std::span(taking.events).first(taking.count)) {
    const int fd = static_cast<int>(event.data.u64);
    const bool failed = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    const bool readable = failed || (event.events & EPOLLIN) != 0;
    ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD,
                    (event.events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
  }
  return {};
}

/// Called by c-ares: what it wants to know of a socket, nothing before it closes it.
void DnsChannel::watch(int fd, bool readable, bool writable) noexcept {
  const auto place = std::find(watched_.begin(), watched_.end(), fd);
  const bool known = place != watched_.end();
  const std::uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
  const auto data = static_cast<std::uint64_t>(fd);
  Result<void> done;
  if (events == 0) {
    if (!known) return;
    watched_.erase(place);
    done = epoll_.remove(fd);
  } else if (known) {
    done = epoll_.modify(fd, events, data);
  } else {
    done = epoll_.add(fd, events, data);
    if (done) watched_.push_back(fd);
  }
  if (!done && !trace_.broken) trace_.broken = done.error();
}

}  // namespace weft::net
