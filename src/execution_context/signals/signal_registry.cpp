// SPDX-License-Identifier: Apache-2.0
#include "execution_context/signals/signal_registry.hpp"

#include "base/fork_count.hpp"
#include "base/sanitizers.hpp"
#include "execution_context/forked_child.hpp"
#include "execution_context/library_thread.hpp"
#include "execution_context/signals/signal_inbox.hpp"
#include "sys/futex.hpp"
#include "sys/signal.hpp"

#include <weft/detail/failure.hpp>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace weft {
namespace {

constexpr int kNumbersMax = 64;

// TSan's own handler keeps a signal back while its thread is in a system call that TSan does not know; the
// call has to end for it.
constexpr int kFlags = SA_SIGINFO | SA_ONSTACK | (WEFT_TSAN ? 0 : SA_RESTART);

/// What a signal did before. Written before the handler is there; read by the handler.
struct Previous {
  Atomic<void (*)(int, siginfo_t*, void*)> with_info{nullptr};
  Atomic<void (*)(int)> plain{nullptr};
  struct sigaction action {};  // guarded by the lock
};

struct Kind {
  SignalInbox inbox;  // taking: guarded by the lock
  Previous previous;
  std::uint32_t listeners = 0;  // guarded by the lock
};

constinit std::array<Kind, kNumbersMax> kinds{};
/// Counts what the thread has to look at, and is what it sleeps on.
constinit Atomic<std::uint32_t> requests{0};
/// As of the last delivery.
constinit Atomic<std::uint32_t> delivered{0};
/// The signals that somebody wants; bit n - 1.
constinit Atomic<std::uint64_t> wanted{0};
constinit Atomic<pid_t> process{0};

struct Listeners {
  std::mutex lock;
  IntrusiveList<SignalListener, SignalListener> list;  // guarded by lock
  bool thread_started = false;                         // guarded by lock
};

/// In static storage without a destructor: sets may end after statics.
Listeners& listeners() noexcept {
  alignas(Listeners) static std::byte storage[sizeof(Listeners)];
  static Listeners* const all = new (storage) Listeners();
  return *all;
}

Kind& kind_of(int number) noexcept { return kinds[static_cast<std::size_t>(number - 1)]; }

template <class Visit>
void for_each_number(std::uint64_t numbers, Visit&& visit) {
  for (; numbers != 0; numbers &= numbers - 1) visit(std::countr_zero(numbers) + 1);
}

pid_t sender_of(const siginfo_t& info) noexcept {
  const bool by_process = info.si_code <= 0 && info.si_code != SI_TIMER && info.si_code != SI_ASYNCIO;
  return by_process || info.si_signo == SIGCHLD ? info.si_pid : 0;
}

void wake_thread() noexcept {
  requests.fetch_add(1, seq_cst);
  sys::futex_wake_in_handler(requests);
}

/// Async-signal-safe. A child of vfork(), or of fork() before it is told so, shares neither the signal nor
/// the listeners: what it gets is its own.
WEFT_NO_SANITIZE void on_signal(int number, siginfo_t* info, void* context) noexcept {
  const int saved_errno = errno;
  Kind& kind = kind_of(number);
  if (::getpid() == process.load(relaxed)) {
    kind.inbox.put(sender_of(*info));
    wake_thread();
  }
  if (auto* const with_info = kind.previous.with_info.load(relaxed)) with_info(number, info, context);
  if (auto* const plain = kind.previous.plain.load(relaxed)) plain(number);
  errno = saved_errno;
}

bool is_ours(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == on_signal;
}

void remember(Previous& previous, const struct sigaction& action) noexcept {
  previous.action = action;
  const bool with_info = (action.sa_flags & SA_SIGINFO) != 0;
  const bool called = with_info || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
  previous.with_info.store(called && with_info ? action.sa_sigaction : nullptr, relaxed);
  previous.plain.store(called && !with_info ? action.sa_handler : nullptr, relaxed);
}

[[noreturn]] void refuse(std::error_code error, int number) {
  throw std::system_error(error, "weft: " + signal_name(number) + " cannot be waited for");
}

void install_locked(int number) {
  Kind& kind = kind_of(number);
  const Result<struct sigaction> before = sys::signal_action(number);
  if (!before) refuse(before.error(), number);
  kind.inbox.clear();
  remember(kind.previous, *before);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = kFlags;
  action.sa_mask = before->sa_mask;
  if (const Result<void> installed = sys::set_signal_action(number, action); !installed)
    refuse(installed.error(), number);
}

/// A handler that the program has installed meanwhile stays.
void restore(int number) noexcept {
  const Result<struct sigaction> now = sys::signal_action(number);
  if (now && is_ours(*now))
    static_cast<void>(sys::set_signal_action(number, kind_of(number).previous.action));
}

void add_number_locked(int number) {
  Kind& kind = kind_of(number);
  if (kind.listeners == 0) install_locked(number);
  ++kind.listeners;
}

void remove_number_locked(int number) noexcept {
  if (--kind_of(number).listeners != 0) return;
  wanted.fetch_and(~(std::uint64_t{1} << (number - 1)), relaxed);
  restore(number);
}

/// The thread takes what every other thread blocks (SG4).
void unblock_what_is_wanted(std::uint64_t& unblocked) noexcept {
  const std::uint64_t now = wanted.load(relaxed);
  if (now == unblocked) return;
  sigset_t blocked = sys::all_signals();
  for_each_number(now, [&](int number) { ::sigdelset(&blocked, number); });
  ::pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  unblocked = now;
}

[[noreturn]] void pass_on() noexcept {
  const LibraryThread thread("weft-signals");
  for (std::uint64_t unblocked = 0;;) {
    const std::uint32_t seen = requests.load(seq_cst);
    unblock_what_is_wanted(unblocked);
    SignalRegistry::deliver();
    if (requests.load(seq_cst) == seen) sys::futex_wait(requests, seen);
  }
}

void start_thread_locked() {
  if (listeners().thread_started) return;
  prepare_for_fork();
  process.store(::getpid(), relaxed);
  const sys::BlockedSignals none(sys::all_signals());
  std::thread(pass_on).detach();
  listeners().thread_started = true;
}

/// Faults are the running thread's own, and go nowhere else; these two cannot be caught.
bool may_be_waited_for(int number) noexcept {
  for (const int refused : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    if (number == refused) return false;
  }
  return number >= 1 && number <= kNumbersMax;
}

}  // namespace

