// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tool::compare {

/// Which CPUs a server and its load run on.
struct CpuPlan {
  std::vector<int> server = {};
  std::vector<int> load = {};
  /// What to say beside the row; empty: the server has a CPU for each thread, and the load one for itself.
  std::string label = {};
};

/// The CPUs this process may use, ascending.
std::vector<int> allowed_cpus();

/// The load gets the last CPU. The server gets the others if they are enough for its threads; if not, all of
/// them: then both sides disturb each other, and the label says so. What is given for either side is taken as
/// it is. REQUIRES: `allowed` is not empty.
CpuPlan plan_cpus(const std::vector<int>& allowed, std::uint32_t threads, const std::vector<int>& server = {},
                  const std::vector<int>& load = {});

}  // namespace weft::tool::compare
