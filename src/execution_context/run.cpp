// SPDX-License-Identifier: Apache-2.0
#include <weft/run.hpp>

#include "execution_context/context.hpp"
#include "sys/cpu.hpp"

namespace weft::detail {

MainContext::MainContext(const RunOptions& options) {
  WEFT_ASSERT(this_runner() == nullptr, "run() is called in a fiber");
  core_ = new Context(ContextOptions{
      .name = "default",
      .parallelism = options.parallelism == 0 ? sys::usable_cpu_count() : options.parallelism,
      .resizable = true,
      .uses_calling_thread = true,
      .event_loop = nullptr});
}

MainContext::~MainContext() { delete core_; }

Context& MainContext::core() noexcept { return *core_; }
void MainContext::run() noexcept { core_->run(); }
void MainContext::close() noexcept { core_->close(); }

}  // namespace weft::detail
