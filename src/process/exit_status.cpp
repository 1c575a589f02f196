// SPDX-License-Identifier: Apache-2.0
#include <weft/process/exit_status.hpp>

#include "execution_context/signals/signal_registry.hpp"

namespace weft::process {

std::string ExitStatus::to_string() const {
  if (signal_ == 0) return "exit code " + std::to_string(code_);
  return "killed by " + signal_name(signal_) + (core_dumped_ ? ", core dumped" : "");
}

}  // namespace weft::process
