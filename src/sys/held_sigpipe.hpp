// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace weft::sys {

/// While it lives, a write of this thread to a pipe or socket without a reader raises no signal: it is held
/// back, and taken away by drop(). Must not live over a suspension.
class HeldSigpipe {
 public:
  HeldSigpipe() noexcept;
  ~HeldSigpipe();
  HeldSigpipe(const HeldSigpipe&) = delete;
  HeldSigpipe& operator=(const HeldSigpipe&) = delete;

  /// The write has failed with EPIPE. A SIGPIPE that was pending before stays: one is as good as two.
  void drop() noexcept;

 private:
  sigset_t before_;
  bool was_pending_ = false;
};

}  // namespace weft::sys
