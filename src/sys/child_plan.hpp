// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a new process does between its creation and its program, as data: it shares the memory of its parent
// then, whose thread stands still, and may neither allocate nor take a lock (docs/design/processes.md).

#include <cstddef>
#include <cstdint>

namespace weft::sys {

/// `source` of the parent becomes `target` of the child.
struct ChildDescriptor {
  int source;
  int target;
};

/// In the order in which they are taken.
enum class ChildStep : std::uint8_t { kSession, kDirectory, kDescriptors, kSignals, kExecute };
inline constexpr std::size_t kChildSteps = 5;

enum class ChildGroup : std::uint8_t { kShared, kOwn, kSession };

struct ChildPlan {
  // What to do. Lists of texts end with a null pointer.
  const char* const* programs = nullptr;  ///< are tried one after the other
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  const char* directory = nullptr;         ///< null: that of the parent
  ChildDescriptor* descriptors = nullptr;  ///< no two with one target; the child changes the sources
  std::size_t descriptor_count = 0;
  bool closes_others = true;  ///< from 3 on
  ChildGroup group = ChildGroup::kShared;
  int death_signal = 0;  ///< 0: none
  int parent = 0;
  std::uint64_t blocked_signals = 0;
  std::uint64_t ignored_signals = 0;

  // What the child says if its program could not be started.
  int error = 0;
  ChildStep failed_step = ChildStep::kSession;
  int failed_target = -1;  ///< which descriptor
  /// Errors of tests: the step fails with this errno.
  int injected[kChildSteps] = {};
};

/// The child's half, on a stack of its own. Does not return.
int run_child(void* plan);

}  // namespace weft::sys
