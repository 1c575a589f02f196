// SPDX-License-Identifier: Apache-2.0
#include "model/runtime/kernel.hpp"

#include "base/panic.hpp"
#include "model/explorer/execution.hpp"
#include "sys/errors.hpp"
#include "sys/poll.hpp"
#include "sys/recv_send.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"
#include "sys/thread.hpp"

#include <algorithm>
#include <mutex>
#include <unistd.h>

namespace weft {
namespace model {
namespace {

Kernel* kernel = nullptr;

}  // namespace

Kernel::Kernel() { kernel = this; }
Kernel::~Kernel() { kernel = nullptr; }

void Kernel::receive() {
  {
    std::scoped_lock locked(lock_);
    ++bytes_;
    for (Registration& loop : loops_) loop.pending = loop.registered;
  }
  version.fetch_add(1, release);
}

Result<std::size_t> Kernel::recv() {
  std::scoped_lock locked(lock_);
  if (bytes_ == 0) return sys::error_of(EAGAIN);
  --bytes_;
  return std::size_t{1};
}

Result<std::size_t> Kernel::send(std::span<const std::byte> data) {
  std::scoped_lock locked(lock_);
  if (closed_ != 0)
    Execution::current().fail(FailureKind::kCheck, "what is sent goes to a file that is open");
  if (refuse_send) return sys::error_of(EPIPE);
  const std::size_t taken = std::min(data.size(), send_at_most);
  for (const std::byte byte : data.first(taken)) {
    if (sent_++ == 0 || byte != last_) ++runs_;
    last_ = byte;
  }
  return taken;
}

Result<void> Kernel::add(std::size_t loop, std::uint64_t data) {
  {
    std::scoped_lock locked(lock_);
    if (refuse_add) return sys::error_of(ENOMEM);
    loops_[loop] = {true, bytes_ != 0, data};
    if (bytes_ == 0) return {};
  }
  version.fetch_add(1, release);
  return {};
}

void Kernel::remove(std::size_t loop) {
  std::scoped_lock locked(lock_);
  loops_[loop] = {};
}

bool Kernel::take_event(std::size_t loop, std::uint64_t& data) {
  std::scoped_lock locked(lock_);
  data = loops_[loop].data;
  return std::exchange(loops_[loop].pending, false);
}

void Kernel::close() {
  std::scoped_lock locked(lock_);
  ++closed_;
}

}  // namespace model

namespace sys {
namespace {

[[noreturn]] void not_modelled() { WEFT_PANIC("this call has no model"); }

}  // namespace

void close(int fd) noexcept {
  if (fd == model::Kernel::kFd && model::kernel != nullptr) return model::kernel->close();
  ::close(fd);  // a pipe of the runtime's own
}

Result<std::size_t> recv(int, std::span<std::byte>, int) noexcept { return model::kernel->recv(); }
Result<std::size_t> send(int, std::span<const std::byte> data, int) noexcept {
  return model::kernel->send(data);
}
Result<std::size_t> recv_vectored(int, std::span<const iovec>, int) noexcept { not_modelled(); }
Result<std::size_t> send_vectored(int, std::span<const iovec>, int) noexcept { not_modelled(); }
Result<Fd> create_socket(int, int, int) noexcept { not_modelled(); }
Result<void> bind(int, const RawAddress&) noexcept { not_modelled(); }
Result<void> listen(int, int) noexcept { not_modelled(); }
Result<Fd> accept(int, RawAddress*) noexcept { not_modelled(); }
Result<bool> connect(int, const RawAddress&) noexcept { not_modelled(); }
Result<void> connect_result(int) noexcept { not_modelled(); }
Result<void> shutdown(int, int) noexcept { not_modelled(); }
Result<RawAddress> local_address(int) noexcept { not_modelled(); }
Result<RawAddress> peer_address(int) noexcept { not_modelled(); }
Result<void> set_reuse_address(int, bool) noexcept { not_modelled(); }
Result<void> set_reuse_port(int, bool) noexcept { not_modelled(); }
Result<void> set_v6_only(int, bool) noexcept { not_modelled(); }
Result<void> set_no_delay(int, bool) noexcept { not_modelled(); }
Result<bool> poll_now(int, int) noexcept { not_modelled(); }
std::int64_t thread_cpu_ns() noexcept { return 0; }
pid_t thread_id() noexcept { return 1; }
Result<std::vector<pid_t>> process_threads() { return std::vector<pid_t>{1}; }

}  // namespace sys
}  // namespace weft
