// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/explorer/execution.hpp"

#include <utility>

namespace weft::model {

/// A field without synchronization of its own: an access that does not come after all earlier ones it
/// conflicts with is a data race, and a failure. No scheduling point: if no execution has a race, the order
/// of what races with nothing does not matter.
template <class T>
class Plain {
 public:
  Plain() : Plain(T()) {}
  explicit Plain(T value) : value_(std::move(value)) { note_write("begun"); }
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;

  const T& get() const {
    if (!hooks::active()) return value_;
    Execution& execution = Execution::current();
    require(written_, "read");
    read_[execution.running()] = now(execution);
    return value_;
  }
  void set(T value) {
    note_write("written");
    value_ = std::move(value);
  }
  operator const T&() const { return get(); }
  T operator=(T value) {
    set(value);
    return value;
  }

 private:
  void note_write(const char* how) {
    if (!hooks::active()) return;
    Execution& execution = Execution::current();
    require(written_, how);
    require(read_, how);
    written_ = read_ = {};
    written_[execution.running()] = now(execution);
  }
  /// Accesses count to the operation that follows them: what was released before does not cover them.
  static std::uint32_t now(Execution& execution) noexcept {
    return execution.knowledge().current.clock[execution.running()] + 1;
  }
  void require(Clock before, const char* how) const {
    Execution& execution = Execution::current();
    before[execution.running()] = 0;
    if (execution.knowledge().current.clock.includes(before)) return;
    execution.fail(FailureKind::kDataRace, std::string("a plain field is ") + how + " by " +
                                               execution.running_thread().name +
                                               " while another thread may be at it");
  }

  T value_;
  mutable Clock read_{};
  Clock written_{};
};

}  // namespace weft::model