SignalListener::SignalListener(std::span<const int> numbers) : forks_(fork_count) {
  for (const int number : numbers) {
    if (!may_be_waited_for(number)) refuse(std::make_error_code(std::errc::invalid_argument), number);
    numbers_ |= std::uint64_t{1} << (number - 1);
  }
  if (numbers.empty()) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft: a signal set without signals");
  }
}

bool SignalListener::inherited() const noexcept { return forks_ != fork_count; }

void SignalRegistry::add(SignalListener& listener) {
  deliver();  // what came before is not the listener's (SG2)
  const std::scoped_lock locked(listeners().lock);
  start_thread_locked();
  std::uint64_t added = 0;
  try {
    for_each_number(listener.numbers(), [&](int number) {
      add_number_locked(number);
      added |= std::uint64_t{1} << (number - 1);
    });
  } catch (const std::system_error&) {
    for_each_number(added, remove_number_locked);
    throw;
  }
  listeners().list.push_back(listener);
  wanted.fetch_or(added, relaxed);
  wake_thread();
}

void SignalRegistry::remove(SignalListener& listener) noexcept {
  if (listener.inherited()) return;
  const std::scoped_lock locked(listeners().lock);
  listeners().list.remove(listener);
  for_each_number(listener.numbers(), remove_number_locked);
  wake_thread();
}

void SignalRegistry::deliver() noexcept {
  const std::uint32_t seen = requests.load(seq_cst);
  if (delivered.load(acquire) == seen) return;
  std::unique_lock locked(listeners().lock);
  for_each_number(wanted.load(relaxed), [](int number) {
    Signal signal;
    signal.number = number;
    while (kind_of(number).inbox.take(signal.sender)) {
      listeners().list.for_each([&](SignalListener& listener) {
        if (!listener.wants(number)) return;
        listener.deliver(signal);
        listener.to_stop = !listener.stop().stop_requested();
      });
    }
  });
  delivered.store(seen, release);
  // The program's callbacks: without the lock, and the set may be gone by then.
  while (SignalListener* const listener =
             listeners().list.find([](SignalListener& one) { return one.to_stop; })) {
    listener->to_stop = false;
    std::stop_source stop = listener->stop();
    locked.unlock();
    stop.request_stop();
    locked.lock();
  }
}

bool SignalRegistry::put(int number, pid_t sender) noexcept {
  if ((wanted.load(relaxed) >> (number - 1) & 1) == 0) return false;
  kind_of(number).inbox.put(sender);
  requests.fetch_add(1, seq_cst);
  deliver();
  return true;
}

void SignalRegistry::lock_for_fork() noexcept { listeners().lock.lock(); }
void SignalRegistry::unlock_after_fork() noexcept { listeners().lock.unlock(); }

void SignalRegistry::become_inherited() noexcept {
  for_each_number(wanted.exchange(0, relaxed), [](int number) {
    restore(number);
    kind_of(number).listeners = 0;
  });
  new (&listeners()) Listeners();
}

void act_by_default(int number) noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  static_cast<void>(sys::set_signal_action(number, action));
  sys::unblock_signals(sys::signal_set({number}));
  ::raise(number);
}

std::string signal_name(int number) {
  const char* const name = ::sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string(name);
}

void raise_signal(int number) {
  if (number < 1 || number > kNumbersMax) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            "weft: there is no signal " + std::to_string(number));
  }
  if (!SignalRegistry::put(number, ::getpid())) ::raise(number);
}

}  // namespace weft
