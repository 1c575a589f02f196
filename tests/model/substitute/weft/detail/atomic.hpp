// SPDX-License-Identifier: Apache-2.0
#pragma once

// <weft/detail/atomic.hpp> as the model checker has it (docs/design/model-checking.md): the same names and
// the same layout, but each operation is a scheduling point of the explorer, and a load may bring an old
// value.

#include "model/explorer/hooks.hpp"

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#define WEFT_MODEL 1

namespace weft::detail {

inline constexpr std::memory_order relaxed = std::memory_order_relaxed;
inline constexpr std::memory_order acquire = std::memory_order_acquire;
inline constexpr std::memory_order release = std::memory_order_release;
inline constexpr std::memory_order acq_rel = std::memory_order_acq_rel;
inline constexpr std::memory_order seq_cst = std::memory_order_seq_cst;

template <class T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  using Order = std::memory_order;
  using Where = weft::model::Where;

 public:
  using value_type = T;

  constexpr Atomic() noexcept : Atomic(T()) {}
  constexpr Atomic(T value) noexcept : value_(value) {  // NOLINT: implicit, as in std::atomic
    if (!std::is_constant_evaluated() && weft::model::hooks::active())
      weft::model::hooks::begin_life(&value_);
  }
  constexpr ~Atomic() {
    if (!std::is_constant_evaluated() && weft::model::hooks::active())
      weft::model::hooks::end_life(&value_, Where::here());
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order = seq_cst, Where where = Where::here()) const noexcept {
    if (!weft::model::hooks::active()) return value_;
    return from_bits(weft::model::hooks::load(&value_, sizeof(T), order, where));
  }
  void store(T value, Order order = seq_cst, Where where = Where::here()) noexcept {
    if (!weft::model::hooks::active()) {
      value_ = value;
    } else {
      weft::model::hooks::store(&value_, sizeof(T), to_bits(value), order, where);
    }
  }
  T exchange(T value, Order order = seq_cst, Where where = Where::here()) noexcept {
    return modify([](std::uint64_t, std::uint64_t operand) { return operand; }, value, order, where);
  }
  T fetch_add(T operand, Order order = seq_cst, Where where = Where::here()) noexcept {
    return modify([](std::uint64_t old,
                     std::uint64_t by) { return to_bits(static_cast<T>(from_bits(old) + from_bits(by))); },
                  operand, order, where);
  }
  T fetch_sub(T operand, Order order = seq_cst, Where where = Where::here()) noexcept {
    return modify([](std::uint64_t old,
                     std::uint64_t by) { return to_bits(static_cast<T>(from_bits(old) - from_bits(by))); },
                  operand, order, where);
  }
  T fetch_or(T operand, Order order = seq_cst, Where where = Where::here()) noexcept {
    return modify([](std::uint64_t old, std::uint64_t bits) { return old | bits; }, operand, order, where);
  }
  T fetch_and(T operand, Order order = seq_cst, Where where = Where::here()) noexcept {
    return modify([](std::uint64_t old, std::uint64_t bits) { return old & bits; }, operand, order, where);
  }

  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure,
                               Where where = Where::here()) noexcept {
    return compare_exchange(expected, desired, success, failure, false, where);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = seq_cst,
                               Where where = Where::here()) noexcept {
    return compare_exchange(expected, desired, order, failure_of(order), false, where);
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure,
                             Where where = Where::here()) noexcept {
    return compare_exchange(expected, desired, success, failure, true, where);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = seq_cst,
                             Where where = Where::here()) noexcept {
    return compare_exchange(expected, desired, order, failure_of(order), true, where);
  }

  operator T() const noexcept { return load(); }
  T operator=(T value) noexcept {
    store(value);
    return value;
  }

 private:
  static std::uint64_t to_bits(T value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
  }
  static T from_bits(std::uint64_t bits) noexcept {
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    return value;
  }
  static constexpr Order failure_of(Order order) noexcept {
    return order == acq_rel ? acquire : order == release ? relaxed : order;
  }

  T modify(weft::model::hooks::Change change, T operand, Order order, Where where) noexcept {
    if (weft::model::hooks::active())
      return from_bits(
          weft::model::hooks::modify(&value_, sizeof(T), change, to_bits(operand), order, where));
    const T old = value_;
    value_ = from_bits(change(to_bits(old), to_bits(operand)));
    return old;
  }

  bool compare_exchange(T& expected, T desired, Order success, Order failure, bool weak,
                        Where where) noexcept {
    if (!weft::model::hooks::active()) {
      const bool equal = to_bits(value_) == to_bits(expected);
      (equal ? value_ : expected) = equal ? desired : value_;
      return equal;
    }
    weft::model::hooks::Exchange exchange{to_bits(expected), to_bits(desired), success, failure, weak};
    const bool done = weft::model::hooks::compare_exchange(&value_, sizeof(T), exchange, where);
    if (!done) expected = from_bits(exchange.expected);
    return done;
  }

  mutable T value_;  // the last value in modification order
};

}  // namespace weft::detail
