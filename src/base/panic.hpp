// SPDX-License-Identifier: Apache-2.0
#pragma once

// A broken invariant stops the program, in release builds too: `BUG: <what> (values)`, then a dump of
// what the runtime knows, then abort(). Expected outcomes are values (`Result`), never panics.

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>

namespace weft {

/// One value shown in a panic: its name in the source and what it held.
struct PanicValue {
  const char* name;
  std::uint64_t value;
};

template <class T>
constexpr std::uint64_t panic_bits(const T& value) noexcept {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<std::uintptr_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

/// Prints `BUG: <what> (name=value, ...) at <place>` to standard error, runs the dump hook, aborts. The place
/// is `file:line` unless a witness knows that of the program's own code. Async-signal-safe but for witness
/// and hook. Any thread, also outside the runtime.
[[noreturn, gnu::cold]] void panic(const char* file, int line, const char* what,
                                   std::initializer_list<PanicValue> values = {}) noexcept;

/// Installs what ends the first line of a panic, whose text was written without its end: `" at <place>\n"`,
/// and what else is known of how the program got there. Null removes it.
using PanicWitness = void (*)(const char* file, int line);
void set_panic_witness(PanicWitness witness) noexcept;

/// Installs what `panic` calls before it aborts (the runtime's fiber dump); null removes it.
using PanicHook = void (*)();
void set_panic_hook(PanicHook hook) noexcept;

/// Whether a panic is on its way to the abort: what else there would be to say is of no use, or a
/// consequence. Any thread.
bool process_is_dying() noexcept;

/// Writes pieces of text to standard error in one write; about 1,000 bytes at most. Never waits for a reader
/// (base/standard_error.hpp). Async-signal-safe.
[[gnu::cold]] void write_to_stderr(std::initializer_list<std::string_view> pieces) noexcept;
/// The same with an `end` of at most 64 bytes that is there however long the pieces are; what is no text in
/// them is a space: they may be what a peer sent, or an exception says.
[[gnu::cold]] void write_line_to_stderr(std::initializer_list<std::string_view> pieces,
                                        std::string_view end) noexcept;

}  // namespace weft

/// `WEFT_VALUE(x)` names a value for the message.
#define WEFT_VALUE(x) \
  ::weft::PanicValue { #x, ::weft::panic_bits(x) }

/// Stops the program with `what` and the given `WEFT_VALUE`s.
#define WEFT_PANIC(what, ...) ::weft::panic(__FILE__, __LINE__, what, {__VA_ARGS__})

/// An invariant, checked in every build. `what` says what is broken, in words.
#define WEFT_ASSERT(condition, what, ...) \
  do {                                    \
    if (!(condition)) [[unlikely]]        \
      WEFT_PANIC(what, __VA_ARGS__);      \
  } while (false)

/// An invariant too costly for release builds.
#ifdef NDEBUG
#define WEFT_DEBUG_ASSERT(condition, what, ...) \
  do {                                          \
  } while (false)
#else
#define WEFT_DEBUG_ASSERT(condition, what, ...) WEFT_ASSERT(condition, what, __VA_ARGS__)
#endif
