// SPDX-License-Identifier: Apache-2.0
#pragma once

// The typed shell of a call on a blocking pool. The function and its result stay in the caller's frame.
// Internal: this header may change at any time.

#include <weft/detail/outcome.hpp>
#include <weft/result.hpp>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft::detail {

template <class F>
class BlockingCall {
 public:
  using Returned = std::invoke_result_t<F>;
  using Value = typename Outcome<Returned>::Value;
  static_assert(!std::is_reference_v<Returned>, "a blocking call cannot return a reference");

  explicit BlockingCall(F&& f) noexcept : f_(std::forward<F>(f)) {}

  /// On the pool's thread, once.
  static void run(void* self) {
    auto& call = *static_cast<BlockingCall*>(self);
    if constexpr (std::is_void_v<Returned>) {
      std::invoke(std::forward<F>(call.f_));
    } else {
      call.returned_.emplace(std::invoke(std::forward<F>(call.f_)));
    }
  }

  /// After `ran`, which says whether run() was called.
  Result<Value> take(const Result<void>& ran) {
    if (!ran) return ran.failure();
    if constexpr (std::is_void_v<Returned>) {
      return {};
    } else {
      return Outcome<Returned>::of(std::move(*returned_));
    }
  }

 private:
  struct Nothing {};

  F&& f_;
  std::optional<std::conditional_t<std::is_void_v<Returned>, Nothing, Returned>> returned_;
};

}  // namespace weft::detail
