// SPDX-License-Identifier: Apache-2.0
#pragma once

// The world of a descriptor's models: the shipping polling loop, twice, over a kernel of one socket.

#include "base/clock.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "model/runtime/fibers.hpp"
#include "model/runtime/kernel.hpp"

#include <mutex>

namespace weft::model {

inline constexpr std::size_t kA = 0;
inline constexpr std::size_t kB = 1;

/// One of the loops.
class ModelLoop final : public PollingEventLoop {
 public:
  ModelLoop(Kernel& kernel, std::size_t index, const RegistrationPolicy& policy)
      : PollingEventLoop(policy), kernel_(kernel), index_(index) {}
  ~ModelLoop() override { retire(); }

  /// Plants an error: edges of what the loop does not own go nowhere, against O2.
  bool drops_foreign_edges = false;

 protected:
  Result<void> add(int, std::uint64_t data, Edges) noexcept override { return kernel_.add(index_, data); }
  Result<void> modify(int, std::uint64_t, Edges) noexcept override {
    check(false, "only readers wait");
    return {};
  }
  void remove(int) noexcept override { kernel_.remove(index_); }
  std::size_t poll(std::int64_t) noexcept override {
    std::uint64_t data = 0;
    if (!kernel_.take_event(index_, data)) return 0;
    if (drops_foreign_edges && !owns(data)) return 0;
    deliver(data, {.read = true});
    return 1;
  }
  void notify() noexcept override {}

 private:
  bool owns(std::uint64_t data) noexcept {
    Descriptor& descriptor = *DescriptorArena::instance().at(static_cast<std::uint32_t>(data));
    std::scoped_lock locked(descriptor.lock);
    return descriptor.ownership == Ownership::kOwned && descriptor.owner == id();
  }

  Kernel& kernel_;
  const std::size_t index_;
};

/// A socket that loop A owns; under per_wait nobody has it, as nobody waits.
struct SocketWorld {
  explicit SocketWorld(ModelFibers& used, const RegistrationPolicy& policy = transfer_policy())
      : fibers(used), a(kernel, kA, policy), b(kernel, kB, policy) {
    static const std::int64_t time_ns = 1'000'000'000;
    set_clock_override(&time_ns);
    name(kernel, "kernel");
    name(a, "loop A");
    name(b, "loop B");
    Descriptor& descriptor = *DescriptorArena::instance().allocate(Kernel::kFd, DescriptorKind::kStream);
    name(descriptor, "descriptor");
    for (std::size_t i = 0; i < 3; ++i) {
      name(fibers[i].word, "word");
      fibers[i].word.reset();
    }
    handle = {&descriptor, descriptor.usage.generation()};
    descriptor.usage.open();
    if (&policy == &per_wait_policy()) return;
    static_cast<void>(kernel.add(kA, std::uint64_t{handle.generation} << 32 | descriptor.index));
    descriptor.ownership = Ownership::kOwned;
    descriptor.owner = a.id();
  }
  ~SocketWorld() { set_clock_override(nullptr); }

  Result<std::size_t> read_in(PollingEventLoop& loop) {
    this_runner()->event_loop = &loop;
    return Files::read(handle, std::span(&byte, 1), Deadline::never());
  }
  /// The thread that has the poll duty of both loops.
  void poll() {
    for (;;) {
      const std::uint32_t version = kernel.version.load(acquire);
      for (ModelLoop* loop : {&a, &b}) {
        FiberQueue runnable;
        loop->run(fibers, runnable);
        while (Fiber* fiber = runnable.pop()) fibers.enqueue(*fiber);
      }
      while (kernel.version.load(acquire) == version) {
        if (ended.load(acquire)) return;
        cpu_relax();
      }
    }
  }
  void end() { ended.store(true, release); }
  void close() { check(bool(close_descriptor(handle)), "it was open"); }
  /// What holds when the socket has been closed.
  void check_gone() {
    check(kernel.closed() == 1, "the number is given back once");
    check(!kernel.registered(kA) && !kernel.registered(kB), "no registration is left");
  }

  ModelFibers& fibers;
  Kernel kernel;
  ModelLoop a;
  ModelLoop b;
  DescriptorHandle handle;
  Atomic<bool> ended{false};
  std::byte byte{};
};

}  // namespace weft::model
