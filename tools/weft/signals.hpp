// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/execution_context.hpp>

#include <functional>

namespace weft::tool {

/// Keeps SIGINT and SIGTERM from ending the process: in main(), before any thread is started, as threads
/// inherit it.
void block_stop_signals();

/// Waits for SIGINT and SIGTERM on a thread of its own while alive. The first calls `stop` in a fiber of that
/// thread; the next ends the process at once, with the status a shell gives to a program that the signal
/// ended.
class StopSignals {
 public:
  explicit StopSignals(std::function<void()> stop);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  void wait_for_signals();

  std::function<void()> stop_;
  IsolatedContext context_;
};

}  // namespace weft::tool
