// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/all.hpp>
#include <weft/task_group.hpp>

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace weft {

/// Calls all of `fs`, each in a fiber of its own in the current context. The first function that ends
/// decides: its value or error is returned, or its exception is thrown. The other fibers are cancelled and
/// joined, and their results are dropped. The value has the common type of the functions' values; if none
/// returns a value, the result is a Result<void>. Suspends. Cancellable, like TaskGroup::wait().
///
///     auto page = weft::race([&] { return fetch(mirror_a); }, [&] { return fetch(mirror_b); });
template <class... Fs>
auto race(Fs&&... fs) {
  static_assert(sizeof...(Fs) > 0, "a race needs at least one function");
  using Value = std::common_type_t<detail::ValueOf<std::remove_reference_t<Fs>>...>;
  TaskGroup<Value> group;
  const auto start = [&group](auto& f) {
    group.spawn([&f]() -> Result<Value> {
      std::optional<detail::ValueOf<std::remove_reference_t<decltype(f)>>> value;
      if (Result<void> called = detail::call_into(f, value); !called) return called.error();
      return Value(*std::move(value));
    });
  };
  (start(fs), ...);
  Result<Value> first = *group.next();
  group.discard();
  if constexpr (std::is_same_v<Value, std::monostate>) {
    return first ? Result<void>() : Result<void>(first.error());
  } else {
    return first;
  }
}

}  // namespace weft
