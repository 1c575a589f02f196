// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/task_group.hpp>

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace weft {

namespace detail {

/// The type of a callable's value, without a Result around it; std::monostate instead of void.
template <class F, class Value = typename Outcome<std::invoke_result_t<F&>>::Value>
using ValueOf = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

/// Calls `f` and stores its value.
template <class F, class Value>
Result<void> call_into(F& f, std::optional<Value>& value) {
  using Returned = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<Returned>) {
    f();
    value.emplace();
  } else if constexpr (!Outcome<Returned>::kMayFail) {
    value.emplace(f());
  } else {
    auto returned = Outcome<Returned>::of(f());
    if (!returned) return returned.error();
    if constexpr (std::is_same_v<Value, std::monostate>) {
      value.emplace();
    } else {
      value.emplace(*std::move(returned));
    }
  }
  return {};
}

template <class F, class Value>
void start_into(TaskGroup<void>& group, F& f, std::optional<Value>& value) {
  group.spawn([&f, &value] { return call_into(f, value); });
}

// Functions instead of lambdas: clang 14 crashes at two packs in one lambda.
template <class Values, std::size_t... kIndex, class... Fs>
void start_all(TaskGroup<void>& group, Values& values, std::index_sequence<kIndex...>, Fs&... fs) {
  (start_into(group, fs, std::get<kIndex>(values)), ...);
}

template <class... Values, std::size_t... kIndex>
std::tuple<Values...> take_all(std::tuple<std::optional<Values>...>& values, std::index_sequence<kIndex...>) {
  return std::tuple<Values...>(*std::move(std::get<kIndex>(values))...);
}

}  // namespace detail

/// Calls all of `fs`, each in a fiber of its own in the current context, and waits for them. Returns a tuple
/// of their values: T for a function that returns T or Result<T>, std::monostate for one that returns void or
/// an error code.
///
/// The first failure cancels the other functions and is returned; an exception is thrown. The other fibers
/// are joined first, and their values are dropped. Suspends. Cancellable, like TaskGroup::wait().
///
///     auto both = weft::all([&] { return fetch(a); }, [&] { return fetch(b); });
///     if (both) merge(std::get<0>(*both), std::get<1>(*both));
template <class... Fs>
auto all(Fs&&... fs) -> Result<std::tuple<detail::ValueOf<std::remove_reference_t<Fs>>...>> {
  constexpr std::index_sequence_for<Fs...> kAll;
  std::tuple<std::optional<detail::ValueOf<std::remove_reference_t<Fs>>>...> values;
  TaskGroup<void> group;
  detail::start_all(group, values, kAll, fs...);
  if (Result<void> waited = group.wait(); !waited) return waited.error();
  return detail::take_all(values, kAll);
}

}  // namespace weft
