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

/// What a callable returns, without the Result around it; std::monostate for nothing.
template <class F, class Value = typename Outcome<std::invoke_result_t<F&>>::Value>
using ValueOf = std::conditional_t<std::is_void_v<Value>, std::monostate, Value>;

/// Calls `f` and stores what it gives.
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

// Functions where lambdas would do, but for clang 14, which crashes at two packs in one.
template <class Values, std::size_t... kIndex, class... Fs>
void start_all(TaskGroup<void>& group, Values& values, std::index_sequence<kIndex...>, Fs&... fs) {
  (start_into(group, fs, std::get<kIndex>(values)), ...);
}

template <class... Values, std::size_t... kIndex>
std::tuple<Values...> take_all(std::tuple<std::optional<Values>...>& values, std::index_sequence<kIndex...>) {
  return std::tuple<Values...>(*std::move(std::get<kIndex>(values))...);
}

}  // namespace detail

/// Calls all of `fs`, each in a fiber of its own in the current context, and waits for them: a tuple of what
/// they return, T for T or Result<T>, std::monostate for nothing and for an error code. The first failure
/// cancels the others and is reported, a thrown exception is thrown; the others are joined first. Suspends.
/// Cancellable, as TaskGroup::wait(): what the others had returned is dropped.
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
