// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fiber/flow.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace weft::model {

/// A stack on which one body after the other runs, in turns with the flow that resumes it.
class Coroutine {
 public:
  Coroutine();
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  /// The next resume() begins `body`. REQUIRES: finished().
  void start(std::function<void()> body);
  /// Runs the body until it leaves or ends.
  void resume(Flow& resumer) noexcept;
  /// By the body: back to whoever resumed it.
  void leave() noexcept;
  bool finished() const noexcept { return finished_; }

 private:
  static void entry(void* self);
  [[noreturn]] void run() noexcept;

  std::unique_ptr<std::byte[]> stack_;
  Flow flow_;
  Flow* resumer_ = nullptr;
  std::function<void()> body_;
  bool finished_ = true;
};

}  // namespace weft::model
