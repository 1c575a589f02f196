// SPDX-License-Identifier: Apache-2.0
#pragma once

// What becomes of the runtime in a child of fork() (docs/design/fork.md).
//
// The child has one thread. The schedulers, the monitor and the pollers of the parent are not there, and the
// epoll instances that it inherited are the parent's: what the child changes in them, it changes for the
// parent. So everything that was there before the fork becomes inert: F1 no inherited context runs a fiber
// any more; F2 no call reaches an inherited epoll instance, eventfd or ring; F3 what the process has one of
// (stacks, records of descriptors, names of loops, the list of contexts, the monitor) begins anew, so that
// run() works.

namespace weft {

/// Sees to it that fork() leaves a child like that. Once for a process; further calls do nothing.
void prepare_for_fork() noexcept;

/// By a scheduler of the parent that the child's one fiber has come back to: it waits, or has returned. BUG.
[[noreturn]] void refuse_to_wait_in_child() noexcept;

/// What else a child may not do: BUG, after a line that says what it may.
[[noreturn]] void refuse_in_child(const char* call) noexcept;

}  // namespace weft
