// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/system_lookup.hpp"

#include "net/sockaddr.hpp"
#include "sys/errors.hpp"

#include <weft/blocking_pool.hpp>
#include <weft/semaphore.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>

namespace weft::net {
namespace {

constexpr std::uint32_t kSystemThreadsMax = 16;

/// Never ends, as a call of getaddrinfo() may take longer than main().
BlockingPool& system_pool() {
  static auto* const pool = new BlockingPool("names", {.threads_max = kSystemThreadsMax});
  return *pool;
}

std::error_code error_of_system(int status) noexcept {
  switch (status) {
    case EAI_NONAME: return NameErrc::not_found;
    case EAI_NODATA:
    case EAI_ADDRFAMILY: return NameErrc::no_address;
    case EAI_AGAIN: return NameErrc::no_reply;
    case EAI_MEMORY: return sys::error_of(ENOMEM);
    case EAI_SYSTEM: return sys::error_of(errno);
    default: return NameErrc::server_failure;
  }
}

int family_of_system(AddressFamily family) noexcept {
  if (family == AddressFamily::kAny) return AF_UNSPEC;
  return family == AddressFamily::kV4 ? AF_INET : AF_INET6;
}

/// On a thread of the pool.
Result<NameAnswer> call_system(const NameQuestion& question) {
  addrinfo hints{};
  hints.ai_family = family_of_system(question.family);
  hints.ai_socktype = SOCK_STREAM;  // one entry for each address
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(question.name.c_str(), nullptr, &hints, &list);
  if (status != 0) return error_of_system(status);
  NameAnswer answer;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof(storage)));
    const Result<SocketAddress> address = from_raw(sys::RawAddress(storage, entry->ai_addrlen));
    if (address) answer.addresses.push_back(address->ip());
  }
  ::freeaddrinfo(list);
  if (answer.addresses.empty()) return NameErrc::no_address;
  return answer;
}

/// Shared by the caller, which may leave, and by the fiber that waits for the thread.
struct SystemCall {
  explicit SystemCall(const NameQuestion& asked) : question(asked) {}

  const NameQuestion question;
  Result<NameAnswer> answer = Errc::cancelled;
  Semaphore ended{0};
};

}  // namespace

Result<NameAnswer> look_up_by_system(const NameQuestion& question, Deadline deadline) {
  const auto call = std::make_shared<SystemCall>(question);
  JoinHandle<void> caller = spawn([call] {
    call->answer = system_pool().run([&] { return call_system(call->question); });
    call->ended.release();
  });
  if (const Result<void> ended = call->ended.acquire_until(deadline); !ended) {
    caller.cancel();  // takes a call back that has not started
    return ended.error();
  }
  return std::move(call->answer);
}

}  // namespace weft::net
