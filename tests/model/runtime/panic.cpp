// SPDX-License-Identifier: Apache-2.0
// base/panic.cpp as the model checker has it: a broken invariant is a failure of the execution.
#include "base/panic.hpp"

#include "model/explorer/execution.hpp"
#include "sync/wait_queue.hpp"

#include <weft/detail/failure.hpp>

#include <cstdio>
#include <cstdlib>

namespace weft {

void panic(const char* file, int line, const char* what, std::initializer_list<PanicValue> values) noexcept {
  std::string text = std::string(what) + " (" + file + ":" + std::to_string(line);
  for (const PanicValue& value : values)
    text += std::string(", ") + value.name + "=" + std::to_string(value.value);
  text += ")";
  if (model::hooks::active()) model::Execution::current().fail(model::FailureKind::kPanic, text);
  std::fprintf(stderr, "BUG: %s\n", text.c_str());
  std::abort();
}

// What is destroyed too early is found by the explorer itself.
void refuse_destroyed() noexcept { WEFT_PANIC("a destroyed object is used"); }
void detail::end_of_life(Atomic<std::uintptr_t>&, std::uintptr_t, const char*) noexcept {}

// src/base/failure.cpp keeps texts in atomic words, which are nothing that a model is about.
void detail::throw_failure(const Failure& failure) { throw std::system_error(failure.error); }

void set_panic_hook(PanicHook) noexcept {}

void write_to_stderr(std::initializer_list<std::string_view> pieces) noexcept {
  for (const std::string_view piece : pieces) std::fwrite(piece.data(), 1, piece.size(), stderr);
}

}  // namespace weft
